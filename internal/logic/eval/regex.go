package eval

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
)

func init() {
	register(map[string]func(*call) (arrow.Array, error){
		"rlike": rlike, "regexp_replace": regexpReplace, "regexp_extract": regexpExtract, "regexp_extract_all": regexpExtractAll,
		"regexp_substr": regexpSubstr, "regexp_count": regexpCount, "regexp_instr": regexpInstr, "split": split,
	})
}

// regex is a Java pattern. Go's engine, which is fast on every text, matches it where
// both give the same; else the pattern is tried the way Java does.
type regex struct {
	quick *regexp.Regexp // nil when the pattern is only Java's
	java  *javaPattern
	ends  bool // has a . or $, which see line terminators otherwise
}

// only are the parts of patterns that Go lacks or reads otherwise.
var onlyJava = regexp.MustCompile(`\(\?[=!<>]|\\[0-9kGZRhHvVuQeacpPbB]|[*+?}]\+|&&|\[[^\]]*\[|\\s|\\S|\[\]|\(\?[a-zA-Z]*[dux]`)

func compileRegex(text string) (*regex, error) {
	java, err := parseJavaPattern(text)
	if err != nil {
		return nil, err
	}
	r := &regex{java: java, ends: strings.ContainsAny(text, ".$")}
	if !onlyJava.MatchString(text) {
		if quick, err := regexp.Compile(text); err == nil && quick.NumSubexp() == java.groups && !quick.MatchString("") {
			r.quick = quick
		}
	}
	return r, nil
}

// fast reports whether Go's engine matches a text as Java's would.
func (r *regex) fast(text string) bool {
	return r.quick != nil && !(r.ends && strings.ContainsAny(text, "\n\r\u0085\u2028\u2029"))
}

func (r *regex) groups() int { return r.java.groups }

// first gives the positions of the first match and its groups; nil without one.
func (r *regex) first(text string) ([]int, error) {
	if r.fast(text) {
		return r.quick.FindStringSubmatchIndex(text), nil
	}
	return r.java.find(text, 0, 0)
}

func (r *regex) matches(text string) (bool, error) {
	if r.fast(text) {
		return r.quick.MatchString(text), nil
	}
	loc, err := r.java.find(text, 0, 0)
	return loc != nil, err
}

// all gives the positions of every match, as Matcher.find does one after the other.
func (r *regex) all(text string) ([][]int, error) {
	if r.fast(text) {
		return r.quick.FindAllStringSubmatchIndex(text, -1), nil
	}
	var out [][]int
	for at, last := 0, 0; at <= len(text); {
		loc, err := r.java.find(text, at, last)
		if err != nil || loc == nil {
			return out, err
		}
		out = append(out, loc)
		at, last = loc[1], loc[1]
		if loc[0] == loc[1] {
			_, n := utf8.DecodeRuneInString(text[at:])
			at += max(n, 1)
		}
	}
	return out, nil
}

// regexCache keeps the last pattern: most are constants.
type regexCache struct {
	fn   string
	text string
	re   *regex
}

// compile reads a Java pattern.
func (r *regexCache) compile(text string) (*regex, error) {
	if r.re != nil && r.text == text {
		return r.re, nil
	}
	re, err := compileRegex(text)
	if err != nil && (r.fn == "split" || r.fn == "str_to_map") {
		return nil, noClass("the regular expression " + clip(text) + " of " + r.fn + " is invalid: " + err.Error())
	}
	if err != nil {
		return nil, failf("INVALID_PARAMETER_VALUE.PATTERN", "the regular expression %q of %s is invalid: %v", clip(text), r.fn, err)
	}
	r.text, r.re = text, re
	return re, nil
}

func (c *call) regex() *regexCache { return &regexCache{fn: c.node.Fn} }

func rlike(c *call) (arrow.Array, error) {
	s, p, cache := c.str(0), c.str(1), c.regex()
	return c.bools(func(i int) (bool, error) {
		re, err := cache.compile(p(i))
		if err != nil {
			return false, err
		}
		return re.matches(s(i))
	})
}

// appendReplacement writes a Java replacement ($1, ${name}, \$) for a match.
func (r *regex) appendReplacement(b []byte, template, text string, loc []int) ([]byte, error) {
	for i := 0; i < len(template); i++ {
		c := template[i]
		if c == '\\' {
			if i++; i == len(template) {
				return nil, noClass("character to be escaped is missing")
			}
			b = append(b, template[i])
			continue
		}
		if c != '$' {
			b = append(b, c)
			continue
		}
		rest := template[i+1:]
		n := 0
		switch {
		case strings.HasPrefix(rest, "{"):
			name, _, closed := strings.Cut(rest[1:], "}")
			g, ok := r.java.names[name]
			if !closed || !ok {
				return nil, noClass("no group with name {" + name + "}")
			}
			n, i = g, i+len(name)+2
		case rest != "" && rest[0] >= '0' && rest[0] <= '9':
			n, i = int(rest[0]-'0'), i+1
			if n > r.groups() {
				return nil, failf("INVALID_REGEXP_REPLACE", "the replacement %q means group %s, and the pattern has %d", clip(template), rest[:1], r.groups())
			}
			for i+1 < len(template) && template[i+1] >= '0' && template[i+1] <= '9' && n*10+int(template[i+1]-'0') <= r.groups() {
				n, i = n*10+int(template[i+1]-'0'), i+1
			}
		default:
			return nil, noClass("illegal group reference")
		}
		if loc[2*n] >= 0 {
			b = append(b, text[loc[2*n]:loc[2*n+1]]...)
		}
	}
	return b, nil
}

