package prune

import (
	"slices"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/format/partition"
	"github.com/sluicelake/sluice/types"
)

// generationKey is the field metadata with the expression of a generated column
// (PROTOCOL.md, Generated Columns).
const generationKey = "delta.generationExpression"

// A partition column that is generated from a data column says where the values
// of the data column lie: if day is CAST(ts AS DATE), each ts of a file lies on
// the file's day. So a predicate on the data column drops files by their partition
// values, statistics or not. The rows of a table keep the generation expression,
// NULL included, which its writers must check.
type derivation struct {
	place int        // of the partition column
	typ   types.Type // of the partition column
	// within gives the values of the data column for one of the partition column.
	within func(v any) (lo, hi colstats.Value)
	// For functions of time there are instead the local time that a value stands
	// for, and the way from there to the data column.
	local func(v any) (span, bool)
	to    func(span) (lo, hi colstats.Value)
	part  string // "month" and the like, which say something only together
}

// generatedFrom collects what partition columns say of the data column at a path
// of ordinals; nil when that is nothing.
func (t *table) generatedFrom(path []int) []derivation {
	for _, g := range t.generated {
		if slices.Equal(g.path, path) {
			return g.by
		}
	}
	return nil
}

// generated are the derivations of one data column.
type generated struct {
	path []int
	by   []derivation
}

func (t *table) parseGenerated() {
	for ordinal, place := range t.partition {
		if place < 0 {
			continue
		}
		f := t.schema.Fields[ordinal]
		sql, ok := f.Metadata.Text(generationKey)
		if !ok {
			continue
		}
		e, err := expr.Parse(sql)
		if err == nil {
			e, err = expr.Bind(e, expr.Scope{Tables: []expr.Table{{Schema: t.schema}}})
		}
		if err != nil {
			continue // an expression that is not understood says nothing
		}
		d, path, ok := t.derive(e, f.Type)
		if !ok {
			continue
		}
		d.place, d.typ = place, f.Type
		i := slices.IndexFunc(t.generated, func(g generated) bool { return slices.Equal(g.path, path) })
		if i < 0 {
			i = len(t.generated)
			t.generated = append(t.generated, generated{path: path})
		}
		t.generated[i].by = append(t.generated[i].by, d)
	}
}

// derive inverts a generation expression.
func (t *table) derive(e expr.Expr, typ types.Type) (derivation, []int, bool) {
	if path, base, ok := columnPath(e); ok { // the column itself
		if !types.Equal(base, typ) || colstats.ClassOf(base) == colstats.Float {
			return derivation{}, nil, false
		}
		return derivation{within: identical(base)}, path, true
	}
	if d, path, ok := prefixOf(e); ok {
		return d, path, types.Equal(typ, types.String)
	}
	return calendarOf(e)
}

// identical is the value itself. A timestamp may have been written without its zone.
func identical(t types.Type) func(v any) (lo, hi colstats.Value) {
	return func(v any) (lo, hi colstats.Value) {
		c, ok := colstats.Of(v, t)
		if !ok {
			return lo, hi
		}
		if t.Kind() == types.KindTimestamp {
			return instant(span{c.I, c.I})
		}
		return c, c
	}
}

// columnPath is the path of ordinals of a column, or of a member of one.
func columnPath(e expr.Expr) (path []int, t types.Type, ok bool) {
	t = e.Type()
	for {
		switch x := e.(type) {
		case *expr.Field:
			if x.Base.Type() == nil || x.Base.Type().Kind() != types.KindStruct {
				return nil, nil, false
			}
			path, e = append(path, x.Index), x.Base
			continue
		case *expr.Column:
			path = append(path, x.Ref)
			slices.Reverse(path)
			return path, t, x.Ref >= 0 && t != nil
		}
		return nil, nil, false
	}
}

// narrowed is a column whose interval partition values make narrower.
func (t *table) narrowed(x scalar, by []derivation) scalar {
	t.derived = true
	return func(s *state) interval {
		i := x(s)
		parts := dateParts{}
		for k := range by {
			d := &by[k]
			text, null := s.file.Partition(d.place)
			var v any
			if !null {
				var err error
				if v, err = partition.Parse(text, d.typ); err != nil {
					continue
				}
			}
			switch {
			case v == nil && d.typ.Kind() == types.KindString: // the empty string is NULL there as well
			case v == nil:
				return interval{null: true}
			case d.part != "":
				i.null = false
				parts.set(d.part, v, d.to)
			case d.local != nil:
				i.null = false
				if at, ok := d.local(v); ok {
					i.intersect(d.to(at))
					if !parts.date.isDay() {
						parts.date, parts.to = at, d.to
					}
				}
			default:
				i.null = false
				i.intersect(d.within(v))
			}
		}
		if at, ok := parts.span(); ok {
			i.intersect(parts.to(at))
		}
		return i
	}
}

// intersect makes the interval narrower. What contradicts it is not believed:
// then something is wrong that must not cost rows.
func (i *interval) intersect(lo, hi colstats.Value) {
	out := *i
	if c, ok := colstats.Compare(lo, i.lo); lo.Class != colstats.None && (i.lo.Class == colstats.None || ok && c > 0) {
		out.lo = lo
	}
	if c, ok := colstats.Compare(hi, i.hi); hi.Class != colstats.None && (i.hi.Class == colstats.None || ok && c < 0) {
		out.hi = hi
	}
	if c, ok := colstats.Compare(out.lo, out.hi); ok && c > 0 {
		return
	}
	*i = out
}
