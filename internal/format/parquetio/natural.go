package parquetio

import (
	"fmt"

	"github.com/apache/arrow-go/v18/parquet"

	"github.com/sluicelake/sluice/types"
)

// Schema is the file's own schema as Delta types, for files that belong to no
// table: unsigned integers widen, other units of time are microseconds. It
// reports a column that no Delta type can hold.
func (f *File) Schema() (*types.Struct, error) {
	return f.SchemaOf(func(string) bool { return true })
}

// SchemaOf is Schema of some of the columns.
func (f *File) SchemaOf(wanted func(name string) bool) (s *types.Struct, err error) {
	defer f.guard(&err)
	s, err = naturalStruct(f.meta.root, wanted)
	return s, f.wrap(err)
}

// Reads reports whether a column of the file can be read as a field wants it.
func (f *File) Reads(want types.Field) (ok bool) {
	defer func() { ok = ok && recover() == nil }()
	r := &resolver{leaves: map[int]bool{}, kept: map[int]bool{}}
	in, err := r.member(f.meta.root, want)
	if err != nil || in == nil {
		return false
	}
	_, err = r.column(want.Name, want.Type, in, true)
	return err == nil
}

func naturalStruct(g *parquetNode, wanted func(name string) bool) (*types.Struct, error) {
	s := &types.Struct{}
	for _, k := range g.children {
		if wanted != nil && !wanted(k.name) {
			continue
		}
		t, err := naturalType(k)
		if err != nil {
			return nil, err
		}
		s.Fields = append(s.Fields, types.Field{Name: k.name, Type: t, Nullable: k.repetition == optional})
	}
	return s, nil
}

func naturalType(n *parquetNode) (types.Type, error) {
	switch {
	case n.repetition == repeated || n.isList():
		rep, el, ok := n.listElement(nil)
		if !ok {
			return nil, fmt.Errorf("column %s is no list that the format knows", n.path)
		}
		var t types.Type
		var err error
		if el == rep { // the element is the repeated node itself
			one := *el
			one.repetition = required
			t, err = naturalType(&one)
		} else {
			t, err = naturalType(el)
		}
		return &types.Array{Element: t, ContainsNull: el.repetition == optional}, err
	case n.isMap() && n.leaf < 0:
		_, key, value, ok := n.mapEntry()
		if !ok || value == nil {
			return nil, fmt.Errorf("column %s is no map that the format knows", n.path)
		}
		k, err := naturalType(key)
		if err != nil {
			return nil, err
		}
		v, err := naturalType(value)
		return &types.Map{Key: k, Value: v, ValueContainsNull: value.repetition == optional}, err
	case n.leaf < 0:
		if n.logical.kind == logicalVariant {
			return types.Variant, nil
		}
		return naturalStruct(n, nil)
	}
	if n.logical.kind == logicalNothing {
		return types.Void, nil
	}
	if t := naturalLeaf(n); t != nil {
		if _, ok := converter(n, t); ok {
			return t, nil
		}
	}
	return nil, fmt.Errorf("column %s is %s, which no Delta type can hold", n.path, n.describe())
}

// naturalLeaf is nil when there is no type.
func naturalLeaf(n *parquetNode) types.Type {
	unsigned := n.logical.kind == logicalInteger && !n.logical.signed
	switch {
	case n.physical == parquet.Types.Int96:
		return types.Timestamp
	case n.isTimestamp():
		if n.isTimestamp() && !n.logical.utc {
			return types.TimestampNTZ
		}
		return types.Timestamp
	case unsigned:
		return map[int]types.Type{8: types.Short, 16: types.Integer, 32: types.Long, 64: types.Decimal{Precision: 20}}[n.logical.bits]
	case n.logical.kind == logicalForeign:
		return nil
	case n.logical.kind == logicalHalf:
		return types.Float
	case n.physical == parquet.Types.ByteArray && n.logical.kind == logicalText:
		return types.String
	case n.physical == parquet.Types.FixedLenByteArray && n.logical.kind != logicalDecimal:
		return types.Binary
	}
	t, ok := typedValue(n, 0)
	if !ok {
		return nil
	}
	return t
}
