package partition

import "strings"

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
// a URI path (PROTOCOL.md, Add File and Remove File). Spark leaves letters of
// other scripts as they are; here they are percent-encoded, because engines that
// spell a path again for its remove (delta-rs) write it so, and then find the add.
func EscapePath(key string) string {
	var b strings.Builder
	for i := range len(key) {
		if plainInPath(key[i]) {
			b.WriteByte(key[i])
		} else {
			percent(&b, key[i:i+1])
		}
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
