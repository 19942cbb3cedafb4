package tablekit

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

// FromCanonical reads the canonical form of a value; nothing is NULL.
func FromCanonical(raw json.RawMessage, t types.Type) (any, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var text string
	isText := json.Unmarshal(raw, &text) == nil
	bad := func() (any, error) { return nil, fmt.Errorf("%s is not a value of %s", raw, t) }
	switch x := t.(type) {
	case types.Decimal:
		d, ok := expr.ParseDecimal(text)
		if !ok || d.Scale > x.Scale {
			return bad()
		}
		ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(x.Scale-d.Scale)), nil)
		return expr.Decimal{Unscaled: ten.Mul(d.Unscaled, ten), Scale: x.Scale}, nil
	case *types.Array:
		var list []json.RawMessage
		if err := json.Unmarshal(raw, &list); err != nil {
			return bad()
		}
		out := make([]any, len(list))
		for i := range list {
			var err error
			if out[i], err = FromCanonical(list[i], x.Element); err != nil {
				return nil, err
			}
		}
		return out, nil
	case *types.Map:
		var list [][2]json.RawMessage
		if err := json.Unmarshal(raw, &list); err != nil {
			return bad()
		}
		out := make([]columns.KV, len(list))
		for i := range list {
			k, err := FromCanonical(list[i][0], x.Key)
			if err != nil {
				return nil, err
			}
			v, err := FromCanonical(list[i][1], x.Value)
			if err != nil {
				return nil, err
			}
			out[i] = columns.KV{Key: k, Value: v}
		}
		return out, nil
	case *types.Struct:
		var obj map[string]json.RawMessage
		if err := json.Unmarshal(raw, &obj); err != nil {
			return bad()
		}
		out := make([]any, len(x.Fields))
		for i, f := range x.Fields {
			var err error
			if out[i], err = FromCanonical(obj[f.Name], f.Type); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	switch t {
	case types.Boolean:
		return string(raw) == "true", nil
	case types.Float, types.Double:
		if !isText {
			text = string(raw)
		}
		if text == "-0" {
			return math.Copysign(0, -1), nil
		}
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return bad()
		}
		return f, nil
	case types.String:
		return text, nil
	case types.Binary:
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return bad()
		}
		return b, nil
	case types.Date:
		v, ok := civil.ParseDate(text)
		if !ok {
			return bad()
		}
		return v, nil
	case types.Timestamp, types.TimestampNTZ:
		v, ok := civil.ParseTimestampNTZ(strings.TrimSuffix(text, "Z"))
		if !ok {
			return bad()
		}
		return v, nil
	}
	v, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return bad()
	}
	return v, nil
}
