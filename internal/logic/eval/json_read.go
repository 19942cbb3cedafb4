package eval

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

// textOptions are the options of from_json, to_json and from_csv that a map of
// literals gives.
type textOptions struct {
	dates, times, ntz *datePattern
	failFast          bool
	keepNulls         bool   // ignoreNullFields is false
	sortKeys          bool   // members in the order of their names
	separator         rune   // of CSV; 0 is a comma
	nullText          string // what stands for NULL in CSV
	zone              *time.Location
}

func (c *call) textOptions(k int) (textOptions, error) {
	o := textOptions{zone: c.zone()}
	if !c.has(k) {
		return o, nil
	}
	list, _ := c.any(k)(0).([]columns.KV)
	for _, kv := range list {
		name, _ := kv.Key.(string)
		value, _ := kv.Value.(string)
		var err error
		switch strings.ToLower(name) {
		case "dateformat":
			o.dates, err = compilePattern(value, true)
		case "timestampformat":
			o.times, err = compilePattern(value, true)
		case "timestampntzformat":
			o.ntz, err = compilePattern(value, true)
		case "ignorenullfields":
			o.keepNulls = strings.EqualFold(value, "false")
		case "sortkeys":
			o.sortKeys = strings.EqualFold(value, "true")
		case "sep", "delimiter":
			for _, r := range value {
				o.separator = r
				break
			}
		case "nullvalue":
			o.nullText = value
		case "timezone":
			if z, ok := civil.Zone(value); ok {
				o.zone = z
			}
		case "mode":
			o.failFast = strings.EqualFold(value, "FAILFAST")
		}
		if err != nil {
			return o, err
		}
	}
	return o, nil
}

// pattern is the format that is set for a type.
func (o textOptions) pattern(t types.Type) *datePattern {
	switch t {
	case types.Date:
		return o.dates
	case types.Timestamp:
		return o.times
	case types.TimestampNTZ:
		return o.ntz
	}
	return nil
}

// value converts a text to a type; nil when it does not convert.
func (o textOptions) value(s string, t types.Type) any {
	p := o.pattern(t)
	if p == nil {
		return convertText(s, t, o.zone)
	}
	micros, zoned, err := p.parse(s)
	switch {
	case err != nil:
		return nil
	case t == types.Date:
		if zoned {
			micros = civil.Local(micros, o.zone)
		}
		days, _ := civil.Split(micros)
		return days
	case t == types.Timestamp && !zoned:
		return civil.Instant(micros, o.zone)
	}
	return micros
}

// corrupt is the column of a schema that takes the text of a record that is none.
const corrupt = "_corrupt_record"

// fromJSON reads a value of the given schema; what does not fit is NULL.
func fromJSON(c *call) (arrow.Array, error) {
	s := c.str(0)
	o, err := c.textOptions(2)
	if err != nil {
		return nil, err
	}
	return c.boxed(func(i int) (any, error) {
		text := relaxedJSON(s(i))
		if strings.TrimSpace(text) == "" {
			return nil, nil
		}
		r := jsonReader{o: o}
		d := json.NewDecoder(strings.NewReader(text))
		var raw json.RawMessage
		var out any
		if d.Decode(&raw) != nil {
			r.bad = true
		} else {
			out = r.read(raw, c.out(), true)
		}
		if r.bad && o.failFast {
			return nil, failf("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "%q does not fit %s", clip(s(i)), types.SQL(c.out()))
		}
		st, ok := c.out().(*types.Struct)
		if !ok {
			return out, nil
		}
		row, _ := out.([]any)
		if row == nil {
			if !r.bad {
				return nil, nil
			}
			row = make([]any, len(st.Fields))
		}
		if k := st.Index(corrupt); k >= 0 && r.bad {
			row[k] = s(i)
		}
		return row, nil
	})
}

// jsonReader reads values out of JSON; bad says that one of them did not fit.
type jsonReader struct {
	o   textOptions
	bad bool
}

func (r *jsonReader) misfit() any { r.bad = true; return nil }

func (r *jsonReader) read(raw json.RawMessage, t types.Type, root bool) any {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	switch t := t.(type) {
	case *types.Struct:
		if list, ok := items(raw); ok && root { // an array of one record is the record
			if len(list) == 0 {
				return nil
			}
			raw = bytes.TrimSpace(list[0])
			if len(list) > 1 {
				return r.misfit()
			}
		}
		keys, values, ok := members(raw)
		if !ok {
			return r.misfit()
		}
		out := make([]any, len(t.Fields))
		for k, f := range t.Fields {
			for i, key := range keys {
				if key == f.Name {
					out[k] = r.read(values[i], f.Type, false)
				}
			}
		}
		return out
	case *types.Array:
		list, ok := items(raw)
		if !ok {
			return r.misfit()
		}
		out := make([]any, len(list))
		for k := range list {
			out[k] = r.read(list[k], t.Element, false)
		}
		return out
	case *types.Map:
		keys, values, ok := members(raw)
		if !ok {
			return r.misfit()
		}
		out := []columns.KV{}
		for i, k := range keys {
			out = append(out, columns.KV{Key: r.o.value(k, t.Key), Value: r.read(values[i], t.Value, false)})
		}
		return out
	}
	if v := r.scalar(raw, t); v != nil {
		return v
	}
	return r.misfit()
}

// scalar reads a value that is not nested; nil when it does not fit. A text takes
// any JSON as it is written.
func (r *jsonReader) scalar(raw json.RawMessage, t types.Type) any {
	switch c := raw[0]; {
	case c == '"':
		var s string
		if json.Unmarshal(raw, &s) != nil {
			return nil
		}
		switch {
		case t == types.String:
			return s
		case t == types.Binary:
			b, err := base64.StdEncoding.DecodeString(s)
			if err != nil {
				return nil
			}
			return b
		case types.IsIntegral(t) || t == types.Boolean:
			return nil
		}
		return r.o.value(s, t)
	case t == types.String:
		return string(raw)
	case c == 't' || c == 'f':
		if t == types.Boolean {
			return c == 't'
		}
		return nil
	case c == '{' || c == '[' || !types.IsNumeric(t):
		return nil
	}
	return convertText(string(raw), t, r.o.zone)
}
