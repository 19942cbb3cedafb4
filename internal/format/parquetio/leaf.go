package parquetio

import (
	"encoding/json"
	"fmt"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/sluicelake/sluice/types"
)

// node is one element of the schema of a file that is written.
type node struct {
	name     string
	typ      types.Type // nil for the groups inside of lists and maps
	optional bool
	repeated bool
	fieldID  int32 // -1: none
	kids     []*node
	ordinal  int // top-level: ordinal of the column in the schema
	def, rep int16
	leaf     *leafWriter
	path     string // as arrow-go spells it: names joined by dots
}

// fieldIDKey is the metadata key of a column's id (PROTOCOL.md, Column Mapping).
const fieldIDKey = "delta.columnMapping.id"

// nestedIDsKey is the metadata key of the ids of what is below a column
// (PROTOCOL.md, IcebergCompatV2).
const nestedIDsKey = "delta.columnMapping.nested.ids"

// buildTree makes the schema tree. Void columns have no Parquet form and are
// left out, as Delta does.
func buildTree(s *types.Struct) ([]*node, error) {
	var out []*node
	for i, f := range s.Fields {
		n, err := buildField(f, nil)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", types.QuoteIdentifier(f.Name), err)
		}
		if n == nil {
			continue
		}
		n.ordinal = i
		out = append(out, n)
	}
	return out, nil
}

func buildField(f types.Field, parent *node) (*node, error) {
	n, err := buildNode(f.Name, f.Type, f.Nullable, parent)
	if n != nil {
		if id, ok := f.Metadata.Int(fieldIDKey); ok {
			n.fieldID = int32(id)
		}
		if raw, ok := f.Metadata.Raw(nestedIDsKey); ok && err == nil {
			ids := map[string]int32{}
			if err := json.Unmarshal(raw, &ids); err != nil {
				return nil, fmt.Errorf("the metadata %s cannot be read: %w", nestedIDsKey, err)
			}
			n.number(f.Name, ids)
		}
	}
	return n, err
}

// number gives the elements, keys and values below a field, down to the next
// fields, their ids.
func (n *node) number(path string, ids map[string]int32) {
	if !n.listLike() {
		return
	}
	for _, kid := range n.kids[0].kids {
		at := path + "." + kid.name
		if id, ok := ids[at]; ok {
			kid.fieldID = id
		}
		kid.number(at, ids)
	}
}

// newNode is a node below a parent, which is nil at the top.
func newNode(name string, parent *node) *node {
	n := &node{name: name, path: name, fieldID: -1}
	if parent != nil {
		n.def, n.rep, n.path = parent.def, parent.rep, parent.path+"."+name
	}
	return n
}

// repeat is the group inside of a list or a map.
func (n *node) repeat(name string) *node {
	g := newNode(name, n)
	g.repeated, g.def, g.rep = true, g.def+1, g.rep+1
	n.kids = []*node{g}
	return g
}

