package query

import (
	"iter"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/types"
)

type sortKey struct {
	expr             expr.Expr
	desc, nullsFirst bool
}

// checkOrder refuses keys that have no order.
func checkOrder(keys []sortKey) error {
	for _, k := range keys {
		if !keyable(k.expr.Type()) {
			return failf("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "ORDER BY cannot compare %s: %s", types.SQL(k.expr.Type()), k.expr)
		}
	}
	return nil
}

// sorter holds all rows and gives them in order. Rows of equal keys keep theirs.
type sorter struct {
	in   node
	keys []sortKey
}

func (n *sorter) fields() []types.Field { return n.in.fields() }

func (n *sorter) need(cols []bool) {
	below := append([]bool(nil), cols...)
	for _, k := range n.keys {
		markRefs(below, k.expr)
	}
	n.in.need(below)
}

func (n *sorter) run(r *run) iter.Seq2[batch, error] {
	return func(yield func(batch, error) bool) {
		b, err := r.materialise(n.in, "ORDER BY")
		if err != nil {
			yield(batch{}, err)
			return
		}
		idx, err := n.order(r, b)
		if err != nil {
			yield(batch{}, err)
			return
		}
		for from := 0; from < len(idx); from += batchRows {
			if !yield(take(b, idx[from:min(from+batchRows, len(idx))]), nil) {
				return
			}
		}
	}
}

// order lists the rows of a batch in order.
func (n *sorter) order(r *run, b batch) ([]int32, error) {
	less := make([]func(i, j int) int, len(n.keys))
	for k, key := range n.keys {
		e, err := r.resolve(key.expr)
		if err != nil {
			return nil, err
		}
		a, err := eval.Eval(e, b)
		if err != nil {
			return nil, err
		}
		less[k] = compareKey(a, key)
	}
	idx := make([]int32, b.Rows)
	for i := range idx {
		idx[i] = int32(i)
	}
	slices.SortStableFunc(idx, func(i, j int32) int {
		for _, f := range less {
			if c := f(int(i), int(j)); c != 0 {
				return c
			}
		}
		return 0
	})
	return idx, nil
}

func compareKey(a arrow.Array, k sortKey) func(i, j int) int {
	f := eval.Order(a, a)
	return func(i, j int) int {
		x, y := columns.IsNull(a, i), columns.IsNull(a, j)
		switch {
		case x && y:
			return 0
		case x != y:
			if x == k.nullsFirst {
				return -1
			}
			return 1
		}
		if k.desc {
			return f(j, i)
		}
		return f(i, j)
	}
}
