package read

import (
	"context"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/internal/rows/scan"
)

// Count counts the rows of the plan. A file is read only when some of its rows
// may satisfy the condition and others not; from a file that does not say in the
// log how many rows it has, the footer is read.
func (p *Plan) Count(ctx context.Context, e *env.Env) (int64, error) {
	if p.limit == 0 {
		return 0, nil
	}
	var known int64
	var whole []*action.Add // all rows count, but the log does not say how many
	open := func(yield func(scan.Share) bool) {
		if p.snap == nil {
			for _, s := range p.shares {
				if !yield(s) {
					return
				}
			}
			return
		}
		files := p.snap.Files()
		for i := range files.All() {
			f := files.Ref(i)
			if !p.pruner.Keep(f).Keep {
				continue
			}
			all := len(p.byFile) == 0 && p.pruner.Always(f)
			if n, ok := files.NumRecords(i); ok && all {
				if d := files.DV(i); d != nil {
					n -= d.Cardinality
				}
				known += n
				continue
			}
			add := files.Add(i)
			switch {
			case !p.admit(add).Keep:
			case all:
				whole = append(whole, add)
			case !yield(scan.Share{Add: add}):
				return
			}
		}
	}
	n, err := p.countRows(ctx, e, open)
	if err != nil {
		return 0, err
	}
	for b, err := range scan.Files(ctx, e, p.t.source, whole, scan.Options{Columns: []int{}}) {
		if err != nil {
			return 0, err
		}
		n += int64(b.Rows)
	}
	n += known
	if p.limit > 0 {
		n = min(n, p.limit)
	}
	return n, nil
}

// countRows reads the columns that the condition needs, and no other.
func (p *Plan) countRows(ctx context.Context, e *env.Env, shares func(func(scan.Share) bool)) (int64, error) {
	var n int64
	r := p.reading(p.refs(true, false))
	for b, err := range scan.Stream(ctx, e, r.source, shares, r.options) {
		if err != nil {
			return 0, err
		}
		if p.rest == nil {
			n += int64(b.Rows)
			continue
		}
		sel, err := eval.Filter(p.rest, eval.Input{Columns: p.columns(r, b), Rows: b.Rows})
		if err != nil {
			return 0, err
		}
		n += int64(len(sel))
	}
	return n, nil
}
