package expr

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// textToken scans a string literal whose quote is at open; raw literals keep backslashes.
// A doubled quote stands for itself.
func textToken(src string, pos, open int, raw bool) Token {
	quote := src[open]
	var b strings.Builder
	for i := open + 1; i < len(src); {
		c := src[i]
		switch {
		case c == quote:
			if i+1 >= len(src) || src[i+1] != quote || raw {
				return Token{Kind: Text, Text: src[pos : i+1], Value: b.String(), Pos: pos, End: i + 1}
			}
			b.WriteByte(quote)
			i += 2
		case c == '\\' && !raw && i+1 < len(src):
			i += unescape(&b, src[i:])
		default:
			b.WriteByte(c)
			i++
		}
	}
	return Token{Kind: Bad, Text: src[pos:], Pos: pos, End: len(src), Value: "a string is not closed"}
}

// unescape decodes the escape at the start of s and returns its length. \% and
// \_ stay as they are: LIKE gives them their meaning.
func unescape(b *strings.Builder, s string) int {
	switch c := s[1]; c {
	case 'n':
		b.WriteByte('\n')
	case 't':
		b.WriteByte('\t')
	case 'r':
		b.WriteByte('\r')
	case 'b':
		b.WriteByte('\b')
	case 'Z':
		b.WriteByte(0x1a)
	case '%', '_':
		b.WriteByte('\\')
		b.WriteByte(c)
	case 'u', 'U':
		n := 4
		if c == 'U' {
			n = 8
		}
		if len(s) >= 2+n {
			if code, err := strconv.ParseUint(s[2:2+n], 16, 32); err == nil {
				return 2 + n + writeCode(b, rune(code), s[2+n:])
			}
		}
		b.WriteByte(c)
	case '0', '1':
		if len(s) >= 4 && octal(s[2]) && octal(s[3]) {
			b.WriteRune(rune(c-'0')<<6 | rune(s[2]-'0')<<3 | rune(s[3]-'0'))
			return 4
		}
		if c == '0' {
			b.WriteByte(0)
		} else {
			b.WriteByte(c)
		}
	default:
		_, n := utf8.DecodeRuneInString(s[1:])
		b.WriteString(s[1 : 1+n])
		return 1 + n
	}
	return 2
}

func octal(c byte) bool { return c >= '0' && c <= '7' }

// writeCode writes a code point; a high surrogate joins the \u escape that
// follows. It returns how much of rest it took.
func writeCode(b *strings.Builder, r rune, rest string) int {
	if r >= 0xd800 && r < 0xdc00 && len(rest) >= 6 && rest[0] == '\\' && rest[1] == 'u' {
		if low, err := strconv.ParseUint(rest[2:6], 16, 32); err == nil && low >= 0xdc00 && low < 0xe000 {
			b.WriteRune(0x10000 + (r-0xd800)<<10 + rune(low) - 0xdc00)
			return 6
		}
	}
	b.WriteRune(r)
	return 0
}

// quoteText writes a string literal that textToken reads back.
func quoteText(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '\'':
			b.WriteString(`\'`)
		case '\\':
			if i+1 < len(s) && (s[i+1] == '%' || s[i+1] == '_') {
				b.WriteByte(c) // \% and \_ read back with their backslash
			} else {
				b.WriteString(`\\`)
			}
		case '\n':
			b.WriteString(`\n`)
		case '\t':
			b.WriteString(`\t`)
		case '\r':
			b.WriteString(`\r`)
		case 0:
			b.WriteString(`\000`)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('\'')
	return b.String()
}
