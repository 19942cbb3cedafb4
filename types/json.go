package types

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// maxDepth bounds the nesting of a schema that is read: a log is untrusted input.
const maxDepth = 500

// ParseSchema reads the schemaString of a table's metadata.
func ParseSchema(text string) (*Struct, error) {
	t, err := ParseJSON([]byte(text))
	if err != nil {
		return nil, err
	}
	s, ok := t.(*Struct)
	if !ok {
		return nil, fmt.Errorf("schema: the top level is %s, want a struct", t)
	}
	return s, nil
}

// ParseJSON reads a type in the schema serialization format.
func ParseJSON(text []byte) (Type, error) { return parseJSONType(text, 0) }

func parseJSONType(raw []byte, depth int) (Type, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("schema: nested deeper than %d levels", maxDepth)
	}
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return nil, fmt.Errorf("schema: a type is missing")
	}
	if raw[0] == '"' {
		var name string
		if err := json.Unmarshal(raw, &name); err != nil {
			return nil, fmt.Errorf("schema: %w", err)
		}
		return parseName(name)
	}
	var obj struct {
		Type              json.RawMessage  `json:"type"`
		Fields            *json.RawMessage `json:"fields"`
		ElementType       json.RawMessage  `json:"elementType"`
		ContainsNull      *bool            `json:"containsNull"`
		KeyType           json.RawMessage  `json:"keyType"`
		ValueType         json.RawMessage  `json:"valueType"`
		ValueContainsNull *bool            `json:"valueContainsNull"`
	}
	if err := json.Unmarshal(raw, &obj); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	var kind string
	if err := json.Unmarshal(obj.Type, &kind); err != nil {
		return nil, fmt.Errorf("schema: an object without a type name: %s", clip(raw))
	}
	switch kind {
	case "struct":
		if obj.Fields == nil {
			return nil, fmt.Errorf("schema: a struct without fields: %s", clip(raw))
		}
		var list []json.RawMessage
		if err := json.Unmarshal(*obj.Fields, &list); err != nil {
			return nil, fmt.Errorf("schema: fields: %w", err)
		}
		s := &Struct{Fields: make([]Field, 0, len(list))}
		for _, item := range list {
			f, err := parseJSONField(item, depth+1)
			if err != nil {
				return nil, err
			}
			s.Fields = append(s.Fields, f)
		}
		return s, nil
	case "array":
		el, err := parseJSONType(obj.ElementType, depth+1)
		if err != nil {
			return nil, fmt.Errorf("array element: %w", err)
		}
		return &Array{Element: el, ContainsNull: obj.ContainsNull == nil || *obj.ContainsNull}, nil
	case "map":
		k, err := parseJSONType(obj.KeyType, depth+1)
		if err != nil {
			return nil, fmt.Errorf("map key: %w", err)
		}
		v, err := parseJSONType(obj.ValueType, depth+1)
		if err != nil {
			return nil, fmt.Errorf("map value: %w", err)
		}
		return &Map{Key: k, Value: v, ValueContainsNull: obj.ValueContainsNull == nil || *obj.ValueContainsNull}, nil
	}
	return nil, fmt.Errorf("schema: unknown type %q", kind)
}

func parseJSONField(raw []byte, depth int) (Field, error) {
	var obj struct {
		Name     *string         `json:"name"`
		Type     json.RawMessage `json:"type"`
		Nullable *bool           `json:"nullable"`
		Metadata json.RawMessage `json:"metadata"`
	}
	if err := json.Unmarshal(raw, &obj); err != nil {
		return Field{}, fmt.Errorf("schema field: %w", err)
	}
	if obj.Name == nil {
		return Field{}, fmt.Errorf("schema: a field without a name: %s", clip(raw))
	}
	t, err := parseJSONType(obj.Type, depth)
	if err != nil {
		return Field{}, fmt.Errorf("field %s: %w", QuoteIdentifier(*obj.Name), err)
	}
	f := Field{Name: *obj.Name, Type: t, Nullable: obj.Nullable == nil || *obj.Nullable}
	if f.Metadata, err = parseMetadata(obj.Metadata); err != nil {
		return Field{}, fmt.Errorf("field %s: metadata: %w", QuoteIdentifier(*obj.Name), err)
	}
	return f, nil
}

