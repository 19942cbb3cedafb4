package parquetio

import (
	"bytes"
	"errors"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/sluicelake/sluice/types"
)

// A shredded variant keeps values of the expected type in columns of their own
// (VariantShredding.md of the Parquet format): a group of value and typed_value,
// where typed_value is a primitive, a list of such groups, or a group of named
// such groups. Reading puts the pieces together again as one encoded value.

var errShredded = errors.New("a shredded variant is damaged")

// shreddedType is the type of a group of value and typed_value as it stands in
// the file; false when it has something that variants cannot hold.
func shreddedType(g *parquetNode, depth int) (*types.Struct, bool) {
	if g.leaf >= 0 || depth > 50 {
		return nil, false
	}
	s := &types.Struct{}
	if v := g.part("value"); v != nil {
		s.Fields = append(s.Fields, types.Field{Name: "value", Type: types.Binary, Nullable: true})
	}
	if v := g.part("typed_value"); v != nil {
		t, ok := typedValue(v, depth)
		if !ok {
			return nil, false
		}
		s.Fields = append(s.Fields, types.Field{Name: "typed_value", Type: t, Nullable: true})
	}
	return s, true
}

func typedValue(n *parquetNode, depth int) (types.Type, bool) {
	if n.leaf < 0 {
		if n.isList() {
			_, el, ok := n.listElement(nil)
			if !ok {
				return nil, false
			}
			t, ok := shreddedType(el, depth+1)
			return &types.Array{Element: t, ContainsNull: true}, ok
		}
		s := &types.Struct{}
		for _, k := range n.children {
			t, ok := shreddedType(k, depth+1)
			if !ok {
				return nil, false
			}
			s.Fields = append(s.Fields, types.Field{Name: k.name, Type: t, Nullable: true})
		}
		return s, true
	}
	if scale, ok := n.decimalScale(); ok {
		p := n.logical.precision
		return types.Decimal{Precision: p, Scale: scale}, p >= 1 && p <= 38 && scale >= 0 && scale <= p
	}
	switch n.physical {
	case parquet.Types.Boolean:
		return types.Boolean, true
	case parquet.Types.Int32:
		switch {
		case n.logical.kind == logicalDate:
			return types.Date, true
		case n.logical.kind == logicalInteger && n.logical.bits == 8:
			return types.Byte, true
		case n.logical.kind == logicalInteger && n.logical.bits == 16:
			return types.Short, true
		}
		return types.Integer, n.logical.kind == logicalNone || n.logical.kind == logicalInteger
	case parquet.Types.Int64:
		if n.isTimestamp() {
			if !n.logical.utc {
				return types.TimestampNTZ, n.timeUnit() == schema.TimeUnitMicros
			}
			return types.Timestamp, n.timeUnit() == schema.TimeUnitMicros
		}
		return types.Long, n.logical.kind == logicalNone || n.logical.kind == logicalInteger
	case parquet.Types.Float:
		return types.Float, true
	case parquet.Types.Double:
		return types.Double, true
	case parquet.Types.ByteArray:
		if n.logical.kind == logicalString {
			return types.String, true
		}
		return types.Binary, true
	}
	return nil, false
}

// unshred makes variants (metadata, value) out of the pieces.
func unshred(dt arrow.DataType, a *array.Struct, t *types.Struct) (arrow.Array, error) {
	meta, ok := a.Field(0).(*array.Binary)
	if !ok {
		return nil, errShredded
	}
	pieces := &types.Struct{Fields: t.Fields[1:]}
	offsets, data := make([]int32, 1, a.Len()+1), []byte{}
	for i := range a.Len() {
		if a.IsValid(i) {
			keys, err := variantNames(meta.Value(i))
			if err != nil {
				return nil, err
			}
			v, found, err := rebuild(fieldsOf(a, 1), pieces, i, keys)
			if err != nil {
				return nil, err
			}
			if !found {
				v = []byte{0} // nothing in either column is the variant null
			}
			data = append(data, v...)
			if len(data) > math.MaxInt32 {
				return nil, errTooMuchText
			}
		}
		offsets = append(offsets, int32(len(data)))
	}
	value := array.NewData(arrow.BinaryTypes.Binary, a.Len(), []*memory.Buffer{nil, memory.NewBufferBytes(bytesOf(offsets)), memory.NewBufferBytes(data)}, nil, 0, 0)
	var valid *memory.Buffer
	if a.NullN() > 0 {
		valid = a.Data().Buffers()[0]
	}
	return array.MakeFromData(array.NewData(dt, a.Len(), []*memory.Buffer{valid}, []arrow.ArrayData{meta.Data(), value}, a.NullN(), a.Data().Offset())), nil
}

