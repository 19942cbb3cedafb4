package checkpoint

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/action"
)

// appendJSON writes a value as the log has it: nulls are left out of structs,
// maps are objects, and typed statistics have the spelling of JSON statistics
// (PROTOCOL.md, Per-file Statistics).
func appendJSON(dst []byte, a arrow.Array, i int) ([]byte, error) {
	if a.IsNull(i) {
		return append(dst, "null"...), nil
	}
	var err error
	switch x := a.(type) {
	case *array.Struct:
		dst = append(dst, '{')
		first := true
		for k, f := range x.DataType().(*arrow.StructType).Fields() {
			col := x.Field(k)
			if col.IsNull(i) {
				continue
			}
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = append(action.AppendQuoted(dst, f.Name), ':')
			if dst, err = appendJSON(dst, col, i); err != nil {
				return dst, err
			}
		}
		return append(dst, '}'), nil
	case *array.Map:
		from, to := x.ValueOffsets(i)
		dst = append(dst, '{')
		keys, err := asTexts(x.Keys())
		if err != nil {
			return dst, err
		}
		for k := from; k < to; k++ {
			if k > from {
				dst = append(dst, ',')
			}
			dst = append(action.AppendQuoted(dst, keys.Value(int(k))), ':')
			if dst, err = appendJSON(dst, x.Items(), int(k)); err != nil {
				return dst, err
			}
		}
		return append(dst, '}'), nil
	case array.ListLike:
		from, to := x.ValueOffsets(i)
		dst = append(dst, '[')
		for k := from; k < to; k++ {
			if k > from {
				dst = append(dst, ',')
			}
			if dst, err = appendJSON(dst, x.ListValues(), int(k)); err != nil {
				return dst, err
			}
		}
		return append(dst, ']'), nil
	}
	return appendScalar(dst, a, i)
}

func appendScalar(dst []byte, a arrow.Array, i int) ([]byte, error) {
	switch x := a.(type) {
	case *array.Boolean:
		return strconv.AppendBool(dst, x.Value(i)), nil
	case *array.Int8:
		return strconv.AppendInt(dst, int64(x.Value(i)), 10), nil
	case *array.Int16:
		return strconv.AppendInt(dst, int64(x.Value(i)), 10), nil
	case *array.Int32:
		return strconv.AppendInt(dst, int64(x.Value(i)), 10), nil
	case *array.Int64:
		return strconv.AppendInt(dst, x.Value(i), 10), nil
	case *array.Float32:
		return appendFloat(dst, float64(x.Value(i)), 32)
	case *array.Float64:
		return appendFloat(dst, x.Value(i), 64)
	case *array.Decimal128:
		return append(dst, x.Value(i).ToString(x.DataType().(*arrow.Decimal128Type).Scale)...), nil
	case *array.Date32:
		return action.AppendQuoted(dst, x.Value(i).ToTime().Format("2006-01-02")), nil
	case *array.Timestamp:
		unit := x.DataType().(*arrow.TimestampType)
		form := "2006-01-02T15:04:05.000000"
		if unit.TimeZone != "" {
			form += "Z"
		}
		return action.AppendQuoted(dst, x.Value(i).ToTime(unit.Unit).In(time.UTC).Format(form)), nil
	case *array.Binary:
		return action.AppendQuoted(dst, base64.StdEncoding.EncodeToString(x.Value(i))), nil
	}
	if t, err := asTexts(a); err == nil && t != nil {
		return action.AppendQuoted(dst, t.Value(i)), nil
	}
	return dst, fmt.Errorf("a column of type %s in a checkpoint", a.DataType())
}

// appendFloat spells the numbers that JSON lacks as texts, as the reference does.
func appendFloat(dst []byte, v float64, bits int) ([]byte, error) {
	switch {
	case math.IsNaN(v):
		return append(dst, `"NaN"`...), nil
	case math.IsInf(v, 1):
		return append(dst, `"Infinity"`...), nil
	case math.IsInf(v, -1):
		return append(dst, `"-Infinity"`...), nil
	}
	var text []byte
	var err error
	if bits == 32 {
		text, err = json.Marshal(float32(v))
	} else {
		text, err = json.Marshal(v)
	}
	return append(dst, text...), err
}
