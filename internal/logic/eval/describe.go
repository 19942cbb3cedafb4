package eval

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"sort"
	"strconv"
	"strings"
	"unicode"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/types"
)

func init() {
	register(map[string]func(*call) (arrow.Array, error){
		"schema_of_json": schemaOfJSON, "schema_of_csv": schemaOfCSV, "sentences": sentences,
		"is_valid_variant": func(c *call) (arrow.Array, error) {
			get := variantAt(c.args[0])
			return c.bools(func(i int) (bool, error) { _, err := get(i); return err == nil, nil })
		},
	})
}

// schemaOfJSON spells the type that Spark infers for a JSON text.
func schemaOfJSON(c *call) (arrow.Array, error) {
	s := c.str(0)
	return makeStrings(c.out(), c.n, valid(c.n, c.args[0]), func(i int) (string, error) {
		d := json.NewDecoder(strings.NewReader(relaxedJSON(s(i))))
		d.UseNumber()
		var raw json.RawMessage
		if d.Decode(&raw) != nil {
			return "STRUCT<" + corrupt + ": STRING>", nil
		}
		return types.SQL(settled(jsonType(raw))), nil
	})
}

// jsonType infers a type; null is VOID.
func jsonType(raw json.RawMessage) types.Type {
	raw = bytes.TrimSpace(raw)
	if list, ok := items(raw); ok {
		el := types.Type(types.Void)
		for _, x := range list {
			el = joined(el, jsonType(x))
		}
		return &types.Array{Element: el, ContainsNull: true}
	}
	if keys, values, ok := members(raw); ok {
		out := &types.Struct{}
		for i, k := range keys {
			if at := out.Index(k); at >= 0 && out.Fields[at].Name == k {
				out.Fields[at].Type = joined(out.Fields[at].Type, jsonType(values[i]))
				continue
			}
			out.Fields = append(out.Fields, types.Field{Name: k, Type: jsonType(values[i]), Nullable: true})
		}
		sort.SliceStable(out.Fields, func(i, j int) bool { return out.Fields[i].Name < out.Fields[j].Name })
		return out
	}
	switch text := string(raw); {
	case text == "null":
		return types.Void
	case text == "true" || text == "false":
		return types.Boolean
	case text[0] == '"':
		return types.String
	case !strings.ContainsAny(text, ".eE"):
		if _, err := strconv.ParseInt(text, 10, 64); err == nil {
			return types.Long
		}
		if n := len(strings.TrimPrefix(text, "-")); n <= 38 {
			return types.Decimal{Precision: n}
		}
	}
	return types.Double
}

// joined is the type of values of two inferred types.
func joined(a, b types.Type) types.Type {
	switch {
	case a == types.Void || types.SameIgnoringNullability(a, b):
		return b
	case b == types.Void:
		return a
	case types.IsNumeric(a) && types.IsNumeric(b):
		if a == types.Double || b == types.Double {
			return types.Double
		}
		p := 20
		for _, t := range []types.Type{a, b} {
			if d, ok := t.(types.Decimal); ok {
				p = max(p, d.Precision)
			}
		}
		return types.Decimal{Precision: p}
	}
	switch x := a.(type) {
	case *types.Array:
		if y, ok := b.(*types.Array); ok {
			return &types.Array{Element: joined(x.Element, y.Element), ContainsNull: true}
		}
	case *types.Struct:
		if y, ok := b.(*types.Struct); ok {
			out := &types.Struct{Fields: append([]types.Field{}, x.Fields...)}
			for _, f := range y.Fields {
				if at := out.Index(f.Name); at >= 0 {
					out.Fields[at].Type = joined(out.Fields[at].Type, f.Type)
				} else {
					out.Fields = append(out.Fields, f)
				}
			}
			sort.SliceStable(out.Fields, func(i, j int) bool { return out.Fields[i].Name < out.Fields[j].Name })
			return out
		}
	}
	return types.String
}

