package columns_test

import (
	"math"
	"math/big"

	"pgregory.net/rapid"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

var leafTypes = []types.Type{types.Boolean, types.Byte, types.Short, types.Integer, types.Long, types.Float, types.Double,
	types.String, types.Binary, types.Date, types.Timestamp, types.TimestampNTZ, types.Void,
	types.Decimal{Precision: 9, Scale: 2}, types.Decimal{Precision: 38, Scale: 10}}

func genType(depth int) *rapid.Generator[types.Type] {
	return rapid.Custom(func(t *rapid.T) types.Type {
		shape := 0
		if depth > 0 {
			shape = rapid.IntRange(0, 6).Draw(t, "shape")
		}
		switch shape {
		case 4:
			return &types.Array{Element: genType(depth-1).Draw(t, "element"), ContainsNull: true}
		case 5:
			key := rapid.SampledFrom([]types.Type{types.String, types.Integer}).Draw(t, "key")
			return &types.Map{Key: key, Value: genType(depth-1).Draw(t, "value"), ValueContainsNull: true}
		case 6:
			s := types.NewStruct(types.Field{Name: "a", Type: genType(depth-1).Draw(t, "a"), Nullable: true})
			if rapid.Bool().Draw(t, "two") {
				s.Fields = append(s.Fields, types.Field{Name: "b", Type: genType(depth-1).Draw(t, "b"), Nullable: true})
			}
			return s
		}
		return rapid.SampledFrom(leafTypes).Draw(t, "leaf")
	})
}

func genValue(t *rapid.T, typ types.Type, null bool) any {
	if typ.Kind() == types.KindVoid || null && rapid.IntRange(0, 3).Draw(t, "null") == 0 {
		return nil
	}
	switch x := typ.(type) {
	case types.Decimal:
		limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(x.Precision)), nil)
		n := new(big.Int).Mul(big.NewInt(rapid.Int64().Draw(t, "hi")), big.NewInt(rapid.Int64().Draw(t, "lo")))
		return expr.Decimal{Unscaled: n.Rem(n, limit), Scale: x.Scale}
	case *types.Array:
		out := make([]any, rapid.IntRange(0, 3).Draw(t, "len"))
		for i := range out {
			out[i] = genValue(t, x.Element, true)
		}
		return out
	case *types.Map:
		out := make([]columns.KV, rapid.IntRange(0, 3).Draw(t, "len"))
		for i := range out {
			out[i] = columns.KV{Key: genValue(t, x.Key, false), Value: genValue(t, x.Value, true)}
		}
		return out
	case *types.Struct:
		out := make([]any, len(x.Fields))
		for i := range out {
			out[i] = genValue(t, x.Fields[i].Type, true)
		}
		return out
	}
	switch typ {
	case types.Boolean:
		return rapid.Bool().Draw(t, "bool")
	case types.Byte:
		return int64(rapid.Int8().Draw(t, "n"))
	case types.Short:
		return int64(rapid.Int16().Draw(t, "n"))
	case types.Integer, types.Date:
		return int64(rapid.Int32().Draw(t, "n"))
	case types.Float:
		return float64(rapid.SampledFrom([]float32{0, 1.5, -2.25e-7, math.MaxFloat32, float32(math.Inf(1))}).Draw(t, "f"))
	case types.Double:
		return rapid.SampledFrom([]float64{0, 1e21, -2.25e-7, 123.456, math.Inf(-1)}).Draw(t, "f")
	case types.String:
		return rapid.String().Draw(t, "s")
	case types.Binary:
		b := rapid.SliceOfN(rapid.Byte(), 0, 5).Draw(t, "b")
		if b == nil {
			b = []byte{}
		}
		return b
	}
	return rapid.Int64().Draw(t, "n")
}
