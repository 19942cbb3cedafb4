package colstats

import (
	"bytes"
	"encoding/json"
	"errors"
)

// errSyntax says that statistics are no JSON of the expected shape.
var errSyntax = errors.New("statistics are not well-formed JSON")

// cursor reads JSON without building it.
type cursor struct {
	b   []byte
	pos int
}

func (c *cursor) space() {
	for c.pos < len(c.b) {
		switch c.b[c.pos] {
		case ' ', '\t', '\n', '\r':
			c.pos++
		default:
			return
		}
	}
}

// peek is the next byte that is no space; 0 at the end.
func (c *cursor) peek() byte {
	c.space()
	if c.pos >= len(c.b) {
		return 0
	}
	return c.b[c.pos]
}

func (c *cursor) eat(ch byte) bool {
	if c.peek() == ch {
		c.pos++
		return true
	}
	return false
}

// text reads a string and returns what stands between its quotes.
func (c *cursor) text() ([]byte, bool) {
	if !c.eat('"') {
		return nil, false
	}
	start := c.pos
	for i := start; i < len(c.b); i++ { // keys and values are short
		switch c.b[i] {
		case '"':
			c.pos = i + 1
			return c.b[start:i], true
		case '\\':
			i++
		}
	}
	return nil, false
}

// token reads any value and returns its bytes.
func (c *cursor) token() ([]byte, bool) {
	ch := c.peek()
	start := c.pos
	switch ch {
	case '"':
		_, ok := c.text()
		return c.b[start:c.pos], ok
	case '{', '[':
		depth := 0
		for c.pos < len(c.b) {
			switch c.b[c.pos] {
			case '"':
				if _, ok := c.text(); !ok {
					return nil, false
				}
				continue
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					c.pos++
					return c.b[start:c.pos], true
				}
			}
			c.pos++
		}
		return nil, false
	}
	for c.pos < len(c.b) {
		switch c.b[c.pos] {
		case ',', '}', ']', ' ', '\t', '\n', '\r', ':', '"', '{', '[':
			return c.b[start:c.pos], c.pos > start
		}
		c.pos++
	}
	return c.b[start:c.pos], c.pos > start
}

// object walks an object: member gets each key and must consume the value.
func (c *cursor) object(member func(key []byte) bool) bool {
	if !c.eat('{') {
		return false
	}
	if c.eat('}') {
		return true
	}
	for {
		key, ok := c.text()
		if !ok || !c.eat(':') {
			return false
		}
		if bytes.IndexByte(key, '\\') >= 0 {
			key = unquote(key)
		}
		if !member(key) {
			return false
		}
		if c.eat(',') {
			continue
		}
		return c.eat('}')
	}
}

// unquote resolves the escapes of the inside of a JSON string.
func unquote(raw []byte) []byte {
	var s string
	quoted := append(append(append(make([]byte, 0, len(raw)+2), '"'), raw...), '"')
	if json.Unmarshal(quoted, &s) != nil {
		return raw
	}
	return []byte(s)
}
