package eval

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

func init() {
	register(map[string]func(*call) (arrow.Array, error){
		"raise_error": raiseError, "assert_true": assertTrue, "from_csv": fromCSV, "from_json": fromJSON, "to_json": toJSON, "get_json_object": getJSONObject,
		"json_array_length": jsonArrayLength, "json_object_keys": jsonObjectKeys,
		"version": constantText("4.2.0"), "current_user": constantText("sluice"), "current_database": constantText("default"),
		"current_catalog": constantText("spark_catalog"), "current_timezone": constantText("Etc/UTC"),
	})
}

func constantText(s string) func(*call) (arrow.Array, error) {
	return func(c *call) (arrow.Array, error) { return c.strings(func(int) (string, error) { return s, nil }) }
}

func raiseError(c *call) (arrow.Array, error) {
	s := c.str(0)
	if c.n > 0 {
		return nil, failf("USER_RAISED_EXCEPTION", "%s", s(0))
	}
	return columns.Nulls(arrow.Null, c.n), nil
}

func assertTrue(c *call) (arrow.Array, error) {
	ok, bits, msg := valid(c.n, c.args[0]), boolBits(c.args[0].arr), c.str(1)
	for i := range c.n {
		if at := c.args[0].at(i); !isSet(bits, at) || !isSet(ok, i) {
			return nil, failf("USER_RAISED_EXCEPTION", "%s", msg(i))
		}
	}
	return columns.Nulls(arrow.Null, c.n), nil
}

// convertText casts one text to a type; nil when it does not convert.
func convertText(s string, t types.Type, zone *time.Location) any {
	a, err := fromValues(types.String, s)
	if err != nil || types.IsNested(t) {
		return nil
	}
	out, err := castArray(a, types.String, t, castMode{try: true, zone: zone})
	if err != nil {
		return nil
	}
	return columns.Value(out, 0)
}

// fromCSV reads one record; a field that does not convert is NULL.
func fromCSV(c *call) (arrow.Array, error) {
	s, fields := c.str(0), c.out().(*types.Struct).Fields
	return c.boxed(func(i int) (any, error) {
		r := csv.NewReader(strings.NewReader(s(i)))
		r.LazyQuotes, r.FieldsPerRecord = true, -1
		record, err := r.Read()
		out := make([]any, len(fields))
		if err != nil {
			return out, nil
		}
		for k, f := range fields {
			if k < len(record) && record[k] != "" {
				out[k] = convertText(record[k], f.Type, c.zone())
			}
		}
		return out, nil
	})
}

// fromJSON reads a value of the given schema; what does not fit is NULL.
func fromJSON(c *call) (arrow.Array, error) {
	s := c.str(0)
	return c.boxed(func(i int) (any, error) {
		d := json.NewDecoder(strings.NewReader(s(i)))
		d.UseNumber()
		var v any
		if d.Decode(&v) != nil {
			if st, ok := c.out().(*types.Struct); ok {
				return make([]any, len(st.Fields)), nil
			}
			return nil, nil
		}
		return fromJSONValue(v, c.out(), c.zone()), nil
	})
}

func fromJSONValue(v any, t types.Type, zone *time.Location) any {
	switch t := t.(type) {
	case *types.Struct:
		obj, ok := v.(map[string]any)
		out := make([]any, len(t.Fields))
		if !ok {
			if v == nil {
				return nil
			}
			return out
		}
		for k, f := range t.Fields {
			out[k] = fromJSONValue(obj[f.Name], f.Type, zone)
		}
		return out
	case *types.Array:
		list, ok := v.([]any)
		if !ok {
			return nil
		}
		out := make([]any, len(list))
		for k := range list {
			out[k] = fromJSONValue(list[k], t.Element, zone)
		}
		return out
	case *types.Map:
		obj, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		out := []columns.KV{}
		for _, k := range sortedKeys(obj) {
			out = append(out, columns.KV{Key: convertText(k, t.Key, zone), Value: fromJSONValue(obj[k], t.Value, zone)})
		}
		return out
	}
	switch x := v.(type) {
	case nil:
		return nil
	case bool:
		if t == types.Boolean {
			return x
		}
		if t == types.String {
			return map[bool]string{true: "true", false: "false"}[x]
		}
		return nil
	case json.Number:
		if t == types.String {
			return x.String()
		}
		if !types.IsNumeric(t) {
			return nil
		}
		return convertText(x.String(), t, zone)
	case string:
		if t == types.String {
			return x
		}
		if types.IsIntegral(t) || t == types.Boolean {
			return nil
		}
		return convertText(x, t, zone)
	}
	if t == types.String {
		b, _ := json.Marshal(v)
		return string(b)
	}
	return nil
}

func sortedKeys(m map[string]any) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	vals := make([]any, len(out))
	for i, k := range out {
		vals[i] = k
	}
	for i, v := range sortedList(vals, true, true) {
		out[i] = v.(string)
	}
	return out
}

