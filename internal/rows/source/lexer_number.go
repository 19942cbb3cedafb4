package source

import "strings"

// number reads a number; whole tells that it has neither fraction nor exponent.
func (l *lexer) number() (text []byte, whole bool, err error) {
	i := l.i
	if i < len(l.b) && (l.b[i] == '-' || l.b[i] == '+') {
		if n := l.special(); n > 0 {
			text, l.i = l.b[l.i:l.i+n], l.i+n
			return text, false, nil
		}
		if l.b[i] == '+' {
			return nil, false, l.unexpected("a value")
		}
		i++
	}
	digits := func() int {
		from := i
		for i < len(l.b) && l.b[i]-'0' <= 9 {
			i++
		}
		return i - from
	}
	first := i
	whole = true
	if n := digits(); n == 0 {
		return nil, false, l.badNumber(i)
	} else if n > 1 && l.b[first] == '0' {
		return nil, false, l.fail("a number has leading zeros")
	}
	if i < len(l.b) && l.b[i] == '.' {
		whole = false
		i++
		if digits() == 0 {
			return nil, false, l.badNumber(i)
		}
	}
	if i < len(l.b) && l.b[i]|0x20 == 'e' {
		whole = false
		i++
		if i < len(l.b) && (l.b[i] == '-' || l.b[i] == '+') {
			i++
		}
		if digits() == 0 {
			return nil, false, l.badNumber(i)
		}
	}
	if i == len(l.b) {
		return nil, false, errMore
	}
	if isWord(l.b[i]) {
		return nil, false, l.badNumber(i)
	}
	text, l.i = l.b[l.i:i], i
	return text, whole, nil
}

func (l *lexer) badNumber(i int) error {
	if i >= len(l.b) {
		return errMore
	}
	l.i = i
	return l.unexpected("a digit")
}

// specials are the numbers that JSON has no notation for.
var specials = []string{"NaN", "Infinity", "-Infinity", "+Infinity", "INF", "-INF", "+INF"}

// special is the length of such a number at the lexer, or 0.
func (l *lexer) special() int {
	for _, s := range specials {
		if n := l.i + len(s); n < len(l.b) && string(l.b[l.i:n]) == s && !isWord(l.b[n]) {
			return len(s)
		}
	}
	return 0
}

// partOfSpecial tells a special number that the text cuts off from a wrong word.
func (l *lexer) partOfSpecial() error {
	for _, s := range specials {
		if strings.HasPrefix(s, string(l.b[l.i:])) {
			return errMore
		}
	}
	return l.unexpected("a value")
}
