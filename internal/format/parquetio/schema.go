package parquetio

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/sluicelake/sluice/types"
)

// parquetNode is an element of a file's schema in its tree.
type parquetNode struct {
	name       string
	repetition parquet.Repetition
	physical   parquet.Type // Undefined for a group
	width      int          // of a fixed-length leaf
	logical    logical
	fieldID    int32 // -1: none
	path       string
	children   []*parquetNode
	def, rep   int16
	leaf       int   // index of the leaf column, -1 for a group
	anc        int16 // definition level of the innermost repeated ancestor or self

	unordered bool         // the file does not say how its bounds compare
	old       *oldCalendar // nil: dates and timestamps are proleptic Gregorian
}

var (
	required = parquet.Repetitions.Required
	optional = parquet.Repetitions.Optional
	repeated = parquet.Repetitions.Repeated
)

// logical is the annotation of a node and its parameters. arrow-go derives it
// from the converted type of old files.
type logical struct {
	kind             logicalKind
	scale, precision int
	utc              bool
	unit             schema.TimeUnitType
	bits             int
	signed           bool
}

type logicalKind uint8

const (
	logicalNone logicalKind = iota
	logicalString
	logicalMap
	logicalList
	logicalDecimal
	logicalDate
	logicalTimestamp
	logicalInteger
	logicalText // ENUM and JSON
	logicalHalf
	logicalVariant
	logicalForeign // what no Delta type can hold
	logicalNothing // always NULL
	logicalOther
)

func logicalFrom(t schema.LogicalType) logical {
	switch x := t.(type) {
	case schema.StringLogicalType:
		return logical{kind: logicalString}
	case schema.MapLogicalType:
		return logical{kind: logicalMap}
	case schema.ListLogicalType:
		return logical{kind: logicalList}
	case schema.DecimalLogicalType:
		return logical{kind: logicalDecimal, scale: int(x.Scale()), precision: int(x.Precision())}
	case schema.DateLogicalType:
		return logical{kind: logicalDate}
	case schema.TimestampLogicalType:
		return logical{kind: logicalTimestamp, utc: x.IsAdjustedToUTC(), unit: x.TimeUnit()}
	case schema.IntLogicalType:
		return logical{kind: logicalInteger, bits: int(x.BitWidth()), signed: x.IsSigned()}
	case schema.EnumLogicalType, schema.JSONLogicalType:
		return logical{kind: logicalText}
	case schema.Float16LogicalType:
		return logical{kind: logicalHalf}
	case schema.VariantLogicalType:
		return logical{kind: logicalVariant}
	case schema.TimeLogicalType, schema.IntervalLogicalType:
		return logical{kind: logicalForeign}
	}
	if _, ok := t.(schema.NullLogicalType); ok {
		return logical{kind: logicalNothing}
	}
	if t == nil || t.IsNone() {
		return logical{}
	}
	return logical{kind: logicalOther}
}

// buildTree copies the schema with what the reader wants to know of each node.
func (m *fileMeta) buildTree(root *schema.GroupNode, c calendars) {
	var build func(s schema.Node, parent *parquetNode) *parquetNode
	build = func(s schema.Node, parent *parquetNode) *parquetNode {
		n := &parquetNode{name: s.Name(), repetition: s.RepetitionType(), physical: parquet.Types.Undefined,
			logical: logicalFrom(s.LogicalType()), fieldID: s.FieldID(), leaf: -1}
		if parent != nil {
			n.def, n.rep, n.anc, n.path = parent.def, parent.rep, parent.anc, n.name
			m.ids = m.ids || n.fieldID >= 0
			if parent.path != "" {
				n.path = parent.path + "." + n.name
			}
			switch n.repetition {
			case optional:
				n.def++
			case repeated:
				n.def++
				n.rep++
				n.anc = n.def
			}
		}
		switch s := s.(type) {
		case *schema.PrimitiveNode:
			n.physical, n.width, n.leaf = s.PhysicalType(), s.TypeLength(), len(m.leaves)
			if n.old = c.dates; n.physical == parquet.Types.Int96 {
				n.old = c.int96
			}
			m.leaves = append(m.leaves, n)
		case *schema.GroupNode:
			for i := range s.NumFields() {
				n.children = append(n.children, build(s.Field(i), n))
			}
		}
		return n
	}
	m.root = build(root, nil)
}

