package eval

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/bits"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/types"
)

func init() {
	register(map[string]func(*call) (arrow.Array, error){
		"upper": cased('a', 'z', upperText), "lower": cased('A', 'Z', lowerText), "initcap": initCap,
		"trim": trimmer(true, true), "btrim": trimmer(true, true), "ltrim": trimmer(true, false), "rtrim": trimmer(false, true),
		"length": length, "octet_length": number1(func(s string) int64 { return int64(len(s)) }), "bit_length": number1(func(s string) int64 { return int64(8 * len(s)) }),
		"ascii": number1(func(s string) int64 {
			r, n := utf8.DecodeRuneInString(s)
			if n == 0 {
				return 0
			}
			return int64(r)
		}),
		"chr": chr, "reverse": reverse, "repeat": repeat, "space": space, "replace": replace, "translate": translate, "concat": concat, "concat_ws": concatWS,
		"substring": substring, "left": left, "right": right, "overlay": overlay, "lpad": pad, "rpad": pad,
		"instr": func(c *call) (arrow.Array, error) { return locate(c, 1, 0) }, "locate": func(c *call) (arrow.Array, error) { return locate(c, 0, 1) },
		"charindex":  func(c *call) (arrow.Array, error) { return locate(c, 0, 1) },
		"startswith": test2(strings.HasPrefix), "endswith": test2(strings.HasSuffix), "contains": test2(strings.Contains),
		"split_part": splitPart, "substring_index": substringIndex, "find_in_set": findInSet, "levenshtein": levenshtein, "soundex": text1(soundex),
		"base64": text1(func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }),
		"is_valid_utf8": func(c *call) (arrow.Array, error) {
			s := c.str(0)
			return c.bools(func(i int) (bool, error) { return utf8.ValidString(s(i)), nil })
		},
		"quote":     text1(func(s string) string { return "'" + strings.ReplaceAll(s, "'", `\'`) + "'" }),
		"to_binary": toBinary, "try_to_binary": toBinary,
		"unbase64": unbase64, "hex": hexOf, "unhex": unhex, "url_encode": text1(urlEncode), "url_decode": urlDecode, "try_url_decode": urlDecode,
	})
}

func text1(f func(string) string) func(*call) (arrow.Array, error) {
	return func(c *call) (arrow.Array, error) {
		s := c.str(0)
		return c.strings(func(i int) (string, error) { return f(s(i)), nil })
	}
}

func number1(f func(string) int64) func(*call) (arrow.Array, error) {
	return func(c *call) (arrow.Array, error) {
		s := c.str(0)
		return c.ints(func(i int) (int64, error) { return f(s(i)), nil })
	}
}

func test2(f func(a, b string) bool) func(*call) (arrow.Array, error) {
	return func(c *call) (arrow.Array, error) {
		a, b := c.str(0), c.str(1)
		return c.bools(func(i int) (bool, error) { return f(a(i), b(i)), nil })
	}
}

func runeCount(s string) int64 { return int64(utf8.RuneCountInString(s)) }

// firstRunes are the first n characters.
func firstRunes(s string, n int64) string {
	if n <= 0 {
		return ""
	}
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

func length(c *call) (arrow.Array, error) {
	if c.typ(0) == types.Binary {
		return number1(func(s string) int64 { return int64(len(s)) })(c)
	}
	return number1(runeCount)(c)
}

// trimmer removes blanks, or the characters of the first of two arguments.
func trimmer(left, right bool) func(*call) (arrow.Array, error) {
	return func(c *call) (arrow.Array, error) {
		s, set := c.str(0), func(int) string { return " " }
		if c.has(1) {
			set, s = c.str(0), c.str(1)
			if c.node.Fn == "btrim" {
				s, set = c.str(0), c.str(1)
			}
		}
		return c.strings(func(i int) (string, error) {
			out, cut := s(i), set(i)
			if left {
				out = strings.TrimLeft(out, cut)
			}
			if right {
				out = strings.TrimRight(out, cut)
			}
			return out, nil
		})
	}
}

func chr(c *call) (arrow.Array, error) {
	n := c.int(0)
	return c.strings(func(i int) (string, error) {
		if n(i) < 0 {
			return "", nil
		}
		return string(rune(n(i) & 0xff)), nil
	})
}

func reverse(c *call) (arrow.Array, error) {
	if _, ok := c.typ(0).(*types.Array); ok {
		return listMap(c, func(a []any) ([]any, error) {
			out := make([]any, len(a))
			for i, v := range a {
				out[len(a)-1-i] = v
			}
			return out, nil
		})
	}
	return text1(func(s string) string {
		r := []rune(s)
		for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
			r[i], r[j] = r[j], r[i]
		}
		return string(r)
	})(c)
}

