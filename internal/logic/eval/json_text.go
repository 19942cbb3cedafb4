package eval

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/internal/base/columns"
)

// relaxedJSON turns what Spark's parser of JSON takes besides JSON into JSON:
// texts between single quotes, and NaN and infinities, which become texts.
func relaxedJSON(s string) string {
	if !strings.ContainsAny(s, "'NI") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '"' || c == '\'':
			end := i + 1
			for end < len(s) && s[end] != c {
				if s[end] == '\\' {
					end++
				}
				end++
			}
			if end >= len(s) {
				return s // not closed: no JSON in any form
			}
			text := s[i+1 : end]
			if c == '\'' {
				text = strings.ReplaceAll(strings.ReplaceAll(text, `\'`, `'`), `"`, `\"`)
			}
			b.WriteString(`"` + text + `"`)
			i = end + 1
		default:
			word := ""
			for _, w := range []string{"NaN", "+INF", "-INF", "INF", "+Infinity", "-Infinity", "Infinity"} {
				if strings.HasPrefix(s[i:], w) {
					word = w
				}
			}
			if word == "" {
				b.WriteByte(c)
				i++
				continue
			}
			i += len(word)
			b.WriteString(strconv.Quote(strings.TrimPrefix(strings.Replace(word, "INF", "Infinity", 1), "+")))
		}
	}
	return b.String()
}

// members reads the outermost object of a JSON text; ok is false for other texts.
func members(raw json.RawMessage) (keys []string, values []json.RawMessage, ok bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, nil, false
	}
	for d.More() {
		k, err := d.Token()
		var v json.RawMessage
		if err != nil || d.Decode(&v) != nil {
			return nil, nil, false
		}
		keys, values = append(keys, k.(string)), append(values, v)
	}
	return keys, values, true
}

// items reads the outermost array of a JSON text.
func items(raw json.RawMessage) (out []json.RawMessage, ok bool) {
	if len(raw) == 0 || raw[0] != '[' {
		return nil, false
	}
	return out, json.Unmarshal(raw, &out) == nil
}

// appendCompact writes JSON without blanks; fractions are written as doubles are.
func appendCompact(b []byte, raw json.RawMessage) []byte {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return b
	}
	switch c := raw[0]; {
	case c == '{':
		keys, values, _ := members(raw)
		b = append(b, '{')
		for i, k := range keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendCompact(append(columns.AppendQuoted(b, k), ':'), values[i])
		}
		return append(b, '}')
	case c == '[':
		list, _ := items(raw)
		b = append(b, '[')
		for i, v := range list {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendCompact(b, v)
		}
		return append(b, ']')
	case c == '"':
		var s string
		_ = json.Unmarshal(raw, &s)
		return columns.AppendQuoted(b, s)
	case bytes.ContainsAny(raw, ".eE") && c != 't' && c != 'f' && c != 'n':
		if f, err := strconv.ParseFloat(string(raw), 64); err == nil {
			return append(b, formatFloat(f, 64)...)
		}
	}
	return append(b, raw...)
}

// jsonStep is a step of a path of get_json_object: a name, an index, or all.
type jsonStep struct {
	name  string
	index int
	every bool // [*] or .*
	field bool
}

// jsonSteps reads a path; ok is false for what is none.
func jsonSteps(s string) (out []jsonStep, ok bool) {
	s, ok = strings.CutPrefix(s, "$")
	if !ok {
		return nil, false
	}
	for s != "" {
		switch {
		case strings.HasPrefix(s, ".*"):
			out, s = append(out, jsonStep{every: true, field: true}), s[2:]
		case strings.HasPrefix(s, "[*]"):
			out, s = append(out, jsonStep{every: true}), s[3:]
		case strings.HasPrefix(s, "['"):
			name, rest, closed := strings.Cut(s[2:], "']")
			if !closed || name == "" {
				return nil, false
			}
			out, s = append(out, jsonStep{name: name, field: true, every: name == "*"}), rest
		case s[0] == '[':
			number, rest, closed := strings.Cut(s[1:], "]")
			n, err := strconv.ParseUint(number, 10, 31)
			if !closed || err != nil {
				return nil, false
			}
			out, s = append(out, jsonStep{index: int(n)}), rest
		case s[0] == '.':
			end := strings.IndexAny(s[1:], ".[") + 1
			if end == 0 {
				end = len(s)
			}
			if end == 1 {
				return nil, false
			}
			out, s = append(out, jsonStep{name: s[1:end], field: true}), s[end:]
		default:
			return nil, false
		}
	}
	return out, true
}

// followed lists the values that a path leads to; a name is looked for in each item
// of an array.
func followed(raw json.RawMessage, path []jsonStep) []json.RawMessage {
	raw = bytes.TrimSpace(raw)
	if len(path) == 0 {
		return []json.RawMessage{raw}
	}
	p := path[0]
	if list, ok := items(raw); ok {
		var out []json.RawMessage
		switch {
		case p.every && !p.field:
			for _, v := range list {
				out = append(out, followed(v, path[1:])...)
			}
		case !p.field && p.index < len(list):
			out = followed(list[p.index], path[1:])
		}
		return out
	}
	keys, values, ok := members(raw)
	if !ok || !p.field {
		return nil
	}
	for i, k := range keys {
		if p.every || k == p.name {
			if out := followed(values[i], path[1:]); len(out) > 0 && !(len(out) == 1 && string(out[0]) == "null") {
				return out
			}
		}
	}
	return nil
}

// getJSONObject follows a path into JSON text. A single text loses its quotes;
// several values, which [*] can give, are an array.
func getJSONObject(c *call) (arrow.Array, error) {
	s, path := c.str(0), c.str(1)
	return c.text(func(b []byte, i int) ([]byte, error) {
		text := relaxedJSON(s(i))
		steps, ok := jsonSteps(path(i))
		if !ok || !json.Valid([]byte(text)) {
			return nil, errNull
		}
		found := followed(json.RawMessage(text), steps)
		several := false
		for _, p := range steps {
			several = several || p.every
		}
		switch {
		case len(found) == 0 || len(found) == 1 && string(found[0]) == "null":
			return nil, errNull
		case len(found) > 1:
			b = append(b, '[')
			for k, v := range found {
				if k > 0 {
					b = append(b, ',')
				}
				b = appendCompact(b, v)
			}
			return append(b, ']'), nil
		case found[0][0] == '"' && !several:
			var out string
			_ = json.Unmarshal(found[0], &out)
			return append(b, out...), nil
		}
		return appendCompact(b, found[0]), nil
	})
}
