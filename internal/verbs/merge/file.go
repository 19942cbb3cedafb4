package merge

import (
	"context"
	"sort"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/internal/rows/rewrite"
	"github.com/sluicelake/sluice/internal/rows/scan"
)

// fileRun is the work on one file: decide on every row, then write what is to
// be written. A small file is read once; of a large one the columns that
// decisions need are read first, and the others only when a row changes.
type fileRun struct {
	x      *Exec
	add    *action.Add
	effect *rewrite.Effect
	out    *outputs
	j      judgement
	kept   []decided // of a small file
	later  []later   // of a large file, ascending by position
}

type decided struct {
	batch scan.Batch
	rows  []decision
}

type later struct {
	pos    int64
	src    int32
	clause int32
}

func (f *fileRun) run(ctx context.Context) error {
	x := f.x
	small := f.add.Size <= x.small
	cols := x.firstCols
	if small {
		cols = union(cols, x.moreCols)
	}
	direct := !small && x.ledger.Marks() && subset(x.moreCols, x.firstCols)
	o := scan.Options{Columns: cols, Positions: true}
	if !f.j.bySource {
		o.Predicate = x.scanPredicate()
	}
	for batch, err := range scan.File(ctx, x.env, x.src, f.add, o) {
		if err != nil {
			return err
		}
		rows, pairs, err := x.decide(batch, f.j.probe, f.j.bySource)
		if err != nil {
			return err
		}
		f.effect.Pairs = append(f.effect.Pairs, pairs...)
		switch {
		case direct:
			if err := f.emit(batch, rows); err != nil {
				return err
			}
		case small:
			f.kept = append(f.kept, decided{batch, rows})
		default:
			for _, d := range rows {
				f.later = append(f.later, later{batch.Positions[d.row], d.src, d.clause})
			}
		}
	}
	return f.second(ctx)
}

// second writes what the decisions ask for.
func (f *fileRun) second(ctx context.Context) error {
	touched := len(f.later) > 0
	for _, k := range f.kept {
		touched = touched || len(k.rows) > 0
	}
	if !touched {
		return nil
	}
	for _, k := range f.kept {
		if err := f.emit(k.batch, k.rows); err != nil {
			return err
		}
	}
	if len(f.later) == 0 {
		return nil
	}
	if f.x.ledger.Marks() && !f.writes() {
		for _, d := range f.later {
			f.effect.Rows = append(f.effect.Rows, rewrite.Row{Pos: d.pos, Clause: d.clause})
		}
		return nil
	}
	o := scan.Options{Columns: f.x.moreCols, Positions: true}
	if f.x.ledger.Marks() {
		o.Rows = ranges(f.later)
	}
	rest := f.later
	for batch, err := range scan.File(ctx, f.x.env, f.x.src, f.add, o) {
		if err != nil {
			return err
		}
		if batch.Rows == 0 {
			continue
		}
		end := sort.Search(len(rest), func(i int) bool { return rest[i].pos > batch.Positions[batch.Rows-1] })
		rows := make([]decision, 0, end)
		row := 0
		for _, d := range rest[:end] {
			for batch.Positions[row] < d.pos {
				row++
			}
			rows = append(rows, decision{int32(row), d.src, d.clause})
		}
		rest = rest[end:]
		if err := f.emit(batch, rows); err != nil {
			return err
		}
	}
	return nil
}

// ranges are the stretches of the file that hold rows to be read again.
func ranges(rows []later) []scan.Range {
	const gap = 1024
	var out []scan.Range
	for _, r := range rows {
		if n := len(out); n > 0 && r.pos-out[n-1].End < gap {
			out[n-1].End = r.pos + 1
			continue
		}
		out = append(out, scan.Range{Start: r.pos, End: r.pos + 1})
	}
	return out
}

// writes reports whether any decision writes a row.
func (f *fileRun) writes() bool {
	for _, d := range f.later {
		if f.x.p.clauses[d.clause].action != Delete {
			return true
		}
	}
	return false
}