func parseMetadata(raw []byte) (Metadata, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return Metadata{}, nil
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	tok, err := dec.Token()
	if err != nil {
		return Metadata{}, err
	}
	if tok != json.Delim('{') {
		return Metadata{}, fmt.Errorf("not an object")
	}
	var m Metadata
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return Metadata{}, err
		}
		var v json.RawMessage
		if err := dec.Decode(&v); err != nil {
			return Metadata{}, err
		}
		m.entries = append(m.entries, metaEntry{tok.(string), v})
	}
	return m, nil
}

func parseName(name string) (Type, error) {
	for p, n := range primitiveNames {
		if n[0] == name && name != "" {
			return p, nil
		}
	}
	if name == "null" {
		return Void, nil
	}
	if name == "decimal" {
		return Decimal{10, 0}, nil
	}
	if rest, ok := strings.CutPrefix(name, "decimal("); ok {
		if rest, ok = strings.CutSuffix(rest, ")"); ok {
			p, s, two := strings.Cut(rest, ",")
			prec, err1 := strconv.Atoi(strings.TrimSpace(p))
			scale, err2 := 0, error(nil)
			if two {
				scale, err2 = strconv.Atoi(strings.TrimSpace(s))
			}
			if err1 == nil && err2 == nil && prec >= 1 && prec <= 38 && scale >= 0 && scale <= prec {
				return Decimal{prec, scale}, nil
			}
		}
	}
	return nil, fmt.Errorf("schema: unknown type %q", name)
}

func clip(raw []byte) string {
	if len(raw) > 80 {
		return string(raw[:80]) + "..."
	}
	return string(raw)
}

// JSON writes a type in the schema serialization format.
func JSON(t Type) string { return string(appendJSON(nil, t)) }

func appendJSON(b []byte, t Type) []byte {
	switch x := t.(type) {
	case Primitive:
		return strconv.AppendQuote(b, primitiveNames[x][0])
	case Decimal:
		return strconv.AppendQuote(b, x.String())
	case *Array:
		b = append(b, `{"type":"array","elementType":`...)
		b = appendJSON(b, x.Element)
		b = append(b, `,"containsNull":`...)
		b = strconv.AppendBool(b, x.ContainsNull)
		return append(b, '}')
	case *Map:
		b = append(b, `{"type":"map","keyType":`...)
		b = appendJSON(b, x.Key)
		b = append(b, `,"valueType":`...)
		b = appendJSON(b, x.Value)
		b = append(b, `,"valueContainsNull":`...)
		b = strconv.AppendBool(b, x.ValueContainsNull)
		return append(b, '}')
	case *Struct:
		b = append(b, `{"type":"struct","fields":[`...)
		for i, f := range x.Fields {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, `{"name":`...)
			b = appendQuoted(b, f.Name)
			b = append(b, `,"type":`...)
			b = appendJSON(b, f.Type)
			b = append(b, `,"nullable":`...)
			b = strconv.AppendBool(b, f.Nullable)
			b = append(b, `,"metadata":{`...)
			for j, e := range f.Metadata.entries {
				if j > 0 {
					b = append(b, ',')
				}
				b = appendQuoted(b, e.key)
				b = append(b, ':')
				b = append(b, e.raw...)
			}
			b = append(b, "}}"...)
		}
		return append(b, "]}"...)
	}
	panic(fmt.Sprintf("types: cannot write %T", t))
}

// appendQuoted quotes for JSON without escaping <, > and &.
func appendQuoted(b []byte, s string) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if enc.Encode(s) != nil { // a Go string always encodes
		return strconv.AppendQuote(b, s)
	}
	return append(b, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
}
