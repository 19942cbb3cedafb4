package merge

import (
	"sort"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/internal/rows/rewrite"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/types"
)

// decision is what becomes of one row of a batch.
type decision struct {
	row    int32 // in the batch
	src    int32 // the source row it takes values from, -1 without one
	clause int32
}

// decide matches a batch and applies the clauses. Every returned list ascends by row.
func (x *Exec) decide(b scan.Batch, probe, bySource bool) (dec []decision, pairs []rewrite.Pair, err error) {
	var ti, si []int32
	if probe {
		if ti, si, err = x.m.pairs(b.Columns, b.Rows); err != nil {
			return nil, nil, err
		}
		for i := range ti {
			pairs = append(pairs, rewrite.Pair{Pos: b.Positions[ti[i]], Src: si[i]})
		}
	}
	matched := ti
	if ti, si, err = x.unique(b.Columns, ti, si); err != nil {
		return nil, nil, err
	}
	if dec, err = x.onMatched(b.Columns, ti, si); err != nil {
		return nil, nil, err
	}
	if bySource {
		more, err := x.onUnmatched(b.Columns, b.Rows, matched)
		if err != nil {
			return nil, nil, err
		}
		if len(dec) > 0 && len(more) > 0 {
			dec = append(dec, more...)
			sort.Slice(dec, func(i, j int) bool { return dec[i].row < dec[j].row })
		} else if len(more) > 0 {
			dec = more
		}
	}
	return dec, pairs, nil
}

// MultipleMatchError says that several source rows want to change one target row.
type MultipleMatchError struct{ Row string }

func (e *MultipleMatchError) Error() string {
	return "[DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE] several source rows match the same target row (" + e.Row +
		"): the result would depend on their order. Make the source unique in the columns of ON"
}

// unique enforces the multiple-match rule.
func (x *Exec) unique(cols []arrow.Array, ti, si []int32) ([]int32, []int32, error) {
	for i := 1; i < len(ti); i++ {
		if ti[i] != ti[i-1] {
			continue
		}
		if !x.p.manyMatches() {
			return x.decided(cols, ti, si)
		}
		one, src := ti[:1:1], si[:1:1]
		for j := 1; j < len(ti); j++ {
			if ti[j] != ti[j-1] {
				one, src = append(one, ti[j]), append(src, si[j])
			}
		}
		return one, src, nil
	}
	return ti, si, nil
}

// decided applies the rule where a target row has several matches: with matched
// clauses alone the reference does not count the pairs for which all the
// conditions together are NULL. No clause takes these.
func (x *Exec) decided(cols []arrow.Array, ti, si []int32) ([]int32, []int32, error) {
	if any := x.p.anyMatched(); any != nil && len(x.p.matched) == len(x.p.clauses) {
		known := &expr.Call{Fn: "isnotnull", Args: []expr.Expr{any}, T: types.Boolean}
		sel, err := eval.Filter(known, x.m.joined(cols, ti, si, known))
		if err != nil {
			return nil, nil, err
		}
		ti, si = pick(ti, sel), pick(si, sel)
	}
	for i := 1; i < len(ti); i++ {
		if ti[i] == ti[i-1] {
			return nil, nil, &MultipleMatchError{Row: x.describe(cols, ti[i])}
		}
	}
	return ti, si, nil
}

// onMatched lets the matched clauses take pairs in their order.
func (x *Exec) onMatched(cols []arrow.Array, ti, si []int32) ([]decision, error) {
	var dec []decision
	parts := 0
	for _, c := range x.p.matched {
		if len(ti) == 0 {
			break
		}
		sel := []int32(nil)
		if c.cond != nil {
			var err error
			if sel, err = eval.Filter(c.cond, x.m.joined(cols, ti, si, c.cond)); err != nil {
				return nil, err
			}
		} else {
			sel = sequence(len(ti))
		}
		if len(sel) > 0 {
			parts++
		}
		for _, i := range sel {
			dec = append(dec, decision{ti[i], si[i], c.index})
		}
		ti, si = except(ti, sel), except(si, sel)
	}
	if parts > 1 {
		sort.Slice(dec, func(i, j int) bool { return dec[i].row < dec[j].row })
	}
	return dec, nil
}

// onUnmatched lets the by-source clauses take the rows without a match.
func (x *Exec) onUnmatched(cols []arrow.Array, rows int, matched []int32) ([]decision, error) {
	rest := make([]int32, 0, rows)
	j := 0
	for i := range int32(rows) {
		for j < len(matched) && matched[j] < i {
			j++
		}
		if j == len(matched) || matched[j] != i {
			rest = append(rest, i)
		}
	}
	var dec []decision
	parts := 0
	for _, c := range x.p.bySource {
		if len(rest) == 0 {
			break
		}
		sel := sequence(len(rest))
		if c.cond != nil {
			in := x.p.targetInput(cols, rows)
			if len(rest) < rows {
				in = x.m.joined(cols, rest, nil, c.cond)
			}
			var err error
			if sel, err = eval.Filter(c.cond, in); err != nil {
				return nil, err
			}
		}
		if len(sel) > 0 {
			parts++
		}
		for _, i := range sel {
			dec = append(dec, decision{rest[i], -1, c.index})
		}
		rest = except(rest, sel)
	}
	if parts > 1 {
		sort.Slice(dec, func(i, j int) bool { return dec[i].row < dec[j].row })
	}
	return dec, nil
}

// except returns a without the elements at the ascending indices in sel.
func except(a, sel []int32) []int32 {
	if len(sel) == 0 {
		return a
	}
	out := make([]int32, 0, len(a)-len(sel))
	j := 0
	for i, v := range a {
		if j < len(sel) && sel[j] == int32(i) {
			j++
			continue
		}
		out = append(out, v)
	}
	return out
}
