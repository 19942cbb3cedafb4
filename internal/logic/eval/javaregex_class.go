package eval

import (
	"fmt"
	"strings"
	"unicode"
)

// class reads what follows [: characters, ranges, classes inside, and intersections.
func (p *javaParser) class() (func(rune) bool, error) {
	if p.depth++; p.depth > 200 {
		return nil, fmt.Errorf("classes nested deeper than 200")
	}
	defer func() { p.depth-- }()
	negated := p.accept("^")
	var sides []func(rune) bool // of &&
	var parts []func(rune) bool
	any := func(list []func(rune) bool) func(rune) bool {
		return func(r rune) bool {
			for _, f := range list {
				if f(r) {
					return true
				}
			}
			return false
		}
	}
	for first := true; ; first = false {
		if p.at >= len(p.s) {
			return nil, fmt.Errorf("unclosed character class near index %d", p.at)
		}
		switch {
		case p.peek() == ']' && !first:
			p.at++
			sides = append(sides, any(parts))
			return func(r rune) bool {
				for _, f := range sides {
					if !f(r) {
						return negated
					}
				}
				return !negated
			}, nil
		case p.accept("&&"):
			sides, parts = append(sides, any(parts)), nil
			continue
		case p.accept("["):
			inner, err := p.class()
			if err != nil {
				return nil, err
			}
			parts = append(parts, inner)
			continue
		}
		low, set, err := p.classChar()
		if err != nil {
			return nil, err
		}
		if set != nil {
			parts = append(parts, set)
			continue
		}
		high := low
		if p.peek() == '-' && p.at+1 < len(p.s) && p.s[p.at+1] != ']' && p.s[p.at+1] != '[' {
			p.at++
			if high, set, err = p.classChar(); err != nil {
				return nil, err
			}
			if set != nil || high < low {
				return nil, fmt.Errorf("illegal character range near index %d", p.at)
			}
		}
		fold := p.fold
		parts = append(parts, func(r rune) bool {
			if r >= low && r <= high {
				return true
			}
			if fold && r < 128 {
				l, u := unicode.ToLower(r), unicode.ToUpper(r)
				return l >= low && l <= high || u >= low && u <= high
			}
			return false
		})
	}
}

// classChar is one character of a class, or the set that an escape stands for.
func (p *javaParser) classChar() (rune, func(rune) bool, error) {
	c := p.next()
	if c != '\\' {
		return c, nil, nil
	}
	if p.at >= len(p.s) {
		return 0, nil, fmt.Errorf("a \\ stands at the end")
	}
	c = p.next()
	if set, err := p.shorthand(c); set != nil || err != nil {
		return 0, set, err
	}
	r, err := p.charEscape(c)
	return r, nil, err
}

// shorthand is the set of \d, \w, \s, \h, \v, \p{...} and their opposites.
func (p *javaParser) shorthand(c rune) (func(rune) bool, error) {
	var set func(rune) bool
	switch unicode.ToLower(c) {
	case 'd':
		set = func(r rune) bool { return r >= '0' && r <= '9' }
	case 'w':
		set = wordRune
	case 's':
		set = func(r rune) bool { return r == ' ' || r >= '\t' && r <= '\r' }
	case 'h':
		set = func(r rune) bool {
			return r == ' ' || r == '\t' || r == 0xa0 || r == 0x1680 || r == 0x180e || r >= 0x2000 && r <= 0x200a || r == 0x202f || r == 0x205f || r == 0x3000
		}
	case 'v':
		set = func(r rune) bool { return r == 0x0b || r == 0x0c || lineEnd(r) }
	case 'p':
		var err error
		if set, err = p.property(); err != nil {
			return nil, err
		}
	default:
		return nil, nil
	}
	if unicode.IsUpper(c) {
		return func(r rune) bool { return !set(r) }, nil
	}
	return set, nil
}

var posixClasses = map[string]func(rune) bool{
	"Lower": func(r rune) bool { return r >= 'a' && r <= 'z' }, "Upper": func(r rune) bool { return r >= 'A' && r <= 'Z' },
	"ASCII": func(r rune) bool { return r < 128 }, "Digit": func(r rune) bool { return r >= '0' && r <= '9' },
	"Alpha": func(r rune) bool { return wordRune(r) && r != '_' && !(r >= '0' && r <= '9') },
	"Alnum": func(r rune) bool { return wordRune(r) && r != '_' },
	"Punct": func(r rune) bool { return r > 32 && r < 127 && (!wordRune(r) || r == '_') },
	"Graph": func(r rune) bool { return r > 32 && r < 127 }, "Print": func(r rune) bool { return r >= 32 && r < 127 },
	"Blank": func(r rune) bool { return r == ' ' || r == '\t' }, "Cntrl": func(r rune) bool { return r < 32 || r == 127 },
	"XDigit":        func(r rune) bool { return strings.ContainsRune("0123456789abcdefABCDEF", r) },
	"Space":         func(r rune) bool { return r == ' ' || r >= '\t' && r <= '\r' },
	"javaLowerCase": unicode.IsLower, "javaUpperCase": unicode.IsUpper, "javaWhitespace": unicode.IsSpace,
	"IsAlphabetic": unicode.IsLetter, "IsLetter": unicode.IsLetter, "IsDigit": unicode.IsDigit, "IsLowercase": unicode.IsLower,
	"IsUppercase": unicode.IsUpper, "IsPunctuation": unicode.IsPunct, "IsWhite_Space": unicode.IsSpace,
}

// property reads {name} or one letter after \p.
func (p *javaParser) property() (func(rune) bool, error) {
	name := ""
	if p.accept("{") {
		end := strings.IndexByte(p.s[p.at:], '}')
		if end < 0 {
			return nil, fmt.Errorf("\\p{ is not closed")
		}
		name = p.s[p.at : p.at+end]
		p.at += end + 1
	} else if p.at < len(p.s) {
		name = string(p.next())
	}
	if f, ok := posixClasses[name]; ok {
		return f, nil
	}
	short := name
	for _, prefix := range []string{"Is", "gc=", "general_category=", "sc=", "script=", "IsScript="} {
		short = strings.TrimPrefix(short, prefix)
	}
	if t, ok := unicode.Categories[short]; ok {
		return func(r rune) bool { return unicode.Is(t, r) }, nil
	}
	if t, ok := unicode.Scripts[short]; ok {
		return func(r rune) bool { return unicode.Is(t, r) }, nil
	}
	return nil, fmt.Errorf("unknown character property {%s}", name)
}
