package eval

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// javaParser reads the syntax of java.util.regex.Pattern.
type javaParser struct {
	s      string
	at     int
	groups int
	names  map[string]int
	fold   bool // (?i)
	dotAll bool // (?s)
	multi  bool // (?m)
	depth  int
}

func parseJavaPattern(s string) (*javaPattern, error) {
	p := &javaParser{s: s, names: map[string]int{}}
	x, err := p.alternatives()
	if err != nil {
		return nil, err
	}
	if p.at < len(s) {
		return nil, fmt.Errorf("unmatched ) at %d", p.at)
	}
	return &javaPattern{start: x, groups: p.groups, names: p.names}, nil
}

func (p *javaParser) peek() rune {
	if p.at >= len(p.s) {
		return -1
	}
	r, _ := utf8.DecodeRuneInString(p.s[p.at:])
	return r
}

func (p *javaParser) next() rune {
	r, n := utf8.DecodeRuneInString(p.s[p.at:])
	p.at += n
	return r
}

func (p *javaParser) accept(text string) bool {
	if strings.HasPrefix(p.s[p.at:], text) {
		p.at += len(text)
		return true
	}
	return false
}

func (p *javaParser) alternatives() (matcher, error) {
	if p.depth++; p.depth > 200 {
		return nil, fmt.Errorf("nested deeper than 200 groups")
	}
	defer func() { p.depth-- }()
	fold, dotAll, multi := p.fold, p.dotAll, p.multi
	defer func() { p.fold, p.dotAll, p.multi = fold, dotAll, multi }()
	var list []matcher
	for {
		x, err := p.branch()
		if err != nil {
			return nil, err
		}
		list = append(list, x)
		if !p.accept("|") {
			return choiceOf(list), nil
		}
	}
}

