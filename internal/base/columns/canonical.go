package columns

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/types"
)

// AppendCanonical appends the canonical text of a row: a JSON object without
// spaces, every column of the schema in its order, each value in the one form
// that its type has, so that equal rows are equal bytes. The columns of rec are
// the Arrow forms (ArrowType) of the schema's types.
func AppendCanonical(dst []byte, rec arrow.RecordBatch, schema *types.Struct, row int) []byte {
	return AppendCanonicalRow(dst, rec.Columns(), schema, row)
}

// AppendCanonicalRow is AppendCanonical over bare columns.
func AppendCanonicalRow(dst []byte, cols []arrow.Array, schema *types.Struct, row int) []byte {
	dst = append(dst, '{')
	for i := range schema.Fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendQuoted(dst, schema.Fields[i].Name)
		dst = append(dst, ':')
		dst = AppendCanonicalValue(dst, cols[i], schema.Fields[i].Type, row)
	}
	return append(dst, '}')
}

// AppendCanonicalValue appends the canonical form of one value.
func AppendCanonicalValue(dst []byte, a arrow.Array, t types.Type, i int) []byte {
	if IsNull(a, i) {
		return append(dst, "null"...)
	}
	switch x := a.(type) {
	case *array.Boolean:
		return strconv.AppendBool(dst, x.Value(i))
	case *array.Int8:
		return strconv.AppendInt(dst, int64(x.Value(i)), 10)
	case *array.Int16:
		return strconv.AppendInt(dst, int64(x.Value(i)), 10)
	case *array.Int32:
		return strconv.AppendInt(dst, int64(x.Value(i)), 10)
	case *array.Int64:
		return strconv.AppendInt(dst, x.Value(i), 10)
	case *array.Float32:
		return appendFloat(dst, float64(x.Value(i)), 32)
	case *array.Float64:
		return appendFloat(dst, x.Value(i), 64)
	case *array.Decimal128:
		dst = append(dst, '"')
		dst = AppendDecimal(dst, x.Value(i), int(x.DataType().(*arrow.Decimal128Type).Scale))
		return append(dst, '"')
	case *array.String:
		return AppendQuoted(dst, x.Value(i))
	case *array.Binary:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, x.Value(i))
		return append(dst, '"')
	case *array.Date32:
		dst = append(dst, '"')
		dst = AppendDate(dst, int64(x.Value(i)))
		return append(dst, '"')
	case *array.Timestamp:
		dst = append(dst, '"')
		dst = AppendTimestamp(dst, int64(x.Value(i)))
		if t.Kind() != types.KindTimestampNTZ {
			dst = append(dst, 'Z')
		}
		return append(dst, '"')
	case *array.Map:
		return appendCanonicalMap(dst, x, t.(*types.Map), i)
	case *array.List:
		dst = append(dst, '[')
		from, to := x.ValueOffsets(i)
		for p := from; p < to; p++ {
			if p > from {
				dst = append(dst, ',')
			}
			dst = AppendCanonicalValue(dst, x.ListValues(), t.(*types.Array).Element, int(p))
		}
		return append(dst, ']')
	case *array.Struct:
		if t.Kind() == types.KindVariant {
			return appendCanonicalVariant(dst, x, i)
		}
		s := t.(*types.Struct)
		dst = append(dst, '{')
		for f := range s.Fields {
			if f > 0 {
				dst = append(dst, ',')
			}
			dst = AppendQuoted(dst, s.Fields[f].Name)
			dst = append(dst, ':')
			dst = AppendCanonicalValue(dst, x.Field(f), s.Fields[f].Type, i)
		}
		return append(dst, '}')
	}
	panic(fmt.Sprintf("columns: no canonical form for Arrow type %s", a.DataType()))
}

// appendCanonicalMap writes [key,value] pairs, sorted by their own bytes.
func appendCanonicalMap(dst []byte, m *array.Map, t *types.Map, i int) []byte {
	from, to := m.ValueOffsets(i)
	pairs := make([][]byte, 0, to-from)
	for p := from; p < to; p++ {
		e := AppendCanonicalValue([]byte{'['}, m.Keys(), t.Key, int(p))
		e = AppendCanonicalValue(append(e, ','), m.Items(), t.Value, int(p))
		pairs = append(pairs, append(e, ']'))
	}
	slices.SortFunc(pairs, bytes.Compare)
	dst = append(dst, '[')
	for k, e := range pairs {
		if k > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, e...)
	}
	return append(dst, ']')
}