func fieldsOf(a *array.Struct, from int) []arrow.Array {
	out := make([]arrow.Array, 0, a.NumField())
	for i := from; i < a.NumField(); i++ {
		out = append(out, a.Field(i))
	}
	return out
}

// rebuild encodes one value from its columns; found is false when it is missing.
func rebuild(cols []arrow.Array, t *types.Struct, i int, keys []string) (v []byte, found bool, err error) {
	var rest []byte
	if k := t.Index("value"); k >= 0 && cols[k].IsValid(i) {
		if rest = cols[k].(*array.Binary).Value(i); len(rest) == 0 {
			return nil, false, errShredded
		}
	}
	k := t.Index("typed_value")
	if k < 0 || !cols[k].IsValid(i) {
		return rest, rest != nil, nil
	}
	switch x := cols[k].(type) {
	case *array.List:
		v, err = rebuildArray(x, t.Fields[k].Type.(*types.Array), i, keys)
	case *array.Struct:
		v, err = rebuildObject(x, t.Fields[k].Type.(*types.Struct), rest, i, keys)
	default:
		v = appendVariantPrimitive(nil, x, t.Fields[k].Type, i)
	}
	return v, true, err
}

func rebuildArray(l *array.List, t *types.Array, i int, keys []string) ([]byte, error) {
	from, to := l.ValueOffsets(i)
	el := l.ListValues().(*array.Struct)
	var parts [][]byte
	for p := from; p < to; p++ {
		v, found, err := rebuild(fieldsOf(el, 0), t.Element.(*types.Struct), int(p), keys)
		if err != nil {
			return nil, err
		}
		if !found {
			v = []byte{0}
		}
		parts = append(parts, v)
	}
	width := offsetWidth(parts)
	head, count := byte(3|(width-1)<<2), 1
	if len(parts) > 255 {
		head, count = head|1<<4, 4
	}
	out := appendWidth([]byte{head}, len(parts), count)
	return appendParts(out, parts, width), nil
}

func rebuildObject(s *array.Struct, t *types.Struct, rest []byte, i int, keys []string) ([]byte, error) {
	fields, err := objectFields(rest, keys)
	if err != nil {
		return nil, err
	}
	for f := range t.Fields {
		member, ok := s.Field(f).(*array.Struct)
		if !ok {
			return nil, errShredded
		}
		if member.IsNull(i) {
			continue
		}
		v, found, err := rebuild(fieldsOf(member, 0), t.Fields[f].Type.(*types.Struct), i, keys)
		if err != nil {
			return nil, err
		}
		if !found {
			continue
		}
		id := slices.Index(keys, t.Fields[f].Name)
		if id < 0 {
			return nil, errShredded
		}
		fields = append(fields, variantField{id, t.Fields[f].Name, v})
	}
	slices.SortFunc(fields, func(a, b variantField) int { return bytes.Compare([]byte(a.key), []byte(b.key)) })
	parts := make([][]byte, len(fields))
	most := 0
	for k, f := range fields {
		parts[k], most = f.val, max(most, f.id)
	}
	width, idWidth := offsetWidth(parts), bytesFor(most)
	head, count := byte(2|(width-1)<<2|(idWidth-1)<<4), 1
	if len(parts) > 255 {
		head, count = head|1<<6, 4
	}
	out := appendWidth([]byte{head}, len(parts), count)
	for _, f := range fields {
		out = appendWidth(out, f.id, idWidth)
	}
	return appendParts(out, parts, width), nil
}
