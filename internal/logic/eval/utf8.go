package eval

import (
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
)

func init() {
	register(map[string]func(*call) (arrow.Array, error){
		"make_valid_utf8": text1(func(s string) string { return validText(s) }),
		"validate_utf8": func(c *call) (arrow.Array, error) {
			s := c.str(0)
			return c.strings(func(i int) (string, error) {
				if !utf8.ValidString(s(i)) {
					return "", failf("INVALID_UTF8_STRING", "the text %q is not UTF-8", clip(s(i)))
				}
				return s(i), nil
			})
		},
		"try_validate_utf8": func(c *call) (arrow.Array, error) {
			s := c.str(0)
			return c.strings(func(i int) (string, error) {
				if !utf8.ValidString(s(i)) {
					return "", errNull
				}
				return s(i), nil
			})
		},
	})
}

// validText replaces each longest part of a letter that is cut off, and each byte
// that begins none, by U+FFFD (Unicode, Substitution of Maximal Subparts).
func validText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			for n < len(s) && n < 4 && !utf8.FullRuneInString(s[:n]) && s[n]&0xc0 == 0x80 && !utf8.FullRuneInString(s[:n+1]) {
				n++
			}
		}
		b.WriteRune(r)
		s = s[n:]
	}
	return b.String()
}