func regexpReplace(c *call) (arrow.Array, error) {
	s, p, r, cache := c.str(0), c.str(1), c.str(2), c.regex()
	from := func(int) int64 { return 1 }
	if c.has(3) {
		from = c.int(3)
	}
	return c.strings(func(i int) (string, error) {
		re, err := cache.compile(p(i))
		if err != nil {
			return "", err
		}
		text, start := s(i), 0
		if n := from(i); n > 1 {
			start = len(firstRunes(text, n-1))
		}
		tail := text[start:]
		found, err := re.all(tail)
		if err != nil {
			return "", tooManySteps(c.node.Fn, err)
		}
		out, from := []byte(text[:start]), 0
		for _, loc := range found {
			out = append(out, tail[from:loc[0]]...)
			if out, err = re.appendReplacement(out, r(i), tail, loc); err != nil {
				return "", err
			}
			from = loc[1]
		}
		return string(append(out, tail[from:]...)), nil
	})
}

func (c *call) group() func(int) int64 {
	if c.has(2) {
		return c.int(2)
	}
	return func(int) int64 { return 1 }
}

func tooManySteps(fn string, err error) error {
	return noClass(fn + ": " + err.Error())
}

// part is the text of a group of a match, empty for one that took no part.
func part(text string, loc []int, g int64) string {
	if loc[2*g] < 0 {
		return ""
	}
	return text[loc[2*g]:loc[2*g+1]]
}

func checkGroup(re *regex, g int64, fn string) error {
	if g < 0 || g > int64(re.groups()) {
		return failf("INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX", "%s: the group index is 0 to %d, not %d", fn, re.groups(), g)
	}
	return nil
}

func regexpExtract(c *call) (arrow.Array, error) {
	s, p, group, cache := c.str(0), c.str(1), c.group(), c.regex()
	return c.strings(func(i int) (string, error) {
		re, err := cache.compile(p(i))
		if err != nil {
			return "", err
		}
		m, err := re.first(s(i))
		if err != nil {
			return "", tooManySteps(c.node.Fn, err)
		}
		if m == nil {
			return "", nil
		}
		if err := checkGroup(re, group(i), c.node.Fn); err != nil {
			return "", err
		}
		return part(s(i), m, group(i)), nil
	})
}

func regexpExtractAll(c *call) (arrow.Array, error) {
	s, p, group, cache := c.str(0), c.str(1), c.group(), c.regex()
	return c.boxed(func(i int) (any, error) {
		re, err := cache.compile(p(i))
		if err != nil {
			return nil, err
		}
		out := []any{}
		found, err := re.all(s(i))
		if err != nil {
			return nil, tooManySteps(c.node.Fn, err)
		}
		for _, m := range found {
			if err := checkGroup(re, group(i), c.node.Fn); err != nil {
				return nil, err
			}
			out = append(out, part(s(i), m, group(i)))
		}
		return out, nil
	})
}

func regexpSubstr(c *call) (arrow.Array, error) {
	s, p, cache := c.str(0), c.str(1), c.regex()
	return c.strings(func(i int) (string, error) {
		re, err := cache.compile(p(i))
		if err != nil {
			return "", err
		}
		m, err := re.first(s(i))
		if err != nil {
			return "", tooManySteps(c.node.Fn, err)
		}
		if m == nil || m[0] == m[1] {
			return "", errNull
		}
		return s(i)[m[0]:m[1]], nil
	})
}

func regexpCount(c *call) (arrow.Array, error) {
	s, p, cache := c.str(0), c.str(1), c.regex()
	return c.ints(func(i int) (int64, error) {
		re, err := cache.compile(p(i))
		if err != nil {
			return 0, err
		}
		found, err := re.all(s(i))
		if err != nil {
			return 0, tooManySteps(c.node.Fn, err)
		}
		return int64(len(found)), nil
	})
}

func regexpInstr(c *call) (arrow.Array, error) {
	s, p, cache := c.str(0), c.str(1), c.regex()
	return c.ints(func(i int) (int64, error) {
		re, err := cache.compile(p(i))
		if err != nil {
			return 0, err
		}
		m, err := re.first(s(i))
		if err != nil {
			return 0, tooManySteps(c.node.Fn, err)
		}
		if m == nil {
			return 0, nil
		}
		return runeCount(s(i)[:m[0]]) + 1, nil
	})
}

// split cuts at matches; a limit above zero bounds the number of parts.
func split(c *call) (arrow.Array, error) {
	s, p, cache := c.str(0), c.str(1), c.regex()
	limit := func(int) int64 { return -1 }
	if c.has(2) {
		limit = c.int(2)
	}
	return c.boxed(func(i int) (any, error) {
		re, err := cache.compile(p(i))
		if err != nil {
			return nil, err
		}
		text, out := s(i), []any{}
		if p(i) == "" && text != "" { // letter by letter
			rest := text
			for n := limit(i); rest != "" && !(n > 0 && int64(len(out)) == n-1); {
				_, w := utf8.DecodeRuneInString(rest)
				out, rest = append(out, rest[:w]), rest[w:]
			}
			if rest != "" {
				out = append(out, rest)
			}
			return out, nil
		}
		parts, err := re.split(text, limit(i))
		if err != nil {
			return nil, tooManySteps(c.node.Fn, err)
		}
		for _, x := range parts {
			out = append(out, x)
		}
		return out, nil
	})
}

// split cuts a text at the matches; an empty one at its start cuts nothing.
func (r *regex) split(text string, limit int64) ([]string, error) {
	found, err := r.all(text)
	if err != nil {
		return nil, err
	}
	var out []string
	from := 0
	for _, m := range found {
		if limit > 0 && int64(len(out)) == limit-1 {
			break
		}
		if m[1] == 0 {
			continue
		}
		out, from = append(out, text[from:m[0]]), m[1]
	}
	return append(out, text[from:]), nil
}
