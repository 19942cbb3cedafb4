package source

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// lexer walks over JSON text (RFC 8259, and the unquoted NaN and infinities that
// Spark accepts). Reaching the end of the text inside a value is errMore.
type lexer struct {
	b       []byte
	i       int
	depth   int
	scratch []byte
}

// maxDepth bounds the nesting of values, as the reader of Spark does.
const maxDepth = 1000

func (l *lexer) reset(b []byte) { l.b, l.i, l.depth = b, 0, 0 }

func (l *lexer) fail(format string, args ...any) error {
	return &syntaxError{fmt.Sprintf(format, args...), l.i}
}

// unexpected is the error of a byte that cannot stand where it is.
func (l *lexer) unexpected(want string) error {
	return l.fail("found %s where %s should be", describe(l.b[l.i]), want)
}

func describe(c byte) string {
	if c >= ' ' && c < 0x7f {
		return "'" + string(rune(c)) + "'"
	}
	return fmt.Sprintf("the byte 0x%02X", c)
}

// space moves to the next byte that is no white space.
func (l *lexer) space() error {
	for ; l.i < len(l.b); l.i++ {
		switch l.b[l.i] {
		case ' ', '\t', '\n', '\r':
		default:
			return nil
		}
	}
	return errMore
}

// peek is the first byte of the next value.
func (l *lexer) peek() (byte, error) {
	if l.i < len(l.b) && l.b[l.i] > ' ' {
		return l.b[l.i], nil
	}
	if err := l.space(); err != nil {
		return 0, err
	}
	return l.b[l.i], nil
}

// null reads null if it is the next value; otherwise the lexer stands at the value.
func (l *lexer) null() (bool, error) {
	c, err := l.peek()
	if err != nil || c != 'n' {
		return false, err
	}
	return true, l.word("null")
}

// word reads a literal.
func (l *lexer) word(w string) error {
	if len(l.b)-l.i < len(w) {
		if strings.HasPrefix(w, string(l.b[l.i:])) {
			return errMore
		}
		return l.unexpected("a value")
	}
	if string(l.b[l.i:l.i+len(w)]) != w {
		return l.unexpected("a value")
	}
	l.i += len(w)
	if l.i < len(l.b) && isWord(l.b[l.i]) {
		return l.unexpected("the end of " + w)
	}
	return nil
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// object reads an object; the lexer stands at the brace. value reads one value.
func (l *lexer) object(value func(key []byte) error) error {
	if l.depth++; l.depth > maxDepth {
		return l.fail("values are nested deeper than %d levels", maxDepth)
	}
	l.i++
	c, err := l.peek()
	if err != nil {
		return err
	}
	if c == '}' {
		l.i++
		l.depth--
		return nil
	}
	for {
		if c != '"' {
			return l.unexpected("a key in quotes")
		}
		key, err := l.str()
		if err != nil {
			return err
		}
		if c, err = l.peek(); err != nil {
			return err
		}
		if c != ':' {
			return l.unexpected("':'")
		}
		l.i++
		if err := value(key); err != nil {
			return err
		}
		if c, err = l.peek(); err != nil {
			return err
		}
		switch c {
		case ',':
			l.i++
			if c, err = l.peek(); err != nil {
				return err
			}
		case '}':
			l.i++
			l.depth--
			return nil
		default:
			return l.unexpected("',' or '}'")
		}
	}
}

// array reads an array; the lexer stands at the bracket. value reads one element.
func (l *lexer) array(value func() error) error {
	if l.depth++; l.depth > maxDepth {
		return l.fail("values are nested deeper than %d levels", maxDepth)
	}
	l.i++
	c, err := l.peek()
	if err != nil {
		return err
	}
	if c == ']' {
		l.i++
		l.depth--
		return nil
	}
	for {
		if err := value(); err != nil {
			return err
		}
		if c, err = l.peek(); err != nil {
			return err
		}
		switch c {
		case ',':
			l.i++
		case ']':
			l.i++
			l.depth--
			return nil
		default:
			return l.unexpected("',' or ']'")
		}
	}
}

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

// skip reads any value and checks its syntax.
func (l *lexer) skip() error {
	c, err := l.peek()
	if err != nil {
		return err
	}
	switch c {
	case '"':
		_, err = l.str()
	case '{':
		err = l.object(func([]byte) error { return l.skip() })
	case '[':
		err = l.array(l.skip)
	case 't':
		err = l.word("true")
	case 'f':
		err = l.word("false")
	case 'n':
		err = l.word("null")
	default:
		if c == '-' || c == '+' || c-'0' <= 9 {
			_, _, err = l.number()
		} else if n := l.special(); n > 0 {
			l.i += n
		} else if c == 'N' || c == 'I' {
			err = l.partOfSpecial()
		} else {
			err = l.unexpected("a value")
		}
	}
	return err
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

// misfit is the error of a well-formed value whose type is not the column's. The
// lexer stands at the value.
func (l *lexer) misfit(want string) error {
	start := l.i
	if err := l.skip(); err != nil {
		return err
	}
	return &valueError{msg: kindOf(l.b[start]) + " " + clip(l.b[start:l.i], 60) + " cannot be read as " + want, at: start}
}

func kindOf(c byte) string {
	switch c {
	case '"':
		return "the string"
	case '{':
		return "the object"
	case '[':
		return "the array"
	case 't', 'f':
		return "the boolean"
	}
	return "the number"
}
