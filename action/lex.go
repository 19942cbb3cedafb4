package action

import (
	"encoding/binary"
	"math/bits"
)

// maxDepth bounds the nesting of a value: a log is untrusted input.
const maxDepth = 500

// lexer walks over one JSON text. The first failure is kept and moves the
// position to the end, so that loops end by themselves.
type lexer struct {
	b   []byte
	i   int
	msg string // the first failure, "" while all is well
	at  int    // where it happened
}

func (l *lexer) fail(msg string) {
	if l.msg == "" {
		l.msg, l.at = msg, min(l.i, len(l.b))
	}
	l.i = len(l.b)
}

func (l *lexer) failed() bool { return l.msg != "" }

func (l *lexer) space() {
	for l.i < len(l.b) {
		switch l.b[l.i] {
		case ' ', '\t', '\r', '\n':
			l.i++
		default:
			return
		}
	}
}

// peek returns the next byte that is not white space, 0 at the end.
func (l *lexer) peek() byte {
	if l.i < len(l.b) {
		if c := l.b[l.i]; c > ' ' {
			return c
		}
	}
	l.space()
	if l.i < len(l.b) {
		return l.b[l.i]
	}
	return 0
}

// quoteEnd returns the index of the closing quote of a string whose contents
// start at i, and whether an escape occurs in it; -1 when it does not end, or
// holds a control character or a malformed escape.
func quoteEnd(b []byte, i int) (end int, escaped bool) {
	const (
		lo = 0x0101010101010101
		hi = 0x8080808080808080
	)
	for {
		for i+8 <= len(b) {
			w := binary.LittleEndian.Uint64(b[i:])
			q := w ^ (lo * '"')
			s := w ^ (lo * '\\')
			m := ((q - lo) & ^q) | ((s - lo) & ^s) | ((w - lo*0x20) & ^w)
			if m &= hi; m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				goto special
			}
			i += 8
		}
		for i < len(b) && b[i] != '"' && b[i] != '\\' && b[i] >= 0x20 {
			i++
		}
		if i >= len(b) {
			return -1, escaped
		}
	special:
		switch b[i] {
		case '"':
			return i, escaped
		case '\\':
			escaped = true
			n := 2
			if i+1 >= len(b) || b[i+1] != '"' {
				if n = escapeLen(b, i); n == 0 {
					return -1, escaped
				}
			}
			i += n
		default:
			return -1, escaped
		}
	}
}

// text consumes a string.
func (l *lexer) text() Text {
	if l.peek() != '"' {
		l.fail("a string is missing")
		return Text{}
	}
	start := l.i + 1
	end, esc := quoteEnd(l.b, start)
	if end < 0 {
		l.fail("a string does not end, or holds a control character or a malformed escape")
		return Text{}
	}
	l.i = end + 1
	return Text{raw: l.b[start:end:end], escaped: esc}
}

// value consumes any value and returns its text.
func (l *lexer) value() []byte {
	l.peek()
	start := l.i
	l.skip(0)
	if l.failed() {
		return nil
	}
	return l.b[start:l.i:l.i]
}

// skip consumes any value.
func (l *lexer) skip(depth int) {
	if depth > maxDepth {
		l.fail("nested too deep")
		return
	}
	switch c := l.peek(); {
	case c == '"':
		l.text()
	case c == '{':
		for ok := l.open('{', '}'); ok; ok = l.more('}') {
			l.key()
			l.skip(depth + 1)
		}
	case c == '[':
		for ok := l.open('[', ']'); ok; ok = l.more(']') {
			l.skip(depth + 1)
		}
	case c == '-' || c >= '0' && c <= '9':
		l.number()
	case c == 't':
		l.word("true")
	case c == 'f':
		l.word("false")
	case c == 'n':
		l.word("null")
	default:
		l.fail("a value is missing")
	}
}

func (l *lexer) word(w string) bool {
	if len(l.b)-l.i < len(w) || string(l.b[l.i:l.i+len(w)]) != w {
		l.fail("a value is malformed")
		return false
	}
	l.i += len(w)
	return true
}

// null consumes null if it is next.
func (l *lexer) null() bool { return l.peek() == 'n' && l.word("null") }

func digits(b []byte, i int) int {
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	return i
}

// number consumes a number and returns its text.
func (l *lexer) number() []byte {
	b, start := l.b, l.i
	i := start
	if i < len(b) && b[i] == '-' {
		i++
	}
	n := digits(b, i)
	bad := n == i || b[i] == '0' && n > i+1
	i = n
	if i < len(b) && b[i] == '.' {
		n = digits(b, i+1)
		bad = bad || n == i+1
		i = n
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		n = digits(b, i)
		bad = bad || n == i
		i = n
	}
	if bad {
		l.fail("a number is malformed")
		return nil
	}
	l.i = i
	return b[start:i:i]
}

// open and more walk an object or an array:
//
//	for ok := l.open('{', '}'); ok; ok = l.more('}') { key := l.key(); ... value ... }
func (l *lexer) open(open, end byte) bool {
	if l.peek() != open {
		l.fail("a '" + string(open) + "' is missing")
		return false
	}
	l.i++
	if l.peek() == end {
		l.i++
		return false
	}
	return true
}

func (l *lexer) more(end byte) bool {
	switch l.peek() {
	case ',':
		l.i++
		return true
	case end:
		l.i++
		return false
	}
	l.fail("a comma or a closing bracket is missing")
	return false
}

// key consumes the name of a member and the colon behind it.
func (l *lexer) key() Text {
	t := l.text()
	if l.peek() != ':' {
		l.fail("a colon is missing")
		return Text{}
	}
	l.i++
	return t
}
