// Package address compares the addresses that a table's log names with the
// place where the table lies: one file has many spellings, and what lies outside
// of the table is read only where somebody has allowed it.
package address

import (
	"net/url"
	"strings"
)

// Absolute reports whether a path of the log is an address of its own: it begins
// with a slash or with a URI scheme (PROTOCOL.md, Add File and Remove File). A
// relative path may hold a colon behind a slash or in a partition folder only.
func Absolute(path string) bool {
	return strings.HasPrefix(path, "/") || scheme(path) != ""
}

// scheme is the URI scheme of a path, "" when it has none. A single letter is a
// drive.
func scheme(path string) string {
	name, _, ok := strings.Cut(path, ":")
	if !ok || len(name) < 2 {
		return ""
	}
	for i, c := range name {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || !(c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.')) {
			return ""
		}
	}
	return strings.ToLower(name)
}

// Decode takes one layer of percent escapes off a path of the log. A path that
// is not escaped at all (its percent signs begin no escape) is itself.
func Decode(path string) string {
	if p, err := url.PathUnescape(path); err == nil {
		return p
	}
	return path
}

// Plain is the one spelling of an address: escapes are decoded, file:///a, file:/a,
// file://localhost/a and /a are /a, names of stores and hosts are in lower case,
// and the schemes of one store are one (s3a and s3n are s3, abfs is abfss).
func Plain(addr string) string {
	s := scheme(addr)
	if s == "" {
		return Decode(addr)
	}
	rest := addr[len(s)+1:]
	after, ok := strings.CutPrefix(rest, "//")
	host := ""
	if ok {
		host, rest, ok = strings.Cut(after, "/")
		if ok {
			rest = "/" + rest
		}
	}
	if user, name, has := strings.Cut(host, "@"); has { // the user of abfss is a container
		host = user + "@" + strings.ToLower(name)
	} else {
		host = strings.ToLower(host)
	}
	if s == "file" && (host == "" || host == "localhost") {
		return Decode(rest)
	}
	switch s {
	case "s3a", "s3n":
		s = "s3"
	case "abfs":
		s = "abfss"
	}
	return s + "://" + host + Decode(rest)
}

// Below is the key of an address below a root; ok is false when it lies
// elsewhere. Both may be spelled in any way.
func Below(addr, root string) (key string, ok bool) {
	key, ok = strings.CutPrefix(Plain(addr), strings.TrimRight(Plain(root), "/")+"/")
	if !ok {
		return "", false
	}
	return key, true
}

// SameStore reports whether two addresses are of one store: the same scheme and
// host. What opens the one may then be shown to the other.
func SameStore(a, b string) bool { return store(Plain(a)) == store(Plain(b)) }

func store(plain string) string {
	s, rest, ok := strings.Cut(plain, "://")
	if !ok || scheme(plain) == "" {
		return ""
	}
	host, _, _ := strings.Cut(rest, "/")
	return s + "://" + host
}

// Key makes a key of a decoded path: empty segments and "." are left out, as the
// path classes of other engines do. ok is false for a path that climbs with "..",
// or that no store can hold.
func Key(path string) (key string, ok bool) {
	var out []string
	for part := range strings.SplitSeq(path, "/") {
		switch {
		case part == "..", strings.ContainsRune(part, 0):
			return "", false
		case part == "", part == ".":
		default:
			out = append(out, part)
		}
	}
	return strings.Join(out, "/"), len(out) > 0
}