func subset(a, b []int) bool {
	for _, v := range a {
		i := sort.SearchInts(b, v)
		if i == len(b) || b[i] != v {
			return false
		}
	}
	return true
}

// emit writes the rows of one batch: the updated ones clause by clause, and
// the unchanged ones when the file is rewritten.
func (f *fileRun) emit(b scan.Batch, rows []decision) error {
	if f.effect.Rewritten {
		if err := f.copyRest(b, rows); err != nil {
			return err
		}
	}
	if len(rows) == 0 {
		return nil
	}
	byClause := map[int32][]int{}
	for i, d := range rows {
		byClause[d.clause] = append(byClause[d.clause], i)
	}
	for _, c := range f.x.p.clauses {
		list := byClause[c.index]
		if len(list) == 0 {
			continue
		}
		if c.action == Delete {
			for _, i := range list {
				f.effect.Rows = append(f.effect.Rows, rewrite.Row{Pos: b.Positions[rows[i].row], Clause: c.index})
			}
			continue
		}
		if err := f.update(b, rows, list, c); err != nil {
			return err
		}
	}
	return nil
}

func (f *fileRun) update(b scan.Batch, rows []decision, list []int, c clause) error {
	ti, si := make([]int32, len(list)), make([]int32, len(list))
	for k, i := range list {
		ti[k], si[k] = rows[i].row, rows[i].src
	}
	cols, err := f.x.values(c, f.x.m.joined(b.Columns, ti, si, c.values...))
	if err != nil {
		return err
	}
	if f.x.spec.RowIDs { // an updated row stays the same row
		cols = append(cols, columns.Take(scan.RowIDs(b, b.Columns[f.x.p.nt]), ti), nil)
	}
	return f.out.write(cols, len(list), func(i int, o *rewrite.Output, at int64) {
		f.effect.Rows = append(f.effect.Rows, rewrite.Row{Pos: b.Positions[ti[i]], Clause: c.index, Output: o, At: at})
	}, nil)
}

// values evaluates what a clause assigns, a column for each target column.
func (x *Exec) values(c clause, in eval.Input) ([]arrow.Array, error) {
	cols := make([]arrow.Array, x.p.nt)
	for i, e := range c.values {
		var a arrow.Array
		var err error
		if e == nil {
			a, err = x.ids.Values(i, in.Rows)
		} else {
			a, err = eval.Eval(e, in)
		}
		if err != nil {
			where := c.kind.String()
			if !x.p.probes() {
				where = "SET"
			}
			return nil, inClause(where+", column "+x.p.target.Fields[i].Name, err)
		}
		cols[i] = a
	}
	return cols, nil
}

func (f *fileRun) copyRest(b scan.Batch, rows []decision) error {
	cols, n := b.Columns, b.Rows
	if f.x.spec.RowIDs {
		cols = append(b.Columns[:f.x.p.nt:f.x.p.nt], scan.RowIDs(b, b.Columns[f.x.p.nt]), scan.RowVersions(b, b.Columns[f.x.p.nt+1]))
	}
	if len(rows) > 0 {
		taken := make([]int32, len(rows))
		for i, d := range rows {
			taken[i] = d.row
		}
		keep := except(sequence(b.Rows), taken)
		if len(keep) == 0 {
			return nil
		}
		cols, n = columns.TakeColumns(cols, keep), len(keep)
	}
	return f.out.write(cols, n, nil, func(o *rewrite.Output, from, count int64) {
		if k := len(f.effect.Copied); k > 0 && f.effect.Copied[k-1].Output == o && f.effect.Copied[k-1].From+f.effect.Copied[k-1].Rows == from {
			f.effect.Copied[k-1].Rows += count
			return
		}
		f.effect.Copied = append(f.effect.Copied, rewrite.Run{Output: o, From: from, Rows: count})
	})
}
