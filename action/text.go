package action

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// Text is the inside of a JSON string as it stands in the log. The zero value
// is the empty text.
type Text struct {
	raw     []byte
	escaped bool
}

// Plain is the text whose decoded form is b.
func Plain(b []byte) Text { return Text{raw: b} }

// Empty reports whether the text has no characters.
func (t Text) Empty() bool { return len(t.raw) == 0 }

// Plain returns the decoded bytes when they stand in the log as they are, with no escape.
func (t Text) Plain() ([]byte, bool) { return t.raw, !t.escaped }

// String decodes the text.
func (t Text) String() string {
	if !t.escaped {
		return string(t.raw)
	}
	return string(t.Append(nil))
}

// Is compares the decoded text.
func (t Text) Is(s string) bool {
	if t.escaped {
		return t.String() == s
	}
	return string(t.raw) == s
}

// Append appends the decoded text.
func (t Text) Append(dst []byte) []byte {
	if !t.escaped {
		return append(dst, t.raw...)
	}
	b := t.raw
	n := len(dst)
	dst = slices.Grow(dst, len(b)+8)[:n+len(b)+8]
	for i := 0; i < len(b); {
		// Copy eight bytes and keep those before the first backslash.
		if i+8 <= len(b) {
			w := binary.LittleEndian.Uint64(b[i:])
			binary.LittleEndian.PutUint64(dst[n:], w)
			w ^= 0x0101010101010101 * '\\'
			m := (w - 0x0101010101010101) & ^w & 0x8080808080808080
			if m == 0 {
				i, n = i+8, n+8
				continue
			}
			k := bits.TrailingZeros64(m) >> 3
			i, n = i+k, n+k
		}
		c := b[i]
		if c != '\\' {
			dst[n] = c
			i, n = i+1, n+1
			continue
		}
		c = b[i+1]
		i += 2
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r := hex4(b[i:])
			i += 4
			if utf16.IsSurrogate(r) {
				pair := rune(utf8.RuneError)
				if i+6 <= len(b) && b[i] == '\\' && b[i+1] == 'u' {
					pair = utf16.DecodeRune(r, hex4(b[i+2:]))
				}
				if r = pair; pair != utf8.RuneError {
					i += 6
				}
			}
			n += utf8.EncodeRune(dst[n:], r) // never longer than its escape
			continue
		}
		dst[n] = c
		n++
	}
	return dst[:n]
}

// escapeLen is the length of the escape that starts at b[i], a backslash; 0
// when it is malformed.
func escapeLen(b []byte, i int) int {
	if i+1 >= len(b) {
		return 0
	}
	switch b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if hex4(b[min(i+2, len(b)):]) >= 0 {
			return 6
		}
	}
	return 0
}

// hex4 reads four hexadecimal digits, -1 when they are not.
func hex4(b []byte) rune {
	if len(b) < 4 {
		return -1
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// AppendQuoted appends s as a JSON string the way the reference does: only
// quotes, backslashes and control characters are escaped.
func AppendQuoted(dst []byte, s string) []byte { return appendQuoted(dst, s, "0123456789ABCDEF") }

// AppendQuotedLower is AppendQuoted with lower-case digits in \u escapes, as in
// canonical rows.
func AppendQuotedLower(dst []byte, s string) []byte { return appendQuoted(dst, s, "0123456789abcdef") }

func appendQuoted(dst []byte, s, hex string) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}
