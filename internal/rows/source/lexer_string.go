package source

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// str reads a string; the lexer stands at the quote. The result is valid until the
// next call.
func (l *lexer) str() ([]byte, error) {
	start := l.i + 1
	i := start
	var high uint64
	for i+8 <= len(l.b) {
		w := binary.LittleEndian.Uint64(l.b[i:])
		q, s := w^(ones*'"'), w^(ones*'\\')
		// A byte below 0x20, a quote, a backslash: each leaves the high bit of its byte.
		hit := ((q - ones) &^ q) | ((s - ones) &^ s) | ((w - ones*0x20) &^ w)
		if hit &= highs; hit != 0 {
			n := bits.TrailingZeros64(hit) >> 3
			high |= w & (1<<(8*n) - 1)
			i += n
			return l.strEnd(start, i, high&highs != 0)
		}
		high |= w
		i += 8
	}
	ascii := high&highs == 0
	for ; i < len(l.b); i++ {
		switch c := l.b[i]; {
		case c == '"' || c == '\\' || c < 0x20:
			return l.strEnd(start, i, !ascii)
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return nil, errMore
}

// strEnd looks at the byte that ended the plain part of a string.
func (l *lexer) strEnd(start, i int, wide bool) ([]byte, error) {
	switch c := l.b[i]; {
	case c == '"':
		s := l.b[start:i]
		if wide && !utf8.Valid(s) {
			return nil, l.fail("a string is not valid UTF-8")
		}
		l.i = i + 1
		return s, nil
	case c == '\\':
		return l.strEscaped(start, i)
	}
	l.i = i
	return nil, l.fail("a string holds %s, which must be escaped", describe(l.b[i]))
}

// strEscaped reads a string that has escapes; the first is at i.
func (l *lexer) strEscaped(start, i int) ([]byte, error) {
	out := append(l.scratch[:0], l.b[start:i]...)
	for i < len(l.b) {
		c := l.b[i]
		switch {
		case c == '"':
			l.scratch = out
			if !utf8.Valid(out) {
				return nil, l.fail("a string is not valid UTF-8")
			}
			l.i = i + 1
			return out, nil
		case c < 0x20:
			l.i = i
			return nil, l.fail("a string holds %s, which must be escaped", describe(c))
		case c != '\\':
			out = append(out, c)
			i++
			continue
		}
		if i+1 >= len(l.b) {
			return nil, errMore
		}
		switch e := l.b[i+1]; e {
		case '"', '\\', '/':
			out = append(out, e)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, n, err := l.unicode(i)
			if err != nil {
				return nil, err
			}
			out = utf8.AppendRune(out, r)
			i += n
			continue
		default:
			l.i = i
			return nil, l.fail("a string holds the unknown escape \\%s", clip(l.b[i+1:i+2], 1))
		}
		i += 2
	}
	return nil, errMore
}

// unicode reads \uXXXX at i, and the second half of a surrogate pair; half a pair
// is U+FFFD.
func (l *lexer) unicode(i int) (rune, int, error) {
	r, err := l.hex(i)
	if err != nil {
		return 0, 0, err
	}
	if !utf16.IsSurrogate(r) {
		return r, 6, nil
	}
	if i+6 >= len(l.b) || l.b[i+6] == '\\' && i+7 >= len(l.b) {
		return 0, 0, errMore
	}
	if l.b[i+6] == '\\' && l.b[i+7] == 'u' {
		second, err := l.hex(i + 6)
		if err != nil {
			return 0, 0, err
		}
		if pair := utf16.DecodeRune(r, second); pair != utf8.RuneError {
			return pair, 12, nil
		}
	}
	return utf8.RuneError, 6, nil
}

func (l *lexer) hex(i int) (rune, error) {
	if i+6 > len(l.b) {
		return 0, errMore
	}
	var r rune
	for _, c := range l.b[i+2 : i+6] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			l.i = i
			return 0, l.fail("\\u is not followed by four hexadecimal digits")
		}
	}
	return r, nil
}
