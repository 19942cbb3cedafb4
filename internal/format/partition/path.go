package partition

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const upperHex = "0123456789ABCDEF"

// Folder is the folder name of a partition column and its value, escaped as
// Hive and Spark do. NULL has the name of HiveNull.
func Folder(column, value string, null bool) string {
	if null || value == "" {
		value = HiveNull
	}
	return escape(column) + "=" + escape(value)
}

// escape percent-encodes the characters that Hive forbids in a folder name.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c < 0x20 || c == 0x7f || strings.IndexByte("\"#%'*/:=?\\{[]^", c) >= 0 {
			b.WriteByte('%')
			b.WriteByte(upperHex[c>>4])
			b.WriteByte(upperHex[c&15])
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// EscapePath spells a key of the table's storage as the path of an add action:
// a URI path (PROTOCOL.md, Add File and Remove File), escaped as java.net.URI
// does, which leaves letters of other scripts as they are.
func EscapePath(key string) string {
	var b strings.Builder
	for i := 0; i < len(key); {
		c := key[i]
		if c < utf8.RuneSelf {
			if plainInPath(c) {
				b.WriteByte(c)
			} else {
				percent(&b, key[i:i+1])
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(key[i:])
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Z, r) {
			percent(&b, key[i:i+n])
		} else {
			b.WriteString(key[i : i+n])
		}
		i += n
	}
	return b.String()
}

func plainInPath(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.!~'()*,;:$&+=@/", c) >= 0
}

func percent(b *strings.Builder, s string) {
	for i := range len(s) {
		b.WriteByte('%')
		b.WriteByte(upperHex[s[i]>>4])
		b.WriteByte(upperHex[s[i]&15])
	}
}
