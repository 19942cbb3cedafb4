package query

import (
	"iter"

	"github.com/sluicelake/sluice/types"
)

// shared is the query of a CTE. Read once, it streams; read more often, its rows
// are held, so that every reader sees the same.
type shared struct {
	in     node
	refs   int
	needed bool
}

// held is the rows of a shared node in one run.
type held struct {
	rows batch
	err  error
}

func (n *shared) fields() []types.Field { return n.in.fields() }

func (n *shared) need(cols []bool) {
	switch {
	case n.refs == 1:
		n.in.need(cols)
	case !n.needed:
		n.needed = true
		n.in.need(every(n.in))
	}
}

func (n *shared) run(r *run) iter.Seq2[batch, error] {
	if n.refs == 1 {
		return n.in.run(r)
	}
	return func(yield func(batch, error) bool) {
		h := r.shared[n]
		if h == nil {
			h = &held{}
			h.rows, h.err = r.materialise(n.in, "a common table expression that is read more than once")
			r.shared[n] = h
		}
		if h.err != nil {
			yield(batch{}, h.err)
			return
		}
		emit(h.rows, yield)
	}
}
