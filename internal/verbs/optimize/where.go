package optimize

import (
	"slices"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/format/partition"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// decide computes the condition for the partition of a file, which pruning may have
// kept only because the condition fails on its values.
func (p *Plan) decide(s *snapshot.Snapshot, i int) (bool, error) {
	if p.where == nil {
		return true, nil
	}
	c := s.Columns()
	var bad error
	bound := expr.Rewrite(p.where, func(e expr.Expr) expr.Expr {
		ref, ok := e.(*expr.Column)
		if !ok {
			return e
		}
		at := slices.Index(c.PartitionOrdinals, ref.Ref)
		text, null := s.Files().Partition(i, at)
		if null {
			return &expr.Literal{T: ref.Type()}
		}
		v, err := partition.Parse(text, ref.Type())
		if err != nil {
			bad = err
		}
		return &expr.Literal{Value: v, T: ref.Type()}
	})
	if bad != nil {
		return false, bad
	}
	v, err := eval.Literal(bound)
	if err != nil {
		return false, err
	}
	is, _ := v.Value.(bool)
	return is, nil
}
