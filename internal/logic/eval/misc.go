package eval

import (
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"math"
	"sort"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

func init() {
	register(map[string]func(*call) (arrow.Array, error){
		"raise_error": raiseError, "assert_true": assertTrue, "from_csv": fromCSV, "from_json": fromJSON, "to_csv": toCSV, "to_json": toJSON, "get_json_object": getJSONObject,
		"json_array_length": jsonArrayLength, "json_object_keys": jsonObjectKeys,
		"version": constantText("4.2.0"), "current_user": constantText("sluice"), "current_database": constantText("default"),
		"current_catalog": constantText("spark_catalog"), "current_timezone": constantText("UTC"),
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
	o, err := c.textOptions(2)
	if err != nil {
		return nil, err
	}
	return c.boxed(func(i int) (any, error) {
		r := csv.NewReader(strings.NewReader(s(i)))
		r.LazyQuotes, r.FieldsPerRecord = true, -1
		if o.separator != 0 {
			r.Comma = o.separator
		}
		record, err := r.Read()
		out := make([]any, len(fields))
		if err != nil {
			return out, nil
		}
		for k, f := range fields {
			if k < len(record) && record[k] != o.nullText {
				out[k] = o.value(record[k], f.Type)
			}
		}
		return out, nil
	})
}

// toCSV writes a struct as one line; a value with a comma, a quote or a line end
// stands in quotes.
func toCSV(c *call) (arrow.Array, error) {
	v, fields := c.any(0), c.typ(0).(*types.Struct).Fields
	o, err := c.textOptions(1)
	if err != nil {
		return nil, err
	}
	sep := o.separator
	if sep == 0 {
		sep = ','
	}
	return makeText(c.out(), c.n, valid(c.n, c.args[0]), func(b []byte, i int) ([]byte, error) {
		row, _ := v(i).([]any)
		for k, f := range fields {
			if k > 0 {
				b = utf8.AppendRune(b, sep)
			}
			switch x := row[k].(type) {
			case nil:
				b = append(b, o.nullText...)
			case string:
				switch {
				case x == "":
					b = append(b, `""`...)
				case strings.ContainsRune(x, sep) || strings.ContainsAny(x, "\"\n\r"):
					b = append(append(append(b, '"'), strings.ReplaceAll(strings.ReplaceAll(x, `\`, `\\`), `"`, `\"`)...), '"')
				default:
					b = append(b, x...)
				}
			case []any, []columns.KV:
				a, err := fromValues(f.Type, x)
				if err != nil {
					return nil, err
				}
				b = append(b, texter(a, f.Type, c.node.In)(0)...)
			default:
				text := appendJSON(nil, x, f.Type, c.node.In, o)
				b = append(b, strings.Trim(string(text), `"`)...)
			}
		}
		return b, nil
	})
}

// toJSON writes a value; NULL members of structs are left out.
func toJSON(c *call) (arrow.Array, error) {
	v := c.any(0)
	o, err := c.textOptions(1)
	if err != nil {
		return nil, err
	}
	return makeText(c.out(), c.n, valid(c.n, c.args[0]), func(b []byte, i int) ([]byte, error) {
		return appendJSON(b, v(i), c.typ(0), c.node.In, o), nil
	})
}

// order lists the fields of a struct as they are written.
func (o textOptions) order(t *types.Struct) []int {
	out := make([]int, len(t.Fields))
	for i := range out {
		out[i] = i
	}
	if o.sortKeys {
		sort.SliceStable(out, func(i, j int) bool { return t.Fields[out[i]].Name < t.Fields[out[j]].Name })
	}
	return out
}

func appendJSON(b []byte, v any, t types.Type, in expr.Session, o textOptions) []byte {
	switch x := v.(type) {
	case nil:
		return append(b, "null"...)
	case string:
		return columns.AppendQuoted(b, x)
	case expr.Decimal:
		return append(b, bigDecimalText(x)...)
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
			b = appendJSON(b, kv.Value, m.Value, in, o)
		}
		return append(b, '}')
	case []any:
		switch t := t.(type) {
		case *types.Struct:
			b = append(b, '{')
			first := true
			for _, i := range o.order(t) {
				f := t.Fields[i]
				if x[i] == nil && !o.keepNulls {
					continue
				}
				if !first {
					b = append(b, ',')
				}
				first = false
				b = append(columns.AppendQuoted(b, f.Name), ':')
				b = appendJSON(b, x[i], f.Type, in, o)
			}
			return append(b, '}')
		case *types.Array:
			b = append(b, '[')
			for i := range x {
				if i > 0 {
					b = append(b, ',')
				}
				b = appendJSON(b, x[i], t.Element, in, o)
			}
			return append(b, ']')
		}
		if t == types.CalendarInterval {
			a, _ := fromValues(t, v)
			return columns.AppendQuoted(b, texter(a, t, in)(0))
		}
		if t == types.Variant {
			text, err := variantJSONText(x[0].([]byte), x[1].([]byte), in.Zone)
			if err == nil {
				return append(b, text...)
			}
		}
		return append(b, "null"...)
	case int64:
		if p := o.pattern(t); p != nil {
			at, zone := x, o.zone
			if t == types.Date {
				at = x * 86_400_000_000
			}
			if t != types.Timestamp {
				zone = nil
			}
			return columns.AppendQuoted(b, string(p.format(nil, at, zone)))
		}
		switch t.Kind() {
		case types.KindTimestamp:
			return columns.AppendQuoted(b, timestampJSON(civil.Local(x, o.zone))+zoneText(patternPart{letter: 'X', n: 3}, x, o.zone))
		case types.KindTimestampNTZ:
			return columns.AppendQuoted(b, timestampJSON(x))
		case types.KindDate, types.KindDayTimeInterval, types.KindYearMonthInterval:
			a, _ := fromValues(t, x)
			return columns.AppendQuoted(b, texter(a, t, in)(0))
		}
	case []byte:
		return columns.AppendQuoted(b, base64.StdEncoding.EncodeToString(x))
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
