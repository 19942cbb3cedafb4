package merge

import (
	"cmp"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// scanPredicate lets a scan skip the row groups and pages that no source row
// can match.
func (x *Exec) scanPredicate() expr.Expr {
	parts := append(append([]expr.Expr(nil), x.p.targetConds...), x.keyRanges...)
	if len(parts) == 0 {
		return nil
	}
	return expr.And(parts...)
}

// between limits a column to the range of the values, NULLs left out; nil when
// their type has no order that is known here.
func between(col *expr.Column, values arrow.Array) []expr.Expr {
	var low, high any
	for i := range values.Len() {
		if values.IsNull(i) {
			continue
		}
		v := columns.Value(values, i)
		switch {
		case low == nil:
			low, high = v, v
		case less(v, low):
			low = v
		case less(high, v):
			high = v
		}
	}
	if low == nil || !ordered(low) {
		return nil
	}
	side := func(fn string, v any) expr.Expr {
		return &expr.Call{Fn: fn, Args: []expr.Expr{col, &expr.Literal{Value: v, T: col.T}}, T: types.Boolean, Null: col.Null}
	}
	return []expr.Expr{side(">=", low), side("<=", high)}
}

func ordered(v any) bool {
	switch v.(type) {
	case int64, string:
		return true
	}
	return false
}

// less compares values of the types that ordered accepts.
func less(a, b any) bool {
	switch x := a.(type) {
	case int64:
		return cmp.Less(x, b.(int64))
	case string:
		return x < b.(string)
	}
	return false
}
