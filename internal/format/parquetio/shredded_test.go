package parquetio

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

func TestShreddedVariants(t *testing.T) {
	meta := []byte{0x01, 2, 0, 1, 2, 'a', 'b'}
	objectB := []byte{0x02, 1, 1, 0, 1, 1 << 2} // {"b": true}
	text := []byte{1<<2 | 1, 'x'}
	group := func(t types.Type) *types.Struct {
		return types.NewStruct(field("value", types.Binary), field("typed_value", t))
	}
	shape := func(t types.Type) *types.Struct {
		g := group(t)
		g.Fields = append([]types.Field{{Name: "metadata", Type: types.Binary}}, g.Fields...)
		return g
	}
	object := types.NewStruct(field("a", group(types.Long)))
	list := &types.Array{Element: group(types.Long), ContainsNull: true}
	cases := map[string]struct {
		t    *types.Struct
		v    any
		want string
	}{
		"typed member":         {shape(object), []any{meta, nil, []any{[]any{nil, int64(5)}}}, `"{\"a\":5}"`},
		"partly shredded":      {shape(object), []any{meta, objectB, []any{[]any{nil, int64(7)}}}, `"{\"a\":7,\"b\":true}"`},
		"missing member":       {shape(object), []any{meta, nil, []any{[]any{nil, nil}}}, `"{}"`},
		"no object":            {shape(object), []any{meta, []byte{12, 42}, nil}, `"42"`},
		"member of other type": {shape(object), []any{meta, nil, []any{[]any{text, nil}}}, `"{\"a\":\"x\"}"`},
		"NULL":                 {shape(object), nil, `null`},
		"variant null":         {shape(object), []any{meta, nil, nil}, `"null"`},
		"list":                 {shape(list), []any{meta, nil, []any{[]any{nil, int64(1)}, []any{text, nil}}}, `"[1,\"x\"]"`},
		"text":                 {shape(types.String), []any{meta, nil, "hello"}, `"\"hello\""`},
		"decimal":              {shape(types.Decimal{Precision: 9, Scale: 2}), []any{meta, nil, sampleValue(types.Decimal{Precision: 9, Scale: 2}, 1, false)}, `"29.19"`},
		"boolean":              {shape(types.Boolean), []any{meta, nil, true}, `"true"`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			a, err := columns.FromValues(c.t, c.v)
			if err != nil {
				t.Fatal(err)
			}
			data := writeFile(t, types.NewStruct(field("v", c.t)), WriterOptions{}, []arrow.Array{a})
			got, _ := readRows(t, data, Query{Schema: types.NewStruct(field("v", types.Variant))})
			sameRows(t, got, []string{`{"v":` + c.want + `}`})
		})
	}
}