// appendCanonicalVariant writes the JSON text of a variant as a JSON string. A
// variant that cannot be decoded is shown as its bytes.
func appendCanonicalVariant(dst []byte, s *array.Struct, i int) []byte {
	meta, ok1 := s.Field(0).(*array.Binary)
	val, ok2 := s.Field(1).(*array.Binary)
	if !ok1 || !ok2 {
		return append(dst, "null"...)
	}
	text, err := VariantJSON(meta.Value(i), val.Value(i))
	if err != nil {
		text = base64.StdEncoding.AppendEncode([]byte("invalid variant "), val.Value(i))
	}
	return AppendQuoted(dst, string(text))
}

// appendFloat writes the ECMAScript number form of the shortest digits that
// round-trip; what JSON numbers lack is a string.
func appendFloat(dst []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...)
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 {
		if bits == 64 && (abs < 1e-6 || abs >= 1e21) || bits == 32 && (float32(abs) < 1e-6 || float32(abs) >= 1e21) {
			format = 'e'
		}
	}
	dst = strconv.AppendFloat(dst, f, format, -1, bits)
	if n := len(dst); format == 'e' && n >= 4 && dst[n-4] == 'e' && dst[n-2] == '0' { // e-07 is e-7
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
}

// AppendQuoted appends a JSON string that escapes only what JSON must.
func AppendQuoted(dst []byte, s string) []byte { return action.AppendQuotedLower(dst, s) }

// AppendDecimal writes an unscaled decimal with exactly scale fraction digits.
func AppendDecimal(dst []byte, d decimal128.Num, scale int) []byte {
	var digits []byte
	var buf [48]byte
	negative := d.Sign() < 0
	if hi, lo := d.HighBits(), d.LowBits(); (hi == 0 && lo <= math.MaxInt64) || (hi == -1 && int64(lo) < 0 && lo != 1<<63) {
		n := int64(lo)
		if n < 0 {
			n = -n
		}
		digits = strconv.AppendInt(buf[:0], n, 10)
	} else {
		big := d.BigInt()
		digits = big.Abs(big).Append(buf[:0], 10)
	}
	if negative {
		dst = append(dst, '-')
	}
	if scale <= 0 {
		return append(dst, digits...)
	}
	whole := len(digits) - scale
	if whole <= 0 {
		dst = append(dst, '0', '.')
		for range -whole {
			dst = append(dst, '0')
		}
		return append(dst, digits...)
	}
	dst = append(dst, digits[:whole]...)
	dst = append(dst, '.')
	return append(dst, digits[whole:]...)
}

// AppendDate writes days since 1970-01-01 as yyyy-mm-dd in the proleptic
// Gregorian calendar; years beyond four digits and before 0 carry a sign.
func AppendDate(dst []byte, days int64) []byte {
	y, m, d := Civil(days)
	switch {
	case y < 0:
		dst = append(dst, '-')
		y = -y
	case y > 9999:
		dst = append(dst, '+')
	}
	dst = appendPadded(dst, y, 4)
	dst = append(dst, '-')
	dst = appendPadded(dst, int64(m), 2)
	dst = append(dst, '-')
	return appendPadded(dst, int64(d), 2)
}

// AppendTimestamp writes microseconds since the epoch as yyyy-mm-ddThh:mm:ss.ffffff.
func AppendTimestamp(dst []byte, micros int64) []byte {
	const day = 86_400_000_000
	days := micros / day
	rest := micros % day
	if rest < 0 {
		rest += day
		days--
	}
	dst = AppendDate(dst, days)
	dst = append(dst, 'T')
	sec := rest / 1_000_000
	dst = appendPadded(dst, sec/3600, 2)
	dst = append(dst, ':')
	dst = appendPadded(dst, sec/60%60, 2)
	dst = append(dst, ':')
	dst = appendPadded(dst, sec%60, 2)
	dst = append(dst, '.')
	return appendPadded(dst, rest%1_000_000, 6)
}

func appendPadded(dst []byte, n int64, width int) []byte {
	var buf [20]byte
	s := strconv.AppendInt(buf[:0], n, 10)
	for range width - len(s) {
		dst = append(dst, '0')
	}
	return append(dst, s...)
}

// Civil turns days since 1970-01-01 into year, month and day of the proleptic
// Gregorian calendar (year 0 exists).
func Civil(days int64) (year int64, month, day int) {
	z := days + 719468 // days since 0000-03-01
	era := z / 146097
	if z < 0 {
		era = (z - 146096) / 146097
	}
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	day = int(doy - (153*mp+2)/5 + 1)
	month = int(mp) + 3
	if month > 12 {
		month -= 12
	}
	year = yoe + era*400
	if month <= 2 {
		year++
	}
	return year, month, day
}

// Days is the inverse of Civil.
func Days(year int64, month, day int) int64 {
	if month <= 2 {
		year--
	}
	era := year / 400
	if year < 0 {
		era = (year - 399) / 400
	}
	yoe := year - era*400
	mp := int64(month+9) % 12
	doy := (153*mp+2)/5 + int64(day) - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return era*146097 + doe - 719468
}
