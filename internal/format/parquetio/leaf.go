package parquetio

import (
	"fmt"

	"github.com/sluicelake/sluice/types"
)

// physical is a physical type of Parquet, with the number it has in the format.
type physical int32

const (
	physBoolean physical = 0
	physInt32   physical = 1
	physInt64   physical = 2
	physInt96   physical = 3
	physFloat   physical = 4
	physDouble  physical = 5
	physBytes   physical = 6
	physFixed   physical = 7
)

// node is one element of the schema of a file that is written.
type node struct {
	name     string
	typ      types.Type // nil for the groups inside of lists and maps
	optional bool
	repeated bool
	fieldID  int32 // 0: none
	kids     []*node
	ordinal  int // top-level: ordinal of the column in the schema
	def, rep uint8
	leaf     *leafWriter
	path     []string
}

// fieldIDKey is the metadata key of a column's id (PROTOCOL.md, Column Mapping).
const fieldIDKey = "delta.columnMapping.id"

// buildTree makes the schema tree. Void columns have no Parquet form and are
// left out, as Delta does.
func buildTree(s *types.Struct) ([]*node, error) {
	var out []*node
	for i, f := range s.Fields {
		n, err := buildNode(f.Name, f.Type, f.Nullable, 0, 0, nil)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", types.QuoteIdentifier(f.Name), err)
		}
		if n == nil {
			continue
		}
		n.ordinal = i
		if id, ok := f.Metadata.Int(fieldIDKey); ok {
			n.fieldID = int32(id)
		}
		out = append(out, n)
	}
	return out, nil
}

func buildNode(name string, t types.Type, nullable bool, def, rep uint8, path []string) (*node, error) {
	if t.Kind() == types.KindVoid {
		return nil, nil
	}
	n := &node{name: name, typ: t, optional: nullable, path: append(path[:len(path):len(path)], name)}
	if nullable {
		def++
	}
	n.def, n.rep = def, rep
	switch x := t.(type) {
	case *types.Struct:
		for _, f := range x.Fields {
			kid, err := buildNode(f.Name, f.Type, f.Nullable, def, rep, n.path)
			if err != nil {
				return nil, err
			}
			if kid != nil {
				if id, ok := f.Metadata.Int(fieldIDKey); ok {
					kid.fieldID = int32(id)
				}
			}
			n.kids = append(n.kids, kid)
		}
		if len(n.leaves()) == 0 {
			return nil, fmt.Errorf("%s has no member that Parquet can store", t)
		}
	case *types.Array:
		g := &node{name: "list", repeated: true, def: def + 1, rep: rep + 1, path: append(n.path[:len(n.path):len(n.path)], "list")}
		kid, err := buildNode("element", x.Element, x.ContainsNull, g.def, g.rep, g.path)
		if err != nil {
			return nil, err
		}
		if kid == nil {
			return nil, fmt.Errorf("%s cannot be stored in Parquet", t)
		}
		g.kids, n.kids = []*node{kid}, []*node{g}
	case *types.Map:
		g := &node{name: "key_value", repeated: true, def: def + 1, rep: rep + 1, path: append(n.path[:len(n.path):len(n.path)], "key_value")}
		k, err := buildNode("key", x.Key, false, g.def, g.rep, g.path)
		if err != nil {
			return nil, err
		}
		v, err := buildNode("value", x.Value, x.ValueContainsNull, g.def, g.rep, g.path)
		if err != nil {
			return nil, err
		}
		if k == nil || v == nil {
			return nil, fmt.Errorf("%s cannot be stored in Parquet", t)
		}
		g.kids, n.kids = []*node{k, v}, []*node{g}
	default:
		if t.Kind() == types.KindVariant {
			for _, part := range []string{"metadata", "value"} {
				kid, err := buildNode(part, types.Binary, false, def, rep, n.path)
				if err != nil {
					return nil, err
				}
				n.kids = append(n.kids, kid)
			}
			break
		}
		n.leaf = newLeafWriter(n)
	}
	return n, nil
}

