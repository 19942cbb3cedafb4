package eval

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash/crc32"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
)

func init() {
	register(map[string]func(*call) (arrow.Array, error){
		"md5":    digest(func(b, s []byte, _ int64) []byte { x := md5.Sum(s); return hex.AppendEncode(b, x[:]) }),
		"sha":    digest(func(b, s []byte, _ int64) []byte { x := sha1.Sum(s); return hex.AppendEncode(b, x[:]) }),
		"sha2":   digest(sha2),
		"crc32":  number1(func(s string) int64 { return int64(crc32.Update(0, crc32.IEEETable, bytesOf(s))) }),
		"encode": func(c *call) (arrow.Array, error) { return recode(c, encodeText) },
		"decode": func(c *call) (arrow.Array, error) { return recode(c, decodeText) },
	})
}

// digest appends what f makes of the bytes of a text and of the number beside it; nil is NULL.
func digest(f func(b, s []byte, bits int64) []byte) func(*call) (arrow.Array, error) {
	return func(c *call) (arrow.Array, error) {
		s, bits := c.str(0), func(int) int64 { return 0 }
		if c.has(1) {
			bits = c.int(1)
		}
		return c.text(func(b []byte, i int) ([]byte, error) {
			out := f(b, bytesOf(s(i)), bits(i))
			if out == nil {
				return nil, errNull
			}
			return out, nil
		})
	}
}

// bytesOf is the memory of a text, only to be read.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

func sha2(b, s []byte, bits int64) []byte {
	switch bits {
	case 224:
		x := sha256.Sum224(s)
		return hex.AppendEncode(b, x[:])
	case 0, 256:
		x := sha256.Sum256(s)
		return hex.AppendEncode(b, x[:])
	case 384:
		x := sha512.Sum384(s)
		return hex.AppendEncode(b, x[:])
	case 512:
		x := sha512.Sum512(s)
		return hex.AppendEncode(b, x[:])
	}
	return nil
}

func recode(c *call, f func(s, charset string) (string, bool)) (arrow.Array, error) {
	s, set := c.str(0), c.str(1)
	return c.strings(func(i int) (string, error) {
		name := strings.ToUpper(set(i))
		switch name {
		case "US-ASCII", "ISO-8859-1", "UTF-8", "UTF-16", "UTF-16BE", "UTF-16LE", "UTF-32":
		default:
			return "", failf("INVALID_PARAMETER_VALUE.CHARSET", "%s: the charset %q is none of iso-8859-1, us-ascii, utf-16, utf-16be, utf-16le, utf-32, utf-8", c.node.Fn, clip(set(i)))
		}
		out, ok := f(s(i), name)
		if !ok {
			return "", failf("MALFORMED_CHARACTER_CODING", "%s: the text has characters that %s has not", c.node.Fn, name)
		}
		return out, nil
	})
}

func encodeText(s, charset string) (string, bool) {
	var b []byte
	limit := map[string]rune{"US-ASCII": 0x7f, "ISO-8859-1": 0xff}[charset]
	switch {
	case charset == "UTF-8":
		return s, true
	case limit > 0:
		for _, r := range s {
			if r > limit {
				return "", false
			}
			b = append(b, byte(r))
		}
	case charset == "UTF-32":
		for _, r := range s {
			b = append(b, byte(r>>24), byte(r>>16), byte(r>>8), byte(r))
		}
	default:
		if charset == "UTF-16" && s != "" {
			b = append(b, 0xfe, 0xff)
		}
		for _, u := range utf16.Encode([]rune(s)) {
			if charset == "UTF-16LE" {
				b = append(b, byte(u), byte(u>>8))
			} else {
				b = append(b, byte(u>>8), byte(u))
			}
		}
	}
	return string(b), true
}

func decodeText(s, charset string) (string, bool) {
	var out []rune
	switch charset {
	case "UTF-8":
		return s, utf8.ValidString(s)
	case "US-ASCII", "ISO-8859-1":
		for i := 0; i < len(s); i++ {
			if charset == "US-ASCII" && s[i] > 0x7f {
				return "", false
			}
			out = append(out, rune(s[i]))
		}
	case "UTF-32":
		if len(s)%4 != 0 {
			return "", false
		}
		for i := 0; i < len(s); i += 4 {
			out = append(out, rune(s[i])<<24|rune(s[i+1])<<16|rune(s[i+2])<<8|rune(s[i+3]))
		}
	default:
		little := charset == "UTF-16LE"
		if charset == "UTF-16" && len(s) >= 2 && (s[:2] == "\xfe\xff" || s[:2] == "\xff\xfe") {
			little, s = s[0] == 0xff, s[2:]
		}
		if len(s)%2 != 0 {
			return "", false
		}
		var units []uint16
		for i := 0; i < len(s); i += 2 {
			hi, lo := s[i], s[i+1]
			if little {
				hi, lo = lo, hi
			}
			units = append(units, uint16(hi)<<8|uint16(lo))
		}
		out = utf16.Decode(units)
	}
	return string(out), true
}
