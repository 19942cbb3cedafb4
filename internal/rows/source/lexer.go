package source

import (
	"fmt"
	"strings"
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
