package eval

import (
	"testing"

	"pgregory.net/rapid"
)

// What java.util.regex does and Go's engine does not.
func TestJavaPatterns(t *testing.T) {
	for _, x := range []struct{ pattern, text, want string }{
		{`(?=a)b`, "ab", "<nil>"}, {`a(?=b)`, "ab", "a"}, {`(?<=a)b`, "ab", "b"}, {`(?<!a)b`, "ab", "<nil>"}, {`(?!a).`, "ab", "b"},
		{`(a)\1`, "xaab", "aa"}, {`(?<q>['"]).*?\k<q>`, `say "it" now`, `"it"`}, {`a++a`, "aaa", "<nil>"}, {`(?>a*)b`, "aab", "aab"},
		{`[a-z&&[^b]]+`, "abc", "a"}, {`[a[0-9]]+`, "-a1-", "a1"}, {`\h+`, "a \tb", " \t"}, {`\R`, "a\r\nb", "\r\n"}, {`b\Z`, "ab\n", "b"},
		{`b$`, "ab\n", "b"}, {`\Qa.b\E`, "xa.b", "a.b"}, {`\u0041`, "xA", "A"}, {`\p{Alpha}+`, "1ab", "ab"}, {`\P{Lu}+`, "ABc", "c"},
		{`(?i)ABC`, "xabc", "abc"}, {`(?i:a)B`, "AB", "AB"}, {`a{2,3}?`, "aaa", "aa"}, {`(a|ab)(c|bcd)(d*)`, "abcd", "abcd"}, {`^b`, "a\nb", "<nil>"},
		{`(?m)^b$`, "a\nb\nc", "b"}, {`a.b`, "a\rb", "<nil>"}, {`(?s)a.b`, "a\nb", "a\nb"}, {`\bfoo\b`, "a foo.", "foo"},
	} {
		re, err := compileRegex(x.pattern)
		if err != nil {
			t.Errorf("%s: %v", x.pattern, err)
			continue
		}
		got := "<nil>"
		if loc, err := re.first(x.text); err != nil {
			t.Errorf("%s: %v", x.pattern, err)
		} else if loc != nil {
			got = x.text[loc[0]:loc[1]]
		}
		if got != x.want {
			t.Errorf("%s in %q: %q, want %q", x.pattern, x.text, got, x.want)
		}
	}
	for _, bad := range []string{"(", "a)", "[a", "*", "a{", `\`, `\p{No such}`, "(?<n>a)(?<n>b)", "a**"} {
		if _, err := compileRegex(bad); err == nil {
			t.Errorf("%s compiles", bad)
		}
	}
	if re, _ := compileRegex(`(a*)*\1b`); re != nil {
		if _, err := re.first("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac"); err == nil {
			t.Log("found without too many steps")
		}
	}
}

// Where both engines can be asked they agree.
func TestJavaPatternsAgreeWithGo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`(a|b|[ab]|c\?|\(a\|b\)|d\*|x\{1,2\}|\.){1,5}`).Draw(t, "pattern")
		text := rapid.StringMatching(`[abcdx]{0,12}`).Draw(t, "text")
		re, err := compileRegex(pattern)
		if err != nil || re.quick == nil {
			return
		}
		quick, err1 := re.all(text)
		slow := &regex{java: re.java}
		other, err2 := slow.all(text)
		if err1 != nil || err2 != nil || len(quick) != len(other) {
			t.Fatalf("%s in %q: %v %v, %v %v", pattern, text, quick, err1, other, err2)
		}
		for i := range quick {
			for k := range quick[i] {
				if quick[i][k] != other[i][k] {
					t.Fatalf("%s in %q: %v, %v", pattern, text, quick, other)
				}
			}
		}
	})
}

func FuzzJavaPattern(f *testing.F) {
	f.Add("(?<=a)[b&&[^c]]\\k<x>", "ab")
	f.Add("\\x{41}\\cA\\07{2,}", "A")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 60 || len(text) > 40 {
			return
		}
		if re, err := compileRegex(pattern); err == nil {
			_, _ = re.all(text)
		}
	})
}