func repeat(c *call) (arrow.Array, error) {
	s, n := c.str(0), c.int(1)
	return c.strings(func(i int) (string, error) {
		k := max(0, n(i))
		if hi, lo := bits.Mul64(uint64(k), uint64(len(s(i)))); hi != 0 || lo > 1<<30 {
			return "", failf("COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION", "repeat makes a string of more than 2^30 bytes")
		}
		return strings.Repeat(s(i), int(k)), nil
	})
}

func space(c *call) (arrow.Array, error) {
	n := c.int(0)
	return c.strings(func(i int) (string, error) {
		if n(i) > 1<<30 {
			return "", failf("COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION", "space makes a string of more than 2^30 bytes")
		}
		return strings.Repeat(" ", int(max(0, n(i)))), nil
	})
}

// translate replaces characters; those without a counterpart are dropped, and of
// a character named twice the first counts.
func translate(c *call) (arrow.Array, error) {
	s, from, to := c.str(0), c.str(1), c.str(2)
	return c.strings(func(i int) (string, error) {
		f, t := []rune(from(i)), []rune(to(i))
		table := make(map[rune]rune, len(f))
		for k, r := range f {
			if _, seen := table[r]; seen {
				continue
			}
			if table[r] = -1; k < len(t) {
				table[r] = t[k]
			}
		}
		return strings.Map(func(r rune) rune {
			if x, ok := table[r]; ok {
				return x
			}
			return r
		}, s(i)), nil
	})
}

func concat(c *call) (arrow.Array, error) {
	if _, ok := c.out().(*types.Array); ok {
		return concatLists(c)
	}
	parts := make([]func(int) string, len(c.args))
	for k := range parts {
		parts[k] = c.str(k)
	}
	return c.text(func(b []byte, i int) ([]byte, error) {
		for _, p := range parts {
			b = append(b, p(i)...)
		}
		return b, nil
	})
}

func concatWS(c *call) (arrow.Array, error) {
	sep := c.str(0)
	return makeStrings(c.out(), c.n, valid(c.n, c.args[0]), func(i int) (string, error) {
		var parts []string
		for k := 1; k < len(c.args); k++ {
			switch v := c.any(k)(i).(type) {
			case string:
				parts = append(parts, v)
			case []any:
				for _, e := range v {
					if s, ok := e.(string); ok {
						parts = append(parts, s)
					}
				}
			}
		}
		return strings.Join(parts, sep(i)), nil
	})
}

func levenshtein(c *call) (arrow.Array, error) {
	a, b := c.str(0), c.str(1)
	ok := valid(c.n, c.args[:2]...)
	return makeInts(c.out(), c.n, ok, func(i int) (int64, error) {
		d := editDistance([]rune(a(i)), []rune(b(i)))
		if !c.has(2) {
			return d, nil
		}
		limit := int64(0) // of NULL
		if !c.args[2].null(i) {
			limit = c.int(2)(i)
		}
		if d > limit {
			return -1, nil
		}
		return d, nil
	})
}

