package query

import (
	"fmt"
	"iter"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/types"
)

// once is one row without columns: SELECT without FROM.
type once struct{}

func (once) fields() []types.Field { return nil }
func (once) need([]bool)           {}
func (once) run(*run) iter.Seq2[batch, error] {
	return func(yield func(batch, error) bool) { yield(batch{Rows: 1}, nil) }
}

// scan is the rows of a relation.
type scan struct {
	from   Relation
	cols   []int
	where  expr.Expr
	limit  int64
	schema []types.Field
}

func newScan(r Relation) *scan { return &scan{from: r, schema: r.Schema().Fields} }

func (n *scan) fields() []types.Field { return n.schema }

func (n *scan) need(cols []bool) {
	n.cols = []int{}
	for i, c := range cols {
		if c {
			n.cols = append(n.cols, i)
		}
	}
}

func (n *scan) run(r *run) iter.Seq2[batch, error] {
	return func(yield func(batch, error) bool) {
		where, err := r.resolve(n.where)
		if err != nil {
			yield(batch{}, err)
			return
		}
		for rec, err := range n.from.Scan(r.ctx, ScanOptions{Columns: n.cols, Where: where, Limit: n.limit}) {
			if err != nil {
				yield(batch{}, err)
				return
			}
			if int(rec.NumCols()) != len(n.cols) {
				yield(batch{}, fmt.Errorf("query: a relation gave %d columns where %d were asked for", rec.NumCols(), len(n.cols)))
				return
			}
			b := batch{Columns: make([]arrow.Array, len(n.schema)), Rows: int(rec.NumRows())}
			for i, c := range n.cols {
				b.Columns[c] = rec.Column(i)
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}

// project computes expressions over each row.
type project struct {
	in     node
	exprs  []expr.Expr
	schema []types.Field
	wanted []bool
}

// newProject names expressions; the nullability is theirs.
func newProject(in node, exprs []expr.Expr, names []string) *project {
	p := &project{in: in, exprs: exprs, schema: make([]types.Field, len(exprs))}
	for i, e := range exprs {
		p.schema[i] = types.Field{Name: names[i], Type: e.Type(), Nullable: e.Nullable()}
	}
	return p
}

func (n *project) fields() []types.Field { return n.schema }

func (n *project) need(cols []bool) {
	n.wanted = cols
	below := make([]bool, len(n.in.fields()))
	for i, e := range n.exprs {
		if cols[i] {
			markRefs(below, e)
		}
	}
	n.in.need(below)
}

func (n *project) run(r *run) iter.Seq2[batch, error] {
	return func(yield func(batch, error) bool) {
		exprs, marks := make([]expr.Expr, len(n.exprs)), make([][]mark, len(n.exprs))
		for i, e := range n.exprs {
			var err error
			if n.wanted[i] {
				exprs[i], marks[i], err = r.marked(e, len(n.in.fields()))
			}
			if err != nil {
				yield(batch{}, err)
				return
			}
		}
		for b, err := range n.in.run(r) {
			if err != nil {
				yield(batch{}, err)
				return
			}
			out := batch{Columns: make([]arrow.Array, len(exprs)), Rows: b.Rows}
			for i, e := range exprs {
				if !n.wanted[i] {
					continue
				}
				with, err := withMarks(b, marks[i])
				if err == nil {
					out.Columns[i], err = eval.Eval(e, with)
				}
				if err != nil {
					yield(batch{}, err)
					return
				}
			}
			if !yield(out, nil) {
				return
			}
		}
	}
}

// renamed gives the first columns of a node other names.
func renamed(n node, names []string) (node, error) {
	if len(names) == 0 {
		return n, nil
	}
	have := n.fields()
	if len(names) != len(have) {
		return nil, failf("ASSIGNMENT_ARITY_MISMATCH", "%d column names are given for %d columns", len(names), len(have))
	}
	exprs := make([]expr.Expr, len(have))
	for i := range have {
		exprs[i] = column(n, i)
	}
	return newProject(n, exprs, names), nil
}

// filter keeps the rows for which a condition is TRUE.
type filter struct {
	in   node
	cond expr.Expr
}

func (n *filter) fields() []types.Field { return n.in.fields() }

func (n *filter) need(cols []bool) {
	below := append([]bool(nil), cols...)
	markRefs(below, n.cond)
	n.in.need(below)
}

func (n *filter) run(r *run) iter.Seq2[batch, error] {
	return func(yield func(batch, error) bool) {
		cond, marks, err := r.marked(n.cond, len(n.in.fields()))
		if err != nil {
			yield(batch{}, err)
			return
		}
		for b, err := range n.in.run(r) {
			if err != nil {
				yield(batch{}, err)
				return
			}
			with, err := withMarks(b, marks)
			var sel []int32
			if err == nil {
				sel, err = eval.Filter(cond, with)
			}
			if err != nil {
				yield(batch{}, err)
				return
			}
			if len(sel) > 0 && !yield(take(b, sel), nil) {
				return
			}
		}
	}
}

// limit skips offset rows and gives count rows; a negative count gives the rest.
type limit struct {
	in            node
	count, offset int64
}

func (n *limit) fields() []types.Field { return n.in.fields() }
func (n *limit) need(cols []bool) {
	if below := n.in; n.count > 0 {
		if p, ok := below.(*project); ok {
			below = p.in
		}
		if s, ok := below.(*scan); ok {
			s.limit = n.count + n.offset
		}
	}
	n.in.need(cols)
}

func (n *limit) run(r *run) iter.Seq2[batch, error] {
	return func(yield func(batch, error) bool) {
		skip, left := n.offset, n.count
		if left == 0 {
			return
		}
		for b, err := range n.in.run(r) {
			if err != nil {
				yield(batch{}, err)
				return
			}
			if skip >= int64(b.Rows) {
				skip -= int64(b.Rows)
				continue
			}
			rows := int64(b.Rows) - skip
			if left >= 0 {
				rows = min(rows, left)
				left -= rows
			}
			if !yield(slice(b, int(skip), int(rows)), nil) || left == 0 {
				return
			}
			skip = 0
		}
	}
}
