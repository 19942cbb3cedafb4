package query

import (
	"iter"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/types"
)

// constants are the rows of an inline table.
type constants struct {
	rows   [][]expr.Expr
	schema []types.Field
}

func (n *constants) fields() []types.Field { return n.schema }
func (n *constants) need([]bool)           {}

func (n *constants) run(r *run) iter.Seq2[batch, error] {
	return func(yield func(batch, error) bool) {
		for from := 0; from < len(n.rows); from += batchRows {
			part := n.rows[from:min(from+batchRows, len(n.rows))]
			b := batch{Columns: make([]arrow.Array, len(n.schema)), Rows: len(part)}
			for c := range n.schema {
				list := make([]arrow.Array, len(part))
				for i, row := range part {
					e, err := r.resolve(row[c])
					if err == nil {
						list[i], err = eval.Eval(e, batch{Rows: 1})
					}
					if err == nil {
						list[i], err = conformed(list[i], n.schema[c].Type)
					}
					if err != nil {
						yield(batch{}, err)
						return
					}
				}
				var err error
				if b.Columns[c], err = columns.Concat(list); err != nil {
					yield(batch{}, err)
					return
				}
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}

// conformed gives an array the Arrow type of a type that differs from its own at
// most in nullability and the names of nested fields.
func conformed(a arrow.Array, t types.Type) (arrow.Array, error) {
	if a == nil || !types.IsNested(t) {
		return a, nil
	}
	dt, err := columns.ArrowType(t)
	if err != nil || arrow.TypeEqual(dt, a.DataType()) {
		return a, nil // intervals have no Arrow type of their own
	}
	return columns.Retype(a, dt), nil
}

// conform is conformed of every column.
func conform(b batch, fields []types.Field) (batch, error) {
	var out []arrow.Array
	for i, c := range b.Columns {
		d, err := conformed(c, fields[i].Type)
		if err != nil {
			return b, err
		}
		if d != c && out == nil {
			out = append(out, b.Columns...)
		}
		if out != nil {
			out[i] = d
		}
	}
	if out != nil {
		b.Columns = out
	}
	return b, nil
}