// settled makes what held only null a string.
func settled(t types.Type) types.Type {
	switch x := t.(type) {
	case *types.Array:
		return &types.Array{Element: settled(x.Element), ContainsNull: true}
	case *types.Struct:
		out := &types.Struct{}
		for _, f := range x.Fields {
			out.Fields = append(out.Fields, types.Field{Name: f.Name, Type: settled(f.Type), Nullable: true})
		}
		return out
	}
	if t == types.Void {
		return types.String
	}
	return t
}

// schemaOfCSV spells the type that Spark infers for one record.
func schemaOfCSV(c *call) (arrow.Array, error) {
	s := c.str(0)
	o, err := c.textOptions(1)
	if err != nil {
		return nil, err
	}
	return makeStrings(c.out(), c.n, valid(c.n, c.args[0]), func(i int) (string, error) {
		r := csv.NewReader(strings.NewReader(s(i)))
		r.LazyQuotes, r.FieldsPerRecord = true, -1
		if o.separator != 0 {
			r.Comma = o.separator
		}
		record, err := r.Read()
		if err != nil {
			record = []string{""}
		}
		out := &types.Struct{}
		for k, text := range record {
			out.Fields = append(out.Fields, types.Field{Name: "_c" + strconv.Itoa(k), Type: csvType(text), Nullable: true})
		}
		return types.SQL(out), nil
	})
}

func csvType(text string) types.Type {
	if text == "" {
		return types.String
	}
	for _, t := range []types.Type{types.Integer, types.Long} {
		if _, err := strconv.ParseInt(text, 10, map[types.Type]int{types.Integer: 32, types.Long: 64}[t]); err == nil {
			return t
		}
	}
	if digits := strings.TrimLeft(text, "+-"); digits != "" && len(digits) <= 38 && strings.Trim(digits, "0123456789") == "" {
		return types.Decimal{Precision: len(digits)}
	}
	if v, ok := parseFloat(text, 64); ok && (v == v) {
		return types.Double
	}
	if len(text) == 10 && convertText(text, types.Date, nil) != nil {
		return types.Date
	}
	if len(text) >= 10 && strings.Count(text, "-") >= 2 && convertText(text, types.Timestamp, nil) != nil {
		return types.Timestamp
	}
	switch strings.ToLower(text) {
	case "true", "false":
		return types.Boolean
	}
	return types.String
}

// sentences splits a text into sentences of words.
func sentences(c *call) (arrow.Array, error) {
	s := c.str(0)
	return c.boxed(func(i int) (any, error) {
		out, words := []any{}, []any{}
		flush := func() {
			if len(words) > 0 {
				out, words = append(out, words), []any{}
			}
		}
		text := []rune(s(i))
		inWord := func(k int) bool {
			r := text[k]
			if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == '_' {
				return true
			}
			return (r == '\'' || r == '.' || r == '’') && k > 0 && k+1 < len(text) &&
				(unicode.IsLetter(text[k-1]) && unicode.IsLetter(text[k+1]) || r == '.' && unicode.IsDigit(text[k-1]) && unicode.IsDigit(text[k+1]))
		}
		for k := 0; k < len(text); {
			if inWord(k) {
				start := k
				for k < len(text) && inWord(k) {
					k++
				}
				words = append(words, string(text[start:k]))
				continue
			}
			if r := text[k]; strings.ContainsRune("!?。！？", r) || r == '.' && endsSentence(text[k+1:]) {
				flush()
			}
			k++
		}
		flush()
		return out, nil
	})
}

// endsSentence reports whether a point before this text ends a sentence: space
// follows, and no small letter after it.
func endsSentence(rest []rune) bool {
	if len(rest) == 0 {
		return true
	}
	if !unicode.IsSpace(rest[0]) {
		return false
	}
	for _, r := range rest {
		if !unicode.IsSpace(r) {
			return !unicode.IsLower(r)
		}
	}
	return true
}