func editDistance(a, b []rune) int64 {
	row := make([]int64, len(b)+1)
	for j := range row {
		row[j] = int64(j)
	}
	for i := range a {
		diagonal := row[0]
		row[0] = int64(i + 1)
		for j := range b {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// soundex is the code of a word that begins with a letter; other texts stay.
func soundex(s string) string {
	const codes = "01230120022455012623010202" // A to Z; H and W do not separate
	if s == "" || !letter(s[0]) {
		return s
	}
	out := []byte{upperByte(s[0])}
	last := codes[out[0]-'A']
	for i := 1; i < len(s) && len(out) < 4; i++ {
		if !letter(s[i]) {
			last = '0'
			continue
		}
		b := upperByte(s[i])
		code := codes[b-'A']
		if b == 'H' || b == 'W' {
			continue
		}
		if code != '0' && code != last {
			out = append(out, code)
		}
		last = code
	}
	for len(out) < 4 {
		out = append(out, '0')
	}
	return string(out)
}

func letter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }

func upperByte(b byte) byte { return b &^ 0x20 }

func unbase64(c *call) (arrow.Array, error) {
	s := c.str(0)
	return c.strings(func(i int) (string, error) {
		text, _, _ := strings.Cut(s(i), "=")
		clean := strings.Map(func(r rune) rune { // as MIME has it, other characters mean nothing
			if strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", r) {
				return r
			}
			return -1
		}, text)
		b, err := base64.RawStdEncoding.DecodeString(clean)
		if err != nil {
			return "", noClass(fmt.Sprintf("%q ends inside a group of base64", clip(s(i))))
		}
		return string(b), nil
	})
}

func hexOf(c *call) (arrow.Array, error) {
	if types.IsIntegral(c.typ(0)) {
		v := c.int(0)
		return c.strings(func(i int) (string, error) { return strings.ToUpper(strconv.FormatUint(uint64(v(i)), 16)), nil })
	}
	return text1(func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) })(c)
}

func unhex(c *call) (arrow.Array, error) {
	s := c.str(0)
	return c.strings(func(i int) (string, error) {
		text := s(i)
		if len(text)%2 == 1 {
			text = "0" + text
		}
		b, err := hex.DecodeString(text)
		if err != nil {
			return "", errNull
		}
		return string(b), nil
	})
}

// urlEncode is java.net.URLEncoder, which keeps * and not ~.
func urlEncode(s string) string {
	return strings.NewReplacer("~", "%7E", "%2A", "*").Replace(url.QueryEscape(validText(s)))
}

func urlDecode(c *call) (arrow.Array, error) {
	s := c.str(0)
	return c.strings(func(i int) (string, error) {
		out, err := url.QueryUnescape(s(i))
		if err != nil {
			if c.node.Fn == "try_url_decode" {
				return "", errNull
			}
			return "", failf("CANNOT_DECODE_URL", "%q is no encoded URL", clip(s(i)))
		}
		return out, nil
	})
}

// toBinary reads hex, base64 or utf-8.
func toBinary(c *call) (arrow.Array, error) {
	s, format := c.str(0), func(int) string { return "hex" }
	if c.has(1) {
		format = c.str(1)
	}
	return c.strings(func(i int) (string, error) {
		text := s(i)
		var b []byte
		var err error
		switch strings.ToLower(format(i)) {
		case "utf-8", "utf8":
			return validText(text), nil
		case "hex":
			if len(text)%2 == 1 {
				text = "0" + text
			}
			b, err = hex.DecodeString(text)
		case "base64":
			b, err = base64.StdEncoding.DecodeString(text)
		default:
			if c.node.Fn == "try_to_binary" {
				return "", errNull
			}
			return "", failf("INVALID_PARAMETER_VALUE.BINARY_FORMAT", "to_binary: the format %q is none of base64, hex, utf-8", clip(format(i)))
		}
		if err != nil {
			if c.node.Fn == "try_to_binary" {
				return "", errNull
			}
			return "", failf("CONVERSION_INVALID_INPUT", "%q is no %s", clip(s(i)), format(i))
		}
		return string(b), nil
	})
}
