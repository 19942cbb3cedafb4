package query

import (
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

// join holds the rows of its right side and streams the left side past them. Its
// condition is a list of conjuncts over the columns of both sides, the left first;
// equalities between the sides find the rows by hash, the rest is checked on pairs.
type join struct {
	kind        JoinKind
	left, right node
	on          []expr.Expr
	nullAware   bool // an Anti join that is NOT IN: a NULL on either side is a match
	wanted      []bool
}

func (n *join) fields() []types.Field {
	l, r := n.left.fields(), n.right.fields()
	out := append(make([]types.Field, 0, len(l)+len(r)), l...)
	if n.kind == Semi || n.kind == Anti {
		return out
	}
	out = append(out, r...)
	for i := range out {
		if i < len(l) && (n.kind == Right || n.kind == Full) || i >= len(l) && (n.kind == Left || n.kind == Full) {
			out[i].Nullable = true
		}
	}
	return out
}

func (n *join) need(cols []bool) {
	width := len(n.left.fields())
	n.wanted = make([]bool, width+len(n.right.fields()))
	copy(n.wanted, cols)
	below := append([]bool(nil), n.wanted...)
	for _, c := range n.on {
		markRefs(below, c)
	}
	n.left.need(below[:width])
	n.right.need(below[width:])
}
