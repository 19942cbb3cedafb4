package eval

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/parquet/variant"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

// variantJSONText writes a variant as to_json and a cast to STRING do.
func variantJSONText(metadata, value []byte, zone *time.Location) ([]byte, error) {
	v, err := variant.New(metadata, value)
	if err != nil {
		return nil, err
	}
	return appendVariantText(nil, v, zone)
}

func appendVariantText(b []byte, v variant.Value, zone *time.Location) ([]byte, error) {
	switch x := v.Value().(type) {
	case variant.ObjectValue:
		b = append(b, '{')
		for i := range x.NumElements() {
			f, err := x.FieldAt(i)
			if err != nil {
				return nil, err
			}
			if i > 0 {
				b = append(b, ',')
			}
			b = append(columns.AppendQuoted(b, f.Key), ':')
			if b, err = appendVariantText(b, f.Value, zone); err != nil {
				return nil, err
			}
		}
		return append(b, '}'), nil
	case variant.ArrayValue:
		b = append(b, '[')
		for i := range x.Len() {
			el, err := x.Value(i)
			if err != nil {
				return nil, err
			}
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = appendVariantText(b, el, zone); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	}
	t, value, err := scalarOf(v)
	if err != nil { // a type that only other writers have
		return columns.VariantJSON(v.Metadata().Bytes(), v.Bytes())
	}
	switch x := value.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return strconv.AppendBool(b, x), nil
	case string:
		return columns.AppendQuoted(b, x), nil
	case []byte:
		return columns.AppendQuoted(b, base64.StdEncoding.EncodeToString(x)), nil
	case float64:
		bits := 64
		if t == types.Float {
			bits = 32
		}
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return columns.AppendQuoted(b, formatFloat(x, bits)), nil
		}
		return append(b, formatFloat(x, bits)...), nil
	case expr.Decimal:
		text := x.String()
		if strings.Contains(text, ".") {
			text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
		}
		return append(b, text...), nil
	case int64:
		switch t {
		case types.Date:
			return columns.AppendQuoted(b, civil.FormatDate(x)), nil
		case types.Timestamp:
			return columns.AppendQuoted(b, civil.FormatTimestamp(civil.Local(x, zone))+zoneText(patternPart{letter: 'x', n: 3}, x, zone)), nil
		case types.TimestampNTZ:
			return columns.AppendQuoted(b, civil.FormatTimestamp(x)), nil
		}
		return strconv.AppendInt(b, x, 10), nil
	}
	return nil, fmt.Errorf("eval: a variant of Go type %T", value)
}
