package prune

import (
	"slices"
	"strings"
	"sync"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/format/partition"
	"github.com/sluicelake/sluice/types"
)

// File is what pruning asks of a data file.
type File interface {
	// Partition is the serialised value of the partition column with that
	// place in the table's list of partition columns.
	Partition(col int) (value string, null bool)
	// StatsJSON are the statistics; empty when the file has none.
	StatsJSON() []byte
}

// FileOf is an add action as a File.
func FileOf(a *action.Add, schema *types.Struct, partitionColumns []string) File {
	return &addFile{add: a, schema: schema, columns: partitionColumns}
}

type addFile struct {
	add     *action.Add
	schema  *types.Struct
	columns []string
}

func (f *addFile) Partition(col int) (string, bool) {
	name := f.columns[col]
	if i := f.schema.Index(name); i >= 0 {
		name = physicalName(f.schema.Fields[i])
	}
	v, ok := f.add.PartitionValues[name]
	if !ok && name != f.columns[col] {
		v = f.add.PartitionValues[f.columns[col]]
	} else if !ok {
		for key, other := range f.add.PartitionValues {
			if strings.EqualFold(key, name) {
				v = other
			}
		}
	}
	if v == nil {
		return "", true
	}
	return *v, false
}

func (f *addFile) StatsJSON() []byte { return []byte(f.add.Stats) }

// physicalName is the name of a column in files and statistics
// (PROTOCOL.md, Column Mapping).
func physicalName(f types.Field) string {
	if name, ok := f.Metadata.Text("delta.columnMapping.physicalName"); ok {
		return name
	}
	return f.Name
}

// table is what the nodes of a compiled predicate know of the table.
type table struct {
	schema    *types.Struct
	physical  *types.Struct // nil: by the metadata of the fields
	partition []int         // by column ordinal: place in the partition columns, or -1
	leaves    []colstats.Leaf
	decoder   *colstats.Decoder
	pool      sync.Pool

	generated []generated // by data column; nil unless writers keep to it
	derived   bool        // an expression that was compiled uses it
}

func newTable(schema *types.Struct, partitionColumns []string, physical []*types.Struct) *table {
	t := &table{schema: schema, partition: make([]int, len(schema.Fields))}
	for i := range t.partition {
		t.partition[i] = -1
	}
	for place, name := range partitionColumns {
		if i := schema.Index(name); i >= 0 {
			t.partition[i] = place
		}
	}
	if len(physical) > 0 {
		t.physical = physical[0]
	}
	t.pool.New = func() any { return &state{t: t, parts: make([]part, len(partitionColumns))} }
	return t
}

// leaf finds or adds the leaf at a path of ordinals; -1 when it is none, or its
// statistics cannot be used.
func (t *table) leaf(path []int) int {
	l := colstats.Leaf{Ordinal: path}
	at, phys := t.schema, t.physical
	for depth, ordinal := range path {
		if at == nil || ordinal < 0 || ordinal >= len(at.Fields) {
			return -1
		}
		f := at.Fields[ordinal]
		if _, collated := f.Metadata.Raw("__COLLATIONS"); collated {
			return -1 // the statistics may follow the order of a collation
		}
		if phys != nil {
			l.Path = append(l.Path, phys.Fields[ordinal].Name)
		} else {
			l.Path = append(l.Path, physicalName(f))
		}
		l.Type = f.Type
		at, _ = f.Type.(*types.Struct)
		if phys != nil {
			phys, _ = phys.Fields[ordinal].Type.(*types.Struct)
		}
		if depth == len(path)-1 && at != nil {
			return -1
		}
	}
	for i, x := range t.leaves {
		if slices.Equal(x.Ordinal, path) {
			return i
		}
	}
	t.leaves = append(t.leaves, l)
	return len(t.leaves) - 1
}

// state is what has been read of one file.
type state struct {
	t       *table
	file    File
	parts   []part
	stats   colstats.Stats
	decoded bool
	leaves  []leafKnown
	bare    bool // statistics are not to be looked at
}

// leafKnown is the interval of a leaf, once it was asked for.
type leafKnown struct {
	known bool
	v     interval
}

type part struct {
	known bool
	v     interval
}

func (t *table) open(f File) *state {
	s := t.pool.Get().(*state)
	s.file, s.decoded, s.bare = f, false, false
	clear(s.parts)
	return s
}

func (t *table) done(s *state) {
	s.file = nil
	t.pool.Put(s)
}

// partitionValue is the value of a partition column, exactly.
func (s *state) partitionValue(place int, t types.Type) *interval {
	p := &s.parts[place]
	if p.known {
		return &p.v
	}
	p.known = true
	text, null := s.file.Partition(place)
	if null {
		p.v = interval{null: true}
		return &p.v
	}
	p.v = unknown
	literal, err := partition.Parse(text, t)
	switch {
	case err != nil:
	case literal != nil:
		if v, ok := colstats.Of(literal, t); ok {
			p.v = point(v)
		}
	case colstats.ClassOf(t) == colstats.Text: // NULL, unless a reader takes the text as it is
		p.v = point(colstats.Value{Class: colstats.Text, S: text})
		p.v.null = true
	default:
		p.v = interval{null: true}
	}
	return &p.v
}

// leafInterval is what statistics say of a leaf.
func (s *state) leafInterval(i int) interval {
	if !s.decoded {
		s.decoded = true
		if len(s.leaves) != len(s.t.leaves) {
			s.leaves = make([]leafKnown, len(s.t.leaves))
		}
		clear(s.leaves)
		if s.t.decoder.Decode(s.file.StatsJSON(), &s.stats) != nil {
			s.t.decoder.Decode(nil, &s.stats) // no statistics are no error
		}
	}
	k := &s.leaves[i]
	if k.known {
		return k.v
	}
	l := &s.stats.Leaves[i]
	t := s.t.leaves[i].Type
	k.known, k.v = true, interval{null: !l.NoNull(), value: !l.AllNull(s.stats.Records)}
	if !k.v.value {
		return k.v
	}
	k.v.lo, k.v.hi = l.Min(t), l.Max(t)
	if colstats.ClassOf(t) == colstats.Float {
		// Writers differ in whether a NaN counts; it is larger than every number.
		k.v.hi = notANumber
	}
	return k.v
}

// Split parts the conjuncts of a predicate into those that need partition
// columns only, which FileOf answers exactly, and the rest. A part without
// conjuncts is nil.
func Split(pred expr.Expr, schema *types.Struct, partitionColumns []string) (byPartition, byData expr.Expr) {
	t := newTable(schema, partitionColumns, nil)
	var left, right []expr.Expr
	for _, c := range expr.Conjuncts(pred) {
		if t.onlyPartition(c) {
			left = append(left, c)
		} else {
			right = append(right, c)
		}
	}
	return join(left), join(right)
}

func join(es []expr.Expr) expr.Expr {
	if len(es) == 0 {
		return nil
	}
	return expr.And(es...)
}