// firstLeaf is a leaf below (or at) a node, nil when there is none.
func (n *parquetNode) firstLeaf() *parquetNode {
	if n.leaf >= 0 {
		return n
	}
	for _, k := range n.children {
		if l := k.firstLeaf(); l != nil {
			return l
		}
	}
	return nil
}

// AmbiguousError says that a file has several columns that a column of the table
// could mean: names differ in case only, or a name or field id is used twice.
type AmbiguousError struct{ Column, Candidates string }

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("column %s is ambiguous: the file has %s", types.QuoteIdentifier(e.Column), e.Candidates)
}

// child finds a member by name: the exact one, otherwise the one that differs in
// case alone, as Spark does, whose names have no case.
func (n *parquetNode) child(name string) (*parquetNode, error) {
	return n.only(name, func(k *parquetNode) bool { return strings.EqualFold(k.name, name) })
}

// childByID finds a member by its field id.
func (n *parquetNode) childByID(name string, id int32) (*parquetNode, error) {
	return n.only(name, func(k *parquetNode) bool { return k.fieldID == id })
}

func (n *parquetNode) only(name string, is func(*parquetNode) bool) (*parquetNode, error) {
	var found, exact []*parquetNode
	for _, k := range n.children {
		if is(k) {
			found = append(found, k)
			if k.name == name {
				exact = append(exact, k)
			}
		}
	}
	if len(exact) == 1 {
		found = exact
	}
	switch len(found) {
	case 0:
		return nil, nil
	case 1:
		return found[0], nil
	}
	var names []string
	for _, k := range found {
		names = append(names, types.QuoteIdentifier(k.name))
	}
	return nil, &AmbiguousError{Column: name, Candidates: strings.Join(names, ", ")}
}

// part finds a member by the exact name that a format gives it.
func (n *parquetNode) part(name string) *parquetNode {
	for _, k := range n.children {
		if k.name == name {
			return k
		}
	}
	return nil
}

// listElement finds the element of a list, by the rules that readers of old
// files follow (LogicalTypes.md, Lists, Backward-compatibility rules). The first
// result is the repeated node. Where the rules leave two readings of a group of
// one member, want, the type of the element if it is known, decides.
func (n *parquetNode) listElement(want types.Type) (rep, el *parquetNode, ok bool) {
	if n.repetition == repeated && !n.isList() { // a bare repeated field
		return n, n, true
	}
	if n.leaf >= 0 || len(n.children) != 1 || n.children[0].repetition != repeated {
		return nil, nil, false
	}
	r := n.children[0]
	switch {
	case r.leaf >= 0, len(r.children) != 1, r.name == "array", r.name == n.name+"_tuple":
		return r, r, true
	}
	if s, ok := want.(*types.Struct); ok && len(s.Fields) == 1 && r.children[0].leaf >= 0 && strings.EqualFold(s.Fields[0].Name, r.children[0].name) {
		return r, r, true // a struct of one member, not that member
	}
	return r, r.children[0], true
}

func (n *parquetNode) isList() bool { return n.logical.kind == logicalList }
func (n *parquetNode) isMap() bool  { return n.logical.kind == logicalMap }

// mapEntry finds the repeated group of a map and its key and value.
func (n *parquetNode) mapEntry() (rep, key, value *parquetNode, ok bool) {
	if n.leaf >= 0 || len(n.children) != 1 {
		return nil, nil, nil, false
	}
	r := n.children[0]
	if r.repetition != repeated || len(r.children) == 0 || len(r.children) > 2 {
		return nil, nil, nil, false
	}
	if len(r.children) == 2 {
		value = r.children[1]
	}
	return r, r.children[0], value, true
}