// toJSON writes a value; NULL members of structs are left out.
func toJSON(c *call) (arrow.Array, error) {
	v := c.any(0)
	return makeStrings(c.out(), c.n, valid(c.n, c.args[0]), func(i int) (string, error) {
		return string(appendJSON(nil, v(i), c.typ(0), c.node.In)), nil
	})
}

func appendJSON(b []byte, v any, t types.Type, in expr.Session) []byte {
	switch x := v.(type) {
	case nil:
		return append(b, "null"...)
	case string:
		return columns.AppendQuoted(b, x)
	case expr.Decimal:
		return append(b, x.String()...)
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return columns.AppendQuoted(b, formatFloat(x, 64))
		}
		if t == types.Float {
			return append(b, formatFloat(x, 32)...)
		}
		return append(b, formatFloat(x, 64)...)
	case []columns.KV:
		m := t.(*types.Map)
		b = append(b, '{')
		for i, kv := range x {
			if i > 0 {
				b = append(b, ',')
			}
			key, _ := fromValues(m.Key, kv.Key)
			b = append(columns.AppendQuoted(b, texter(key, m.Key, in)(0)), ':')
			b = appendJSON(b, kv.Value, m.Value, in)
		}
		return append(b, '}')
	case []any:
		switch t := t.(type) {
		case *types.Struct:
			b = append(b, '{')
			first := true
			for i, f := range t.Fields {
				if x[i] == nil {
					continue
				}
				if !first {
					b = append(b, ',')
				}
				first = false
				b = append(columns.AppendQuoted(b, f.Name), ':')
				b = appendJSON(b, x[i], f.Type, in)
			}
			return append(b, '}')
		case *types.Array:
			b = append(b, '[')
			for i := range x {
				if i > 0 {
					b = append(b, ',')
				}
				b = appendJSON(b, x[i], t.Element, in)
			}
			return append(b, ']')
		}
		if t == types.Variant {
			text, err := columns.VariantJSON(x[0].([]byte), x[1].([]byte))
			if err == nil {
				return append(b, text...)
			}
		}
		return append(b, "null"...)
	case int64:
		switch t.Kind() {
		case types.KindTimestamp:
			return columns.AppendQuoted(b, timestampJSON(civil.Local(x, in.Zone))+zoneText(patternPart{letter: 'X', n: 3}, x, in.Zone))
		case types.KindTimestampNTZ:
			return columns.AppendQuoted(b, timestampJSON(x))
		case types.KindDate, types.KindDayTimeInterval, types.KindYearMonthInterval:
			a, _ := fromValues(t, x)
			return columns.AppendQuoted(b, texter(a, t, in)(0))
		}
	case []byte:
		a, _ := fromValues(types.Binary, x)
		base, _ := text1(func(s string) string { return s })(&call{node: &expr.Call{T: types.String}, args: []vec{{arr: a}}, n: 1})
		return columns.AppendQuoted(b, texts(vec{arr: base})(0))
	}
	a, err := fromValues(t, v)
	if err != nil {
		return append(b, "null"...)
	}
	return append(b, texter(a, t, in)(0)...)
}

func timestampJSON(micros int64) string {
	return time.UnixMicro(micros).UTC().Format("2006-01-02T15:04:05.000")
}

// getJSONObject follows a path into JSON text; scalars lose their quotes.
func getJSONObject(c *call) (arrow.Array, error) {
	s, path := c.str(0), c.str(1)
	return c.strings(func(i int) (string, error) {
		d := json.NewDecoder(strings.NewReader(s(i)))
		d.UseNumber()
		var v any
		if d.Decode(&v) != nil {
			return "", errNull
		}
		steps, err := jsonPath(path(i))
		if err != nil {
			return "", errNull
		}
		for _, x := range steps {
			switch o := v.(type) {
			case map[string]any:
				v = o[x.name]
			case []any:
				if x.field || x.index >= len(o) {
					return "", errNull
				}
				v = o[x.index]
			default:
				return "", errNull
			}
		}
		switch x := v.(type) {
		case nil:
			return "", errNull
		case string:
			return x, nil
		case json.Number:
			return x.String(), nil
		}
		b, err := json.Marshal(v)
		return string(b), err
	})
}

func jsonArrayLength(c *call) (arrow.Array, error) {
	s := c.str(0)
	return c.ints(func(i int) (int64, error) {
		var list []json.RawMessage
		if json.Unmarshal([]byte(s(i)), &list) != nil || list == nil {
			return 0, errNull
		}
		return int64(len(list)), nil
	})
}

// jsonObjectKeys lists the keys of the outermost object in their order.
func jsonObjectKeys(c *call) (arrow.Array, error) {
	s := c.str(0)
	return c.boxed(func(i int) (any, error) {
		if !json.Valid([]byte(s(i))) {
			return nil, nil
		}
		d := json.NewDecoder(strings.NewReader(s(i)))
		if tok, err := d.Token(); err != nil || tok != json.Delim('{') {
			return nil, nil
		}
		out := []any{}
		for d.More() {
			key, err := d.Token()
			var skip json.RawMessage
			if err != nil || d.Decode(&skip) != nil {
				return nil, nil
			}
			out = append(out, key)
		}
		return out, nil
	})
}
