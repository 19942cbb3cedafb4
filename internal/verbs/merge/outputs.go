package merge

import (
	"context"
	"errors"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/internal/rows/rewrite"
	"github.com/sluicelake/sluice/internal/rows/write"
)

// outputs is a pool of writers that the workers share. Where files are rewritten a
// worker keeps one for the whole of an image, and an image that is not small gets
// files of its own: they have its narrow ranges of keys, and when a winner has taken
// the image away they are left out as they are.
type outputs struct {
	x    *Exec
	ctx  context.Context
	pool chan *write.Writer
	all  []*write.Writer
	done bool
}

func (x *Exec) newOutputs(ctx context.Context, n int) (*outputs, error) {
	o := &outputs{x: x, ctx: ctx, pool: make(chan *write.Writer, n)}
	for range n {
		w, err := write.New(ctx, x.env, x.snap.Bucket(), x.spec)
		if err != nil {
			o.abort()
			return nil, err
		}
		o.all = append(o.all, w)
		o.pool <- w
	}
	return o, nil
}

// apart is how many bytes of rows, in memory, make files of their own.
const apart = 2 << 20

// take takes a writer out of the pool.
func (o *outputs) take() (*write.Writer, error) {
	select {
	case w := <-o.pool:
		return w, nil
	case <-o.ctx.Done():
		return nil, o.ctx.Err()
	}
}

// keep is outputs that write with one writer, which is the caller's until it calls
// giveBack.
func (o *outputs) keep() (mine *outputs, giveBack func() error, err error) {
	w, err := o.take()
	if err != nil {
		return nil, nil, err
	}
	mine = &outputs{x: o.x, ctx: o.ctx, pool: make(chan *write.Writer, 1)}
	mine.pool <- w
	return mine, func() error {
		err := w.Cut(apart)
		o.pool <- w
		return err
	}, nil
}

// write appends rows and reports where each went (row) or in which runs (run).
func (o *outputs) write(cols []arrow.Array, rows int, row func(i int, out *rewrite.Output, at int64), run func(out *rewrite.Output, from, rows int64)) error {
	if rows == 0 {
		return nil
	}
	w, err := o.take()
	if err != nil {
		return err
	}
	places, err := w.Write(cols, rows)
	o.pool <- w
	if err != nil {
		return err
	}
	for _, p := range places {
		out := o.x.ledger.Output(p.File)
		if run != nil {
			run(out, p.FileRow, int64(p.Rows))
		}
		if row != nil {
			for i := range p.Rows {
				row(int(p.InputRow+i), out, p.FileRow+int64(i))
			}
		}
	}
	return nil
}

// close completes the files.
func (o *outputs) close() error {
	o.done = true
	var errs []error
	for i, w := range o.all {
		if len(errs) > 0 {
			w.Abort()
			continue
		}
		if _, err := w.Close(); err != nil {
			errs = append(errs, err)
			for _, before := range o.all[:i] {
				before.Abort()
			}
		}
	}
	return errors.Join(errs...)
}

// abort gives up what was written unless close has completed it.
func (o *outputs) abort() {
	if o.done {
		return
	}
	o.done = true
	for _, w := range o.all {
		w.Abort()
	}
}

// insertChunk bounds the source rows that are evaluated at once.
const insertChunk = 1 << 16

// insert writes the source rows that match nothing and takes back the inserts
// of those that match by now.
func (x *Exec) insert(out *outputs) error {
	if len(x.p.notMatched) == 0 {
		return nil
	}
	missing, _ := x.ledger.Unmatched()
	for len(missing) > 0 {
		n := min(len(missing), insertChunk)
		if err := x.insertRows(out, missing[:n]); err != nil {
			return err
		}
		missing = missing[n:]
	}
	return nil
}

func (x *Exec) insertRows(out *outputs, rows []int32) error {
	for _, c := range x.p.notMatched {
		if len(rows) == 0 {
			return nil
		}
		sel := sequence(len(rows))
		if c.cond != nil {
			var err error
			if sel, err = eval.Filter(c.cond, x.m.joined(nil, rows, rows, c.cond)); err != nil {
				return err
			}
		}
		take := pick(rows, sel)
		if len(take) > 0 {
			cols, err := x.values(c, x.m.joined(nil, take, take, c.values...))
			if err != nil {
				return err
			}
			if err := out.write(cols, len(take), func(i int, o *rewrite.Output, at int64) { x.ledger.Inserted(take[i], o, at) }, nil); err != nil {
				return err
			}
		}
		rows = except(rows, sel)
	}
	for _, src := range rows {
		x.ledger.Inserted(src, nil, 0)
	}
	return nil
}

func evalSource(p *Plan, src *Table, e expr.Expr) (arrow.Array, error) {
	return eval.Eval(e, p.sourceInput(src.Columns, src.Rows))
}
