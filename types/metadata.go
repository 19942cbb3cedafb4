package types

import (
	"encoding/json"
	"slices"
)

// Metadata is the metadata of a field: a JSON object kept as raw values in
// their original order. The zero value is empty.
type Metadata struct{ entries []metaEntry }

type metaEntry struct {
	key string
	raw json.RawMessage
}

// Len is the number of keys.
func (m Metadata) Len() int { return len(m.entries) }

// Keys lists the keys in order.
func (m Metadata) Keys() []string {
	out := make([]string, len(m.entries))
	for i, e := range m.entries {
		out[i] = e.key
	}
	return out
}

// Raw returns the JSON text of a key's value.
func (m Metadata) Raw(key string) (json.RawMessage, bool) {
	for _, e := range m.entries {
		if e.key == key {
			return e.raw, true
		}
	}
	return nil, false
}

// Text returns a string value; false when the key is missing or no string.
func (m Metadata) Text(key string) (string, bool) {
	raw, ok := m.Raw(key)
	if !ok {
		return "", false
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return "", false
	}
	return s, true
}

// Int returns an integer value; false when the key is missing or no integer.
func (m Metadata) Int(key string) (int64, bool) {
	raw, ok := m.Raw(key)
	if !ok {
		return 0, false
	}
	var n int64
	if json.Unmarshal(raw, &n) != nil {
		return 0, false
	}
	return n, true
}

// With returns a copy in which key has the JSON form of value. A value that
// cannot be marshalled is a programming error and panics.
func (m Metadata) With(key string, value any) Metadata {
	raw, err := json.Marshal(value)
	if err != nil {
		panic("types: metadata value for " + key + ": " + err.Error())
	}
	out := Metadata{entries: slices.Clone(m.entries)}
	for i := range out.entries {
		if out.entries[i].key == key {
			out.entries[i].raw = raw
			return out
		}
	}
	out.entries = append(out.entries, metaEntry{key, raw})
	return out
}

// Without returns a copy that lacks key.
func (m Metadata) Without(key string) Metadata {
	return Metadata{entries: slices.DeleteFunc(slices.Clone(m.entries), func(e metaEntry) bool { return e.key == key })}
}
