package read

import (
	"context"
	"iter"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// fewRows is a limit up to which files are read one after the other.
const fewRows = 1 << 14

// Rows yields the rows of the plan in batches. Files are read in parallel, so
// the order of rows is not defined. An error comes once, last.
func (p *Plan) Rows(ctx context.Context, e *env.Env) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		schema, err := columns.ArrowSchema(p.schema)
		if err != nil {
			yield(nil, err)
			return
		}
		left := p.limit
		if left == 0 {
			return
		}
		r := p.reading(p.refs(true, true))
		if p.where == nil && left > 0 && left <= fewRows { // reading ahead would cost more than it saves
			alone := *e
			alone.Workers, e = 1, &alone
			r.options.Limit = left
		}
		for b, err := range scan.Stream(ctx, e, r.source, p.kept(), r.options) {
			if err != nil {
				yield(nil, err)
				return
			}
			cols, rows, err := p.result(r, b)
			if err != nil {
				yield(nil, err)
				return
			}
			if left > 0 && int64(rows) > left {
				for i, c := range cols {
					cols[i] = array.NewSlice(c, 0, left)
				}
				rows = int(left)
			}
			if rows == 0 {
				continue
			}
			if !yield(array.NewRecordBatch(schema, cols, int64(rows)), nil) {
				return
			}
			if left > 0 {
				if left -= int64(rows); left == 0 {
					return
				}
			}
		}
	}
}

// reading is how the files of a plan are read for some ordinals.
type reading struct {
	source  scan.Source
	options scan.Options
	members []int // of _metadata
	whole   bool  // _metadata itself
}

func (p *Plan) reading(refs []int) *reading {
	h := p.t.hidden
	r := &reading{source: p.t.source, options: scan.Options{Columns: []int{}, Predicate: p.pushed, Filter: p.filter}, members: h.of(refs), whole: slices.Contains(refs, h.base)}
	for _, ref := range refs {
		if ref < len(p.t.schema().Fields) {
			r.options.Columns = append(r.options.Columns, ref)
		}
	}
	for _, k := range r.members {
		r.options.Positions = r.options.Positions || h.members[k].rows != nil
		for which, name := range h.stored {
			if name != "" && h.members[k].name == rowMembers[which].name {
				r.source.Columns = h.withStored(p.t.source.Columns)
				r.options.Columns = append(r.options.Columns, h.base-2+which)
			}
		}
	}
	return r
}

// columns are the columns of a batch by ordinal, members of _metadata too.
func (p *Plan) columns(r *reading, b scan.Batch) []arrow.Array {
	if len(r.members) == 0 {
		return b.Columns
	}
	return p.t.hidden.extend(b, r.members, r.whole)
}

// result keeps the rows of a batch that satisfy what remains of the condition, as
// output columns.
func (p *Plan) result(r *reading, b scan.Batch) ([]arrow.Array, int, error) {
	in := eval.Input{Columns: p.columns(r, b), Rows: b.Rows}
	var sel []int32
	rows := b.Rows
	if p.rest != nil {
		var err error
		if sel, err = eval.Filter(p.rest, in); err != nil {
			return nil, 0, err
		}
		rows = len(sel)
	}
	if rows == 0 {
		return nil, 0, nil
	}
	out := make([]arrow.Array, len(p.out))
	for i, o := range p.out {
		if c, ok := o.value.(*expr.Column); ok {
			out[i] = in.Columns[c.Ref]
		} else {
			var err error
			if out[i], err = eval.Eval(o.value, in); err != nil {
				return nil, 0, err
			}
		}
		if rows < b.Rows {
			out[i] = columns.Take(out[i], sel)
		}
	}
	return out, rows, nil
}

// Any reports whether a file holds a row for which the bound condition is true.
func Any(ctx context.Context, e *env.Env, s *snapshot.Snapshot, a *action.Add, pred expr.Expr) (bool, error) {
	for b, err := range scan.File(ctx, e, scan.SourceOf(s), a, scan.Options{Columns: []int{}, Filter: pred}) {
		if err != nil || b.Rows > 0 {
			return err == nil, err
		}
	}
	return false, nil
}
