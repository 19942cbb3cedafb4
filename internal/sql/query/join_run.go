package query

import (
	"context"
	"iter"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/logic/eval"
)

// joining is the state of one run of a join.
type joining struct {
	*join
	ctx     context.Context
	keys    joinKeys
	right   batch
	ids     *keySet
	head    []int32 // by key: the first row of the right side + 1
	next    []int32 // by row: the next row with the same key + 1
	rightIn []bool  // rows of the right side that matched
	hasNull bool    // a key of the right side is NULL

	left    batch
	leftIn  []bool
	li, ri  []int32
	yield   func(batch, error) bool
	stopped bool
}

func (n *join) run(r *run) iter.Seq2[batch, error] {
	return func(yield func(batch, error) bool) {
		j := &joining{join: n, ctx: r.ctx, yield: yield}
		if err := j.build(r); err != nil {
			yield(batch{}, err)
			return
		}
		if n.nullAware && j.hasNull {
			return
		}
		for b, err := range n.left.run(r) {
			if err == nil {
				err = j.probe(b)
			}
			if err != nil {
				yield(batch{}, err)
				return
			}
			if j.stopped {
				return
			}
		}
		if n.kind == Right || n.kind == Full {
			if err := j.unmatchedRight(); err != nil {
				yield(batch{}, err)
			}
		}
	}
}

// build reads the right side and finds its keys.
func (j *joining) build(r *run) error {
	var err error
	if j.keys, err = j.split(r); err != nil {
		return err
	}
	if j.right, err = r.materialise(j.join.right, "the right side of a JOIN"); err != nil {
		return err
	}
	if j.kind == Right || j.kind == Full {
		j.rightIn = make([]bool, j.right.Rows)
	}
	if len(j.keys.left) == 0 {
		return nil
	}
	cols, err := evalAll(j.keys.right, j.right)
	if err != nil {
		return err
	}
	j.ids, j.next = newKeySet(), make([]int32, j.right.Rows)
	for i := j.right.Rows - 1; i >= 0; i-- {
		if j.null(cols, i) {
			j.hasNull = true
			continue
		}
		id, fresh := j.ids.add(cols, i)
		if fresh {
			j.head = append(j.head, 0)
		}
		j.next[i], j.head[id] = j.head[id], int32(i)+1
	}
	return r.hold("the right side of a JOIN", j.ids.bytes+int64(len(j.next))*4)
}

func evalAll(list []expr.Expr, b batch) ([]arrow.Array, error) {
	out := make([]arrow.Array, len(list))
	for i, e := range list {
		var err error
		if out[i], err = eval.Eval(e, b); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// null reports whether the key of a row equals nothing.
func (j *joining) null(cols []arrow.Array, row int) bool {
	for i, c := range cols {
		if !j.keys.safe[i] && columns.IsNull(c, row) {
			return true
		}
	}
	return false
}

// probe joins one batch of the left side.
func (j *joining) probe(b batch) error {
	if err := j.ctx.Err(); err != nil {
		return err
	}
	j.left, j.leftIn = b, make([]bool, b.Rows)
	var cols []arrow.Array
	if j.ids != nil {
		var err error
		if cols, err = evalAll(j.keys.left, b); err != nil {
			return err
		}
	}
	once := j.kind == Semi || j.kind == Anti
	for i := 0; i < b.Rows && !j.stopped; i++ {
		if j.ids == nil {
			for r := 0; r < j.right.Rows && !(once && j.leftIn[i]) && !j.stopped; r++ {
				if err := j.pair(int32(i), int32(r)); err != nil {
					return err
				}
			}
			continue
		}
		if j.null(cols, i) {
			j.leftIn[i] = j.nullAware && j.right.Rows > 0
			continue
		}
		id, ok := j.ids.find(cols, i)
		if !ok {
			continue
		}
		for r := j.head[id]; r != 0 && !(once && j.leftIn[i]) && !j.stopped; r = j.next[r-1] {
			if err := j.pair(int32(i), r-1); err != nil {
				return err
			}
		}
	}
	if err := j.flush(); err != nil || j.stopped {
		return err
	}
	return j.unmatchedLeft()
}

// pair notes two rows that may match.
func (j *joining) pair(l, r int32) error {
	if j.keys.rest == nil && (j.kind == Semi || j.kind == Anti) {
		j.leftIn[l] = true
		return nil
	}
	j.li, j.ri = append(j.li, l), append(j.ri, r)
	if len(j.li) >= batchRows {
		return j.flush()
	}
	return nil
}

// flush checks the noted pairs and hands on those that match.
func (j *joining) flush() error {
	if len(j.li) == 0 {
		return nil
	}
	b := batch{Rows: len(j.li), Columns: append(columns.TakeColumns(j.left.Columns, j.li), columns.TakeColumns(j.right.Columns, j.ri)...)}
	li, ri := j.li, j.ri
	j.li, j.ri = nil, nil
	if err := j.ctx.Err(); err != nil {
		return err
	}
	if j.keys.rest != nil {
		sel, err := eval.Filter(j.keys.rest, b)
		if err != nil {
			return err
		}
		b = take(b, sel)
		l, r := make([]int32, len(sel)), make([]int32, len(sel))
		for i, s := range sel {
			l[i], r[i] = li[s], ri[s]
		}
		li, ri = l, r
	}
	for i := range li {
		j.leftIn[li[i]] = true
		if j.rightIn != nil {
			j.rightIn[ri[i]] = true
		}
	}
	if j.kind != Semi && j.kind != Anti && len(li) > 0 {
		j.give(b)
	}
	return nil
}

func (j *joining) give(b batch) {
	if !j.yield(b, nil) {
		j.stopped = true
	}
}

// unmatchedLeft hands on what the kind of the join says of the rows of the left
// batch alone.
func (j *joining) unmatchedLeft() error {
	want := j.kind == Semi
	if !want && j.kind != Anti && j.kind != Left && j.kind != Full {
		return nil
	}
	var sel []int32
	for i, in := range j.leftIn {
		if in == want {
			sel = append(sel, int32(i))
		}
	}
	if len(sel) == 0 {
		return nil
	}
	b := take(j.left, sel)
	if j.kind == Left || j.kind == Full {
		b.Columns = append(b.Columns, columns.TakeColumns(j.right.Columns, nowhere(len(sel)))...)
	}
	j.give(b)
	return nil
}

// unmatchedRight hands on the rows of the right side that matched nothing.
func (j *joining) unmatchedRight() error {
	var sel []int32
	for i, in := range j.rightIn {
		if !in {
			sel = append(sel, int32(i))
		}
	}
	for from := 0; from < len(sel) && !j.stopped; from += batchRows {
		part := sel[from:min(from+batchRows, len(sel))]
		b := batch{Rows: len(part)}
		for i, f := range j.join.left.fields() {
			var a arrow.Array
			if j.wanted[i] {
				var err error
				if a, err = eval.Eval(&expr.Literal{T: f.Type}, b); err != nil {
					return err
				}
			}
			b.Columns = append(b.Columns, a)
		}
		b.Columns = append(b.Columns, columns.TakeColumns(j.right.Columns, part)...)
		j.give(b)
	}
	return nil
}

// nowhere are positions that give NULL.
func nowhere(n int) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = -1
	}
	return out
}
