package cluster

import (
	"context"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/rows/write"
)

// pieces yields the rows of pieces of the curve, each in order, in parts that fit
// into memory.
func (p *part) pieces(first, end int, yield func(*sorted) error) error {
	for i := first; i < end; i++ {
		if err := p.piece(i, yield); err != nil {
			return err
		}
	}
	return nil
}

// piece collects the rows of one piece from all runs. A piece that is much larger
// than was expected, because many rows have one key, is yielded in several parts:
// below the key that most rows have, then those rows as they come, and so on.
func (p *part) piece(i int, yield func(*sorted) error) error {
	var list []*sorted
	var rows int
	for _, r := range p.runs {
		if n := r.starts[i+1] - r.starts[i]; n > 0 {
			rows += n
		}
	}
	if rows == 0 {
		return nil
	}
	most := max(int(4*p.work/max(p.bytes/max(p.rows, 1), 1)), 1)
	if rows > most {
		return p.large(i, most, yield)
	}
	for _, r := range p.runs {
		x, err := p.load(r, i)
		if err != nil {
			return err
		}
		if x != nil {
			list = append(list, x)
		}
	}
	return merged(list, yield)
}

// load returns the rows of a run that lie in a piece.
func (p *part) load(r *sorted, i int) (*sorted, error) {
	from, to := r.starts[i], r.starts[i+1]
	if from == to {
		return nil, nil
	}
	if r.cols != nil {
		x := &sorted{cols: columns.Slice(r.cols, from, to-from), keys: r.keys[from:to]}
		if r.from != nil {
			x.from = r.from[from:to]
		}
		return x, nil
	}
	cols, err := p.store.get(r.at[i])
	if err != nil {
		return nil, err
	}
	n := len(p.columns)
	x := &sorted{cols: cols[:n], keys: cols[n].(*array.Uint64).Uint64Values()}
	if len(cols) > n+1 {
		x.from = cols[n+1].(*array.Uint64).Uint64Values()
	}
	return x, nil
}

// merged yields the rows of several runs as one.
func merged(list []*sorted, yield func(*sorted) error) error {
	switch len(list) {
	case 0:
		return nil
	case 1:
		return yield(list[0])
	}
	x := &sorted{}
	parts := make([][]arrow.Array, len(list))
	for i, r := range list {
		parts[i] = r.cols
		x.keys = append(x.keys, r.keys...)
		x.from = append(x.from, r.from...)
	}
	whole, err := columns.ConcatColumns(parts)
	if err != nil {
		return err
	}
	x.arrange(whole)
	return yield(x)
}

// large yields a piece that memory does not hold, reading it several times.
func (p *part) large(i, most int, yield func(*sorted) error) error {
	var keys []uint64
	for _, r := range p.runs {
		x, err := p.load(r, i)
		if err != nil {
			return err
		}
		if x != nil {
			keys = append(keys, x.keys...)
		}
	}
	slices.Sort(keys)
	for len(keys) > 0 {
		low, high := keys[0], keys[min(most, len(keys))-1]
		end, _ := slices.BinarySearch(keys, high)
		if high == low { // one key: in any order, as they come
			end, _ = slices.BinarySearch(keys, high+1)
			if high == ^uint64(0) {
				end = len(keys)
			}
		} else {
			high--
		}
		if err := p.between(i, low, high, most, yield); err != nil {
			return err
		}
		keys = keys[end:]
	}
	return nil
}

// between yields the rows of a piece with keys from low to high.
func (p *part) between(i int, low, high uint64, most int, yield func(*sorted) error) error {
	var list []*sorted
	rows := 0
	for _, r := range p.runs {
		x, err := p.load(r, i)
		if err != nil {
			return err
		}
		if x == nil {
			continue
		}
		from, _ := slices.BinarySearch(x.keys, low)
		to, found := slices.BinarySearch(x.keys, high)
		for found && to < len(x.keys) && x.keys[to] == high {
			to++
		}
		if from == to {
			continue
		}
		y := &sorted{cols: columns.Slice(x.cols, from, to-from), keys: x.keys[from:to]}
		if x.from != nil {
			y.from = x.from[from:to]
		}
		list = append(list, y)
		if rows += to - from; low == high && rows > most {
			if err := merged(list, yield); err != nil {
				return err
			}
			list, rows = nil, 0
		}
	}
	return merged(list, yield)
}

// write writes the pieces, each file by a goroutine of its own.
func (p *part) write(ctx context.Context) ([]*write.Output, error) {
	if len(p.runs) == 0 {
		return nil, nil
	}
	g := newCrew(ctx, p.memory.workers)
	writers := make([]*write.Writer, p.outputs)
	outs := make([][]*write.Output, p.outputs)
	from := make([][]uint64, p.outputs)
	spec := p.spec
	spec.TargetSize = p.Target + p.Target/2 // sizes are estimates; one writer is to write one file
	for i := range p.outputs {
		w, err := write.New(g.ctx, p.Env, p.Snapshot.Bucket(), spec)
		if err != nil {
			g.fail(err)
			break
		}
		writers[i] = w
		g.run(func() (err error) {
			if from[i], err = p.file(g.ctx, w, i*p.each, (i+1)*p.each); err == nil {
				outs[i], err = w.Close()
			}
			return err
		})
	}
	if err := g.wait(); err != nil {
		for _, w := range writers {
			if w != nil {
				w.Abort()
			}
		}
		return nil, err
	}
	for _, f := range from {
		p.from = append(p.from, f...)
	}
	return slices.Concat(outs...), nil
}

// file writes pieces through a writer, while the next one is being prepared.
func (p *part) file(ctx context.Context, w *write.Writer, first, end int) (from []uint64, err error) {
	ctx, cancel := context.WithCancel(ctx)
	next := make(chan *sorted)
	failed := make(chan error, 1)
	go func() {
		defer close(next)
		failed <- p.pieces(first, end, func(x *sorted) error {
			select {
			case next <- x:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	defer func() {
		cancel()
		for range next { // the other goroutine is not left behind
		}
		if e := <-failed; err == nil {
			err = e
		}
	}()
	for x := range next {
		rows := len(x.keys)
		cols := make([]arrow.Array, len(p.src.Columns.Logical.Fields))
		for i, ordinal := range p.columns {
			cols[ordinal] = x.cols[i]
		}
		for i, one := range p.constant {
			if one != nil {
				cols[i] = columns.Take(one, make([]int32, rows))
			}
		}
		if _, err := w.Write(cols, rows); err != nil {
			return nil, err
		}
		from = append(from, x.from...)
		p.told.add(int64(rows))
	}
	return from, nil
}