func buildNode(name string, t types.Type, nullable bool, parent *node) (*node, error) {
	if t.Kind() == types.KindVoid {
		return nil, nil
	}
	n := newNode(name, parent)
	n.typ, n.optional = t, nullable
	if nullable {
		n.def++
	}
	switch x := t.(type) {
	case *types.Struct:
		for _, f := range x.Fields {
			kid, err := buildField(f, n)
			if err != nil {
				return nil, err
			}
			n.kids = append(n.kids, kid)
		}
		if len(n.leaves()) == 0 {
			return nil, fmt.Errorf("%s has no member that Parquet can store", t)
		}
	case *types.Array:
		g := n.repeat("list")
		kid, err := buildNode("element", x.Element, x.ContainsNull, g)
		if err != nil {
			return nil, err
		}
		if kid == nil {
			return nil, fmt.Errorf("%s cannot be stored in Parquet", t)
		}
		g.kids = []*node{kid}
	case *types.Map:
		g := n.repeat("key_value")
		k, err := buildNode("key", x.Key, false, g)
		if err != nil {
			return nil, err
		}
		v, err := buildNode("value", x.Value, x.ValueContainsNull, g)
		if err != nil {
			return nil, err
		}
		if k == nil || v == nil {
			return nil, fmt.Errorf("%s cannot be stored in Parquet", t)
		}
		g.kids = []*node{k, v}
	default:
		if t.Kind() == types.KindVariant {
			for _, part := range []string{"metadata", "value"} {
				kid, err := buildNode(part, types.Binary, false, n)
				if err != nil {
					return nil, err
				}
				n.kids = append(n.kids, kid)
			}
			break
		}
		n.leaf = &leafWriter{node: n}
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
func physicalOf(t types.Type) (p parquet.Type, width int) {
	switch t.Kind() {
	case types.KindBoolean:
		return parquet.Types.Boolean, -1
	case types.KindByte, types.KindShort, types.KindInteger, types.KindDate:
		return parquet.Types.Int32, -1
	case types.KindLong, types.KindTimestamp, types.KindTimestampNTZ:
		return parquet.Types.Int64, -1
	case types.KindFloat:
		return parquet.Types.Float, -1
	case types.KindDouble:
		return parquet.Types.Double, -1
	case types.KindDecimal:
		d := t.(types.Decimal)
		switch {
		case d.Precision <= 9:
			return parquet.Types.Int32, -1
		case d.Precision <= 18:
			return parquet.Types.Int64, -1
		}
		return parquet.Types.FixedLenByteArray, decimalBytes(d.Precision)
	}
	return parquet.Types.ByteArray, -1
}

// decimalBytes is the fewest bytes whose two's complement holds a precision.
func decimalBytes(precision int) int {
	return [39]int{0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 5, 5, 6, 6, 6, 7, 7, 8, 8, 9, 9, 9, 10, 10, 11, 11, 11, 12, 12, 13, 13, 13, 14, 14, 15, 15, 16, 16, 16}[precision]
}

// logicalOf is the annotation of a type.
func logicalOf(t types.Type) schema.LogicalType {
	switch x := t.(type) {
	case types.Decimal:
		return schema.NewDecimalLogicalType(int32(x.Precision), int32(x.Scale))
	case *types.Array:
		return schema.NewListLogicalType()
	case *types.Map:
		return schema.MapLogicalType{}
	case nil:
		return schema.NoLogicalType{}
	}
	switch t.Kind() {
	case types.KindString:
		return schema.StringLogicalType{}
	case types.KindDate:
		return schema.DateLogicalType{}
	case types.KindTimestamp:
		return schema.NewTimestampLogicalType(true, schema.TimeUnitMicros)
	case types.KindTimestampNTZ:
		return schema.NewTimestampLogicalType(false, schema.TimeUnitMicros)
	case types.KindByte:
		return schema.NewIntLogicalType(8, true)
	case types.KindShort:
		return schema.NewIntLogicalType(16, true)
	}
	return schema.NoLogicalType{}
}

// fileSchema is the schema of the file as arrow-go wants it.
func fileSchema(roots []*node) (*schema.GroupNode, error) {
	fields, err := schemaNodes(roots)
	if err != nil {
		return nil, err
	}
	return schema.NewGroupNode("spark_schema", parquet.Repetitions.Required, fields, -1)
}

func schemaNodes(list []*node) (schema.FieldList, error) {
	var out schema.FieldList
	for _, n := range list {
		if n == nil {
			continue
		}
		s, err := n.schemaNode()
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", types.QuoteIdentifier(n.name), err)
		}
		out = append(out, s)
	}
	return out, nil
}

func (n *node) schemaNode() (schema.Node, error) {
	repetition := parquet.Repetitions.Required
	switch {
	case n.repeated:
		repetition = parquet.Repetitions.Repeated
	case n.optional:
		repetition = parquet.Repetitions.Optional
	}
	logical := logicalOf(n.typ)
	if n.leaf != nil {
		p, width := physicalOf(n.typ)
		return schema.NewPrimitiveNodeLogical(n.name, repetition, logical, p, width, n.fieldID)
	}
	fields, err := schemaNodes(n.kids)
	if err != nil {
		return nil, err
	}
	if logical.IsNone() {
		return schema.NewGroupNode(n.name, repetition, fields, n.fieldID)
	}
	return schema.NewGroupNodeLogical(n.name, repetition, fields, logical, n.fieldID)
}
