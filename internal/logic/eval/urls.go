package eval

import (
	"net/url"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

func init() {
	register(map[string]func(*call) (arrow.Array, error){"parse_url": parseURL, "try_parse_url": parseURL})
}

// parseURL takes a part out of a URL, or one value of its query. What is no URL
// (java.net.URI decides) is an error, or NULL for try_parse_url.
func parseURL(c *call) (arrow.Array, error) {
	s, part := c.str(0), c.str(1)
	return c.strings(func(i int) (string, error) {
		text := s(i)
		u, err := url.Parse(text)
		if err != nil || strings.ContainsAny(text, " <>\"{}|\\^`") {
			if c.node.Fn == "try_parse_url" {
				return "", errNull
			}
			return "", failf("INVALID_URL", "%q is no URL", clip(text))
		}
		if c.has(2) {
			if part(i) != "QUERY" {
				return "", errNull
			}
			key := c.str(2)(i) + "="
			for _, pair := range strings.Split(u.RawQuery, "&") {
				if v, ok := strings.CutPrefix(pair, key); ok {
					return v, nil
				}
			}
			return "", errNull
		}
		return urlPart(u, part(i))
	})
}

func urlPart(u *url.URL, part string) (string, error) {
	some := func(s string) (string, error) {
		if s == "" {
			return "", errNull
		}
		return s, nil
	}
	user := ""
	if u.User != nil {
		user = u.User.String()
	}
	switch part {
	case "HOST":
		return some(u.Hostname())
	case "PATH":
		if u.Opaque != "" {
			return "", errNull
		}
		return u.EscapedPath(), nil
	case "QUERY":
		if u.RawQuery == "" && !u.ForceQuery {
			return "", errNull
		}
		return u.RawQuery, nil
	case "REF":
		return some(u.EscapedFragment())
	case "PROTOCOL":
		return some(u.Scheme)
	case "FILE":
		if u.Opaque != "" {
			return "", errNull
		}
		if u.RawQuery != "" {
			return u.EscapedPath() + "?" + u.RawQuery, nil
		}
		return u.EscapedPath(), nil
	case "AUTHORITY":
		if user != "" {
			return user + "@" + u.Host, nil
		}
		return some(u.Host)
	case "USERINFO":
		return some(user)
	}
	return "", errNull
}
