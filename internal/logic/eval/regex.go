package eval

import (
	"regexp"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

func init() {
	register(map[string]func(*call) (arrow.Array, error){
		"rlike": rlike, "regexp_replace": regexpReplace, "regexp_extract": regexpExtract, "regexp_extract_all": regexpExtractAll,
		"regexp_substr": regexpSubstr, "regexp_count": regexpCount, "regexp_instr": regexpInstr, "split": split,
	})
}

// regexCache keeps the last pattern: most are constants.
type regexCache struct {
	fn   string
	text string
	re   *regexp.Regexp
}

// compile reads a Java pattern as far as Go's engine knows it (no look-around, no
// back-references).
func (r *regexCache) compile(text string) (*regexp.Regexp, error) {
	if r.re != nil && r.text == text {
		return r.re, nil
	}
	re, err := regexp.Compile(text)
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
		return re.MatchString(s(i)), nil
	})
}

// goTemplate turns a Java replacement ($1, \$) into Go's (${1}, $$).
func goTemplate(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
			if s[i] == '$' {
				b.WriteByte('$')
			}
			b.WriteByte(s[i])
		case c == '$' && i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9':
			b.WriteString("${" + s[i+1:i+2] + "}")
			i++
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
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
		return text[:start] + re.ReplaceAllString(text[start:], goTemplate(r(i))), nil
	})
}

func (c *call) group() func(int) int64 {
	if c.has(2) {
		return c.int(2)
	}
	return func(int) int64 { return 1 }
}

func checkGroup(re *regexp.Regexp, g int64, fn string) error {
	if g < 0 || g > int64(re.NumSubexp()) {
		return failf("INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX", "%s: the group index is 0 to %d, not %d", fn, re.NumSubexp(), g)
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
		m := re.FindStringSubmatch(s(i))
		if m == nil {
			return "", nil
		}
		if err := checkGroup(re, group(i), c.node.Fn); err != nil {
			return "", err
		}
		return m[group(i)], nil
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
		for _, m := range re.FindAllStringSubmatch(s(i), -1) {
			if err := checkGroup(re, group(i), c.node.Fn); err != nil {
				return nil, err
			}
			out = append(out, m[group(i)])
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
		m := re.FindString(s(i))
		if m == "" {
			return "", errNull
		}
		return m, nil
	})
}

func regexpCount(c *call) (arrow.Array, error) {
	s, p, cache := c.str(0), c.str(1), c.regex()
	return c.ints(func(i int) (int64, error) {
		re, err := cache.compile(p(i))
		if err != nil {
			return 0, err
		}
		return int64(len(re.FindAllStringIndex(s(i), -1))), nil
	})
}

func regexpInstr(c *call) (arrow.Array, error) {
	s, p, cache := c.str(0), c.str(1), c.regex()
	return c.ints(func(i int) (int64, error) {
		re, err := cache.compile(p(i))
		if err != nil {
			return 0, err
		}
		m := re.FindStringIndex(s(i))
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
		text, out, from := s(i), []any{}, 0
		for _, m := range re.FindAllStringIndex(text, -1) {
			if n := limit(i); n > 0 && int64(len(out)) == n-1 {
				break
			}
			if m[1] == 0 || (m[0] == m[1] && m[0] == len(text)) { // no empty part at the edges for an empty match
				continue
			}
			out, from = append(out, text[from:m[0]]), m[1]
		}
		return append(out, text[from:]), nil
	})
}
