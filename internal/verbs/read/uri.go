package read

import (
	"net/url"
	"strings"
	"unicode"
)

// fileURI is the address of a data file as the reference shows it: the root of the
// table and the decoded path of the log, with what a URI path may not hold
// escaped again. Other scripts than ASCII stay as they are; a local file is file:/dir/name.
func fileURI(root, path string) string {
	if decoded, err := url.PathUnescape(path); err == nil {
		path = decoded
	}
	if scheme, rest, ok := cutScheme(path); ok {
		return address(scheme, rest)
	}
	if strings.HasPrefix(path, "/") {
		scheme, _, _ := cutScheme(root)
		if scheme == "file" || scheme == "" {
			return "file:" + escapePath(path)
		}
		_, rest, _ := strings.Cut(root, "://")
		host, _, _ := strings.Cut(rest, "/")
		return scheme + "://" + host + escapePath(path)
	}
	scheme, rest, _ := cutScheme(root)
	if decoded, err := url.PathUnescape(rest); err == nil {
		rest = decoded
	}
	return address(scheme, strings.TrimSuffix(rest, "/")+"/"+path)
}

// cutScheme parts an address at its scheme.
func cutScheme(s string) (scheme, rest string, ok bool) {
	scheme, rest, ok = strings.Cut(s, ":")
	if !ok || len(scheme) < 2 || strings.ContainsAny(scheme, "/%= ") {
		return "", s, false
	}
	return scheme, rest, true
}

// address joins scheme and rest; the host, if there is one, is not escaped.
func address(scheme, rest string) string {
	if host, ok := strings.CutPrefix(rest, "//"); ok && scheme != "file" {
		host, path, _ := strings.Cut(host, "/")
		return scheme + "://" + host + escapePath("/"+path)
	}
	return scheme + ":" + escapePath("/"+strings.TrimLeft(rest, "/"))
}

// escapePath escapes what RFC 2396 does not let a path hold.
func escapePath(path string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for _, r := range path {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if letter || r < 0x80 && strings.ContainsRune("_-!.~'()*,;:$&+=/@", r) || r >= 0x80 && !unicode.IsControl(r) && !unicode.IsSpace(r) {
			b.WriteRune(r)
			continue
		}
		for _, c := range []byte(string(r)) {
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}