func (p *javaParser) branch() (matcher, error) {
	var list []matcher
	for p.at < len(p.s) && p.peek() != '|' && p.peek() != ')' {
		x, set, err := p.atom()
		if err != nil {
			return nil, err
		}
		if x, err = p.repeated(x, set); err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	return sequenceOf(list), nil
}

// repeated takes the quantifiers after an atom; set is given when it is one character.
func (p *javaParser) repeated(x matcher, set func(rune) bool) (matcher, error) {
	low, high := 0, -1
	switch {
	case p.accept("*"):
	case p.accept("+"):
		low = 1
	case p.accept("?"):
		high = 1
	case p.peek() == '{':
		p.at++
		end := strings.IndexByte(p.s[p.at:], '}')
		if end < 0 {
			return nil, fmt.Errorf("a { is not closed")
		}
		from, to, comma := strings.Cut(p.s[p.at:p.at+end], ",")
		p.at += end + 1
		var err error
		if low, err = strconv.Atoi(from); err != nil || low < 0 {
			return nil, fmt.Errorf("illegal repetition")
		}
		if !comma {
			high = low
		} else if to != "" {
			if high, err = strconv.Atoi(to); err != nil || high < low {
				return nil, fmt.Errorf("illegal repetition range")
			}
		}
		if low > 1<<16 || high > 1<<16 {
			return nil, fmt.Errorf("a repetition of more than 65536")
		}
	default:
		return x, nil
	}
	switch {
	case p.accept("?"):
		x = manyTimes(x, low, high, true)
	case p.accept("+"):
		x = atomic(greedy(x, set, low, high))
	default:
		x = greedy(x, set, low, high)
	}
	if c := p.peek(); c == '*' || c == '+' || c == '?' {
		return nil, fmt.Errorf("dangling meta character %q near index %d", c, p.at)
	}
	return x, nil
}

func greedy(x matcher, set func(rune) bool, low, high int) matcher {
	if set != nil {
		return repeatOne(set, low, high)
	}
	return manyTimes(x, low, high, false)
}

func (p *javaParser) char(r rune) (matcher, func(rune) bool, error) {
	set := func(c rune) bool { return c == r }
	if p.fold && r < 128 && unicode.IsLetter(r) {
		low, up := unicode.ToLower(r), unicode.ToUpper(r)
		set = func(c rune) bool { return c == low || c == up }
	}
	return one(set), set, nil
}

func (p *javaParser) set(set func(rune) bool) (matcher, func(rune) bool, error) {
	return one(set), set, nil
}

func (p *javaParser) atom() (matcher, func(rune) bool, error) {
	switch c := p.next(); c {
	case '.':
		if p.dotAll {
			return p.set(func(rune) bool { return true })
		}
		return p.set(func(r rune) bool { return !lineEnd(r) })
	case '^':
		if p.multi {
			return where(func(m *javaMatch, at int) bool {
				return at == 0 || at < len(m.text) && lineEnd(lastRune(m.text[:at])) && !(m.text[at] == '\n' && m.text[at-1] == '\r')
			}), nil, nil
		}
		return where(func(_ *javaMatch, at int) bool { return at == 0 }), nil, nil
	case '$':
		if p.multi {
			return where(func(m *javaMatch, at int) bool {
				r, n := utf8.DecodeRuneInString(m.text[at:])
				return n == 0 || lineEnd(r) && !(r == '\n' && at > 0 && m.text[at-1] == '\r')
			}), nil, nil
		}
		return where(lastLine), nil, nil
	case '[':
		set, err := p.class()
		if err != nil {
			return nil, nil, err
		}
		return p.set(set)
	case '(':
		x, err := p.group()
		return x, nil, err
	case '*', '+', '?':
		return nil, nil, fmt.Errorf("dangling meta character %q near index %d", c, p.at-1)
	case '\\':
		return p.escape()
	case '{':
		return nil, nil, fmt.Errorf("illegal repetition near index %d", p.at-1)
	default:
		return p.char(c)
	}
}

func lastRune(s string) rune { r, _ := utf8.DecodeLastRuneInString(s); return r }

func (p *javaParser) group() (matcher, error) {
	wrap := func(x matcher) matcher { return x }
	switch {
	case p.accept("?:"):
	case p.accept("?="):
		wrap = func(x matcher) matcher { return lookahead(x, true) }
	case p.accept("?!"):
		wrap = func(x matcher) matcher { return lookahead(x, false) }
	case p.accept("?<="):
		wrap = func(x matcher) matcher { return lookbehind(x, true) }
	case p.accept("?<!"):
		wrap = func(x matcher) matcher { return lookbehind(x, false) }
	case p.accept("?>"):
		wrap = atomic
	case p.accept("?<"):
		end := strings.IndexByte(p.s[p.at:], '>')
		if end <= 0 {
			return nil, fmt.Errorf("the name of a group is not closed")
		}
		name := p.s[p.at : p.at+end]
		if _, twice := p.names[name]; twice {
			return nil, fmt.Errorf("the group %q is named twice", name)
		}
		p.at += end + 1
		p.groups++
		n := p.groups
		p.names[name] = n
		wrap = func(x matcher) matcher { return group(n, x) }
	case p.accept("?"):
		return p.flags()
	default:
		p.groups++
		n := p.groups
		wrap = func(x matcher) matcher { return group(n, x) }
	}
	x, err := p.alternatives()
	if err != nil {
		return nil, err
	}
	if !p.accept(")") {
		return nil, fmt.Errorf("unclosed group near index %d", p.at)
	}
	return wrap(x), nil
}

// flags takes (?i) for the rest of the group around, or (?i:...).
func (p *javaParser) flags() (matcher, error) {
	fold, dotAll, multi, on := p.fold, p.dotAll, p.multi, true
	for {
		switch c := p.next(); c {
		case '-':
			on = false
		case 'i':
			p.fold = on
		case 's':
			p.dotAll = on
		case 'm':
			p.multi = on
		case 'u', 'U', 'd':
		case ')':
			return empty, nil
		case ':':
			x, err := p.alternatives()
			p.fold, p.dotAll, p.multi = fold, dotAll, multi
			if err == nil && !p.accept(")") {
				err = fmt.Errorf("unclosed group near index %d", p.at)
			}
			return x, err
		default:
			return nil, fmt.Errorf("unknown inline modifier near index %d", p.at-1)
		}
	}
}

func (p *javaParser) escape() (matcher, func(rune) bool, error) {
	if p.at >= len(p.s) {
		return nil, nil, fmt.Errorf("a \\ stands at the end")
	}
	c := p.next()
	switch c {
	case 'A':
		return where(func(_ *javaMatch, at int) bool { return at == 0 }), nil, nil
	case 'z':
		return where(func(m *javaMatch, at int) bool { return at == len(m.text) }), nil, nil
	case 'Z':
		return where(lastLine), nil, nil
	case 'G':
		return where(func(m *javaMatch, at int) bool { return at == m.last }), nil, nil
	case 'b':
		return where(borders), nil, nil
	case 'B':
		return where(func(m *javaMatch, at int) bool { return !borders(m, at) }), nil, nil
	case 'R':
		pair := sequenceOf([]matcher{one(func(r rune) bool { return r == '\r' }), one(func(r rune) bool { return r == '\n' })})
		return choiceOf([]matcher{pair, one(func(r rune) bool { return r == 0x0b || r == 0x0c || lineEnd(r) })}), nil, nil
	case 'Q':
		text := p.s[p.at:]
		if end := strings.Index(text, `\E`); end >= 0 {
			text, p.at = text[:end], p.at+end+2
		} else {
			p.at = len(p.s)
		}
		var list []matcher
		for _, r := range text {
			x, _, _ := p.char(r)
			list = append(list, x)
		}
		return sequenceOf(list), nil, nil
	case 'k':
		end := strings.IndexByte(p.s[p.at:], '>')
		if !p.accept("<") || end < 0 {
			return nil, nil, fmt.Errorf("\\k is not followed by a name")
		}
		n, ok := p.names[p.s[p.at:p.at+end-1]]
		p.at += end
		if !ok {
			return nil, nil, fmt.Errorf("\\k names a group that does not exist")
		}
		return backReference(n, p.fold), nil, nil
	}
	if c >= '1' && c <= '9' {
		n := int(c - '0')
		for p.at < len(p.s) && p.s[p.at] >= '0' && p.s[p.at] <= '9' && n*10+int(p.s[p.at]-'0') <= p.groups {
			n = n*10 + int(p.s[p.at]-'0')
			p.at++
		}
		return backReference(n, p.fold), nil, nil
	}
	if set, err := p.shorthand(c); set != nil || err != nil {
		if err != nil {
			return nil, nil, err
		}
		return p.set(set)
	}
	r, err := p.charEscape(c)
	if err != nil {
		return nil, nil, err
	}
	return p.char(r)
}

// charEscape is the character of \n, \x41, \u0041 and their kin; other letters mean nothing.
func (p *javaParser) charEscape(c rune) (rune, error) {
	hex := func(n int) (rune, error) {
		if p.at+n > len(p.s) {
			return 0, fmt.Errorf("too few digits after \\%c", c)
		}
		v, err := strconv.ParseUint(p.s[p.at:p.at+n], 16, 32)
		p.at += n
		return rune(v), err
	}
	switch c {
	case 'n':
		return '\n', nil
	case 't':
		return '\t', nil
	case 'r':
		return '\r', nil
	case 'f':
		return '\f', nil
	case 'a':
		return 7, nil
	case 'e':
		return 27, nil
	case 'c':
		return p.next() ^ 64, nil
	case 'u':
		return hex(4)
	case '0':
		end := p.at
		for end < len(p.s) && end < p.at+3 && p.s[end] >= '0' && p.s[end] <= '7' {
			end++
		}
		v, err := strconv.ParseUint(p.s[p.at:end], 8, 16)
		p.at = end
		return rune(v), err
	case 'x':
		if p.accept("{") {
			end := strings.IndexByte(p.s[p.at:], '}')
			if end < 0 {
				return 0, fmt.Errorf("\\x{ is not closed")
			}
			r, err := hex(end)
			p.at++
			return r, err
		}
		return hex(2)
	}
	if c < 128 && unicode.IsLetter(c) {
		return 0, fmt.Errorf("illegal escape sequence \\%c near index %d", c, p.at-1)
	}
	return c, nil
}
