package checkpoint

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/format/partition"
	"github.com/sluicelake/sluice/types"
)

// Typed are the columns stats_parsed and partitionValues_parsed of the adds,
// which a table asks for with delta.checkpoint.writeStatsAsStruct (PROTOCOL.md,
// Checkpoint Schema).
type Typed struct {
	leaves        []colstats.Leaf
	partitions    []types.Field // physical names
	statsType     arrow.DataType
	partitionType arrow.DataType
	bounds, nulls *branch
}

// branch is a struct on the way to the leaves that have a statistic.
type branch struct {
	name     string
	leaf     int // -1 for a struct
	dt       arrow.DataType
	children []*branch
}

// NewTyped plans the columns for the leaves with statistics and the partition
// columns of a table, both by physical names.
func NewTyped(leaves []colstats.Leaf, partitions []types.Field) (*Typed, error) {
	t := &Typed{leaves: leaves, partitions: partitions, bounds: &branch{leaf: -1}, nulls: &branch{leaf: -1}}
	for i, l := range leaves {
		dt, err := columns.ArrowType(l.Type)
		if err != nil {
			return nil, fmt.Errorf("typed statistics: %w", err)
		}
		if colstats.HasBounds(l.Type) {
			t.bounds.plant(l.Path, i, dt)
		}
		t.nulls.plant(l.Path, i, longType)
	}
	stats := fields("numRecords", longType)
	if len(t.bounds.children) > 0 {
		stats = append(stats, fields("minValues", t.bounds.arrow(), "maxValues", t.bounds.arrow())...)
	}
	if len(t.nulls.children) > 0 {
		stats = append(stats, fields("nullCount", t.nulls.arrow())...)
	}
	t.statsType = arrow.StructOf(append(stats, fields("tightBounds", flagType)...)...)
	var parts []arrow.Field
	for _, f := range partitions {
		dt, err := columns.ArrowType(f.Type)
		if err != nil {
			return nil, fmt.Errorf("typed partition values: %w", err)
		}
		parts = append(parts, fields(f.Name, dt)...)
	}
	if len(parts) > 0 {
		t.partitionType = arrow.StructOf(parts...)
	}
	return t, nil
}

// Layout names the shape of the columns: files of different layouts do not
// belong into one checkpoint.
func (t *Typed) Layout() string { return fmt.Sprint(t.statsType, t.partitionType) }

func (b *branch) plant(path []string, leaf int, dt arrow.DataType) {
	for _, c := range b.children {
		if c.name == path[0] && c.leaf < 0 {
			c.plant(path[1:], leaf, dt)
			return
		}
	}
	c := &branch{name: path[0], leaf: leaf, dt: dt}
	b.children = append(b.children, c)
	if len(path) > 1 {
		c.leaf, c.dt = -1, nil
		c.plant(path[1:], leaf, dt)
	}
}

func (b *branch) arrow() arrow.DataType {
	if b.leaf >= 0 {
		return b.dt
	}
	var f []arrow.Field
	for _, c := range b.children {
		f = append(f, fields(c.name, c.arrow())...)
	}
	return arrow.StructOf(f...)
}

// typedWriter fills the columns. It belongs to one file.
type typedWriter struct {
	*Typed
	decoder *colstats.Decoder
	stats   colstats.Stats
}

func (t *Typed) writer() *typedWriter {
	return &typedWriter{Typed: t, decoder: colstats.NewDecoder(t.leaves)}
}

// partition fills partitionValues_parsed. A text that is no value of its column
// has no typed form: it is null there, and stands in partitionValues as ever.
func (w *typedWriter) partition(f *fieldsOf, values []pair) {
	if len(w.partitions) == 0 {
		return
	}
	b := f.next().(*array.StructBuilder)
	b.Append(true)
	for i, col := range w.partitions {
		into := b.FieldBuilder(i)
		v := any(nil)
		for _, kv := range values {
			if kv.key == col.Name && !kv.null {
				if parsed, err := partition.Parse(kv.value, col.Type); err == nil {
					v = parsed
				}
			}
		}
		if columns.AppendValue(into, col.Type, v) != nil {
			into.AppendNull()
		}
	}
}

// statistics fills stats_parsed; statistics that are not well formed are none.
func (w *typedWriter) statistics(f *fieldsOf, stats []byte) {
	b := f.next().(*array.StructBuilder)
	if len(stats) == 0 || w.decoder.Decode(stats, &w.stats) != nil {
		b.AppendNull()
		return
	}
	b.Append(true)
	d := fieldsOf{b: b}
	d.long(w.stats.Records, w.stats.Records >= 0)
	if len(w.bounds.children) > 0 {
		w.fill(d.next(), w.bounds, func(into array.Builder, i int) {
			appendBound(into, w.stats.Leaves[i].Min(w.leaves[i].Type))
		})
		w.fill(d.next(), w.bounds, func(into array.Builder, i int) {
			appendBound(into, w.stats.Leaves[i].MaxWritten(w.leaves[i].Type))
		})
	}
	if len(w.nulls.children) > 0 {
		w.fill(d.next(), w.nulls, func(into array.Builder, i int) {
			n := w.stats.Leaves[i].Nulls
			if n < 0 {
				into.AppendNull()
			} else {
				into.(*array.Int64Builder).Append(n)
			}
		})
	}
	d.flag(w.stats.Tight, true)
}

func (w *typedWriter) fill(into array.Builder, b *branch, leaf func(into array.Builder, i int)) {
	if b.leaf >= 0 {
		leaf(into, b.leaf)
		return
	}
	s := into.(*array.StructBuilder)
	s.Append(true)
	for i, c := range b.children {
		w.fill(s.FieldBuilder(i), c, leaf)
	}
}

// appendBound appends a bound, null when it is not known or does not fit.
func appendBound(into array.Builder, v colstats.Value) {
	switch b := into.(type) {
	case *array.Int8Builder:
		if v.Class == colstats.Int && v.I == int64(int8(v.I)) {
			b.Append(int8(v.I))
			return
		}
	case *array.Int16Builder:
		if v.Class == colstats.Int && v.I == int64(int16(v.I)) {
			b.Append(int16(v.I))
			return
		}
	case *array.Int32Builder:
		if v.Class == colstats.Int && v.I == int64(int32(v.I)) {
			b.Append(int32(v.I))
			return
		}
	case *array.Int64Builder:
		if v.Class == colstats.Int {
			b.Append(v.I)
			return
		}
	case *array.Date32Builder:
		if v.Class == colstats.Int && v.I == int64(int32(v.I)) {
			b.Append(arrow.Date32(v.I))
			return
		}
	case *array.TimestampBuilder:
		if v.Class == colstats.Int {
			b.Append(arrow.Timestamp(v.I))
			return
		}
	case *array.Float32Builder:
		if v.Class == colstats.Float {
			b.Append(float32(v.F))
			return
		}
	case *array.Float64Builder:
		if v.Class == colstats.Float {
			b.Append(v.F)
			return
		}
	case *array.Decimal128Builder:
		if v.Class == colstats.Decimal && fits(v.D, b.Type().(*arrow.Decimal128Type)) {
			b.Append(v.D)
			return
		}
	case *array.StringBuilder:
		if v.Class == colstats.Text {
			b.Append(v.S)
			return
		}
	}
	into.AppendNull()
}

func fits(n decimal128.Num, t *arrow.Decimal128Type) bool { return n.FitsInPrecision(t.Precision) }