// leaves lists the leaf columns below a node, in file order.
func (n *node) leaves() []*leafWriter {
	if n == nil {
		return nil
	}
	if n.leaf != nil {
		return []*leafWriter{n.leaf}
	}
	var out []*leafWriter
	for _, k := range n.kids {
		out = append(out, k.leaves()...)
	}
	return out
}

// physicalOf is the physical type that a Delta type is written as: decimals of
// up to 9 and 18 digits as integers, as Spark does, timestamps as INT64.
func physicalOf(t types.Type) (p physical, width int32) {
	switch t.Kind() {
	case types.KindBoolean:
		return physBoolean, 0
	case types.KindByte, types.KindShort, types.KindInteger, types.KindDate:
		return physInt32, 0
	case types.KindLong, types.KindTimestamp, types.KindTimestampNTZ:
		return physInt64, 0
	case types.KindFloat:
		return physFloat, 0
	case types.KindDouble:
		return physDouble, 0
	case types.KindDecimal:
		d := t.(types.Decimal)
		switch {
		case d.Precision <= 9:
			return physInt32, 0
		case d.Precision <= 18:
			return physInt64, 0
		}
		return physFixed, decimalBytes(d.Precision)
	}
	return physBytes, 0
}

// decimalBytes is the fewest bytes whose two's complement holds a precision.
func decimalBytes(precision int) int32 {
	return [39]int32{0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 5, 5, 6, 6, 6, 7, 7, 8, 8, 9, 9, 9, 10, 10, 11, 11, 11, 12, 12, 13, 13, 13, 14, 14, 15, 15, 16, 16, 16}[precision]
}

// appendSchema writes a node and what is below it as SchemaElements.
func (n *node) appendSchema(t *thriftWriter) {
	if n == nil {
		return
	}
	t.begin()
	var width int32
	if n.leaf != nil {
		var p physical
		p, width = physicalOf(n.typ)
		t.i32(1, int32(p))
		if p == physFixed {
			t.i32(2, width)
		}
	}
	switch {
	case n.repeated:
		t.i32(3, 2)
	case n.optional:
		t.i32(3, 1)
	default:
		t.i32(3, 0)
	}
	t.text(4, n.name)
	if n.leaf == nil {
		kids := 0
		for _, k := range n.kids {
			if k != nil {
				kids++
			}
		}
		t.i32(5, int32(kids))
	}
	n.appendAnnotation(t)
	t.end()
	for _, k := range n.kids {
		k.appendSchema(t)
	}
}

// appendAnnotation writes the converted type (for old readers), the field id and
// the logical type.
func (n *node) appendAnnotation(t *thriftWriter) {
	converted, logical := int32(-1), func() {}
	if n.typ != nil {
		switch x := n.typ.(type) {
		case types.Decimal:
			converted = 5
			logical = func() { t.open(5); t.i32(1, int32(x.Scale)); t.i32(2, int32(x.Precision)); t.end() }
		case *types.Array:
			converted, logical = 3, func() { t.empty(3) }
		case *types.Map:
			converted, logical = 1, func() { t.empty(2) }
		}
		integer := func(bits int8) func() {
			return func() { t.open(10); t.i8(1, bits); t.bool(2, true); t.end() }
		}
		micros := func(utc bool) func() {
			return func() {
				t.open(8)
				t.bool(1, utc)
				t.open(2)
				t.empty(2)
				t.end()
				t.end()
			}
		}
		switch n.typ.Kind() {
		case types.KindString:
			converted, logical = 0, func() { t.empty(1) }
		case types.KindDate:
			converted, logical = 6, func() { t.empty(6) }
		case types.KindTimestamp:
			converted, logical = 10, micros(true)
		case types.KindTimestampNTZ:
			logical = micros(false)
			converted = -2
		case types.KindByte:
			converted, logical = 15, integer(8)
		case types.KindShort:
			converted, logical = 16, integer(16)
		}
	}
	if converted >= 0 {
		t.i32(6, converted)
	}
	if d, ok := n.typ.(types.Decimal); ok {
		t.i32(7, int32(d.Scale))
		t.i32(8, int32(d.Precision))
	}
	if n.fieldID != 0 {
		t.i32(9, n.fieldID)
	}
	if converted != -1 {
		t.open(10)
		logical()
		t.end()
	}
}
