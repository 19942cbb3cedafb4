package deltalog

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// jsonChecksum is the MD5 of a JSON object's canonical form (PROTOCOL.md, JSON
// checksum).
func jsonChecksum(data []byte) (string, error) {
	text, err := canonicalJSON(data)
	if err != nil {
		return "", err
	}
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:]), nil
}

// canonicalJSON flattens an object to path=value pairs in byte order of paths:
// {"b":{"x":[1,"é"]},"a":null} is "a"=null,"b"+"x"+0=1,"b"+"x"+1="%C3%A9". The key
// checksum at the top is left out.
func canonicalJSON(data []byte) (string, error) {
	c := canonicaliser{dec: json.NewDecoder(bytes.NewReader(data))}
	c.dec.UseNumber()
	if tok, err := c.dec.Token(); err != nil {
		return "", err
	} else if tok != json.Delim('{') {
		return "", errors.New("not a JSON object")
	}
	if err := c.object("", 0); err != nil {
		return "", err
	}
	if _, err := c.dec.Token(); err != io.EOF {
		return "", errors.New("text follows the JSON object")
	}
	slices.SortFunc(c.pairs, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	var out strings.Builder
	for i, p := range c.pairs {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString(p[0] + "=" + p[1])
	}
	return out.String(), nil
}

type canonicaliser struct {
	dec   *json.Decoder
	pairs [][2]string
}

const maxDepth = 200

func (c *canonicaliser) object(path string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("nested deeper than %d levels", maxDepth)
	}
	seen := map[string]bool{}
	for c.dec.More() {
		tok, err := c.dec.Token()
		if err != nil {
			return err
		}
		key, _ := tok.(string)
		if seen[key] {
			return fmt.Errorf("the key %q is there twice", key)
		}
		seen[key] = true
		if path == "" && key == "checksum" {
			if err := (&canonicaliser{dec: c.dec}).value("", depth+1); err != nil {
				return err
			}
			continue
		}
		if err := c.value(join(path, quote(key)), depth+1); err != nil {
			return err
		}
	}
	_, err := c.dec.Token()
	return err
}

func (c *canonicaliser) array(path string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("nested deeper than %d levels", maxDepth)
	}
	for i := 0; c.dec.More(); i++ {
		if err := c.value(join(path, strconv.Itoa(i)), depth+1); err != nil {
			return err
		}
	}
	_, err := c.dec.Token()
	return err
}

func (c *canonicaliser) value(path string, depth int) error {
	tok, err := c.dec.Token()
	if err != nil {
		return err
	}
	text := ""
	switch v := tok.(type) {
	case json.Delim:
		if v == '{' {
			return c.object(path, depth)
		}
		return c.array(path, depth)
	case string:
		text = quote(v)
	case json.Number:
		text = v.String()
	case bool:
		text = strconv.FormatBool(v)
	default:
		text = "null"
	}
	c.pairs = append(c.pairs, [2]string{path, text})
	return nil
}

func join(path, segment string) string {
	if path == "" {
		return segment
	}
	return path + "+" + segment
}

// quote percent-encodes everything but ASCII letters, digits and -._~ .
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.', c == '_', c == '~':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
