package cluster

import (
	"context"
	"slices"
	"sort"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/logic/curve"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/rows/write"
)

// part is the files of one partition.
type part struct {
	*task
	files []int // indexes in Job.Files

	rows, bytes int64 // that are expected
	work        int64 // bytes of a run, and of a piece
	outputs     int   // files to write
	each        int   // pieces of a file
	curve       *curve.Curve
	cuts        []uint64      // between pieces: a piece ends with the key at its end
	columns     []int         // that wait between reading and writing, by ordinal; those of the partition are constant
	constant    []arrow.Array // by ordinal, one row: the columns of the partition

	mu    sync.Mutex
	runs  []*sorted
	held  int64
	store *store

	from []uint64 // by row of the outputs: where it came from
}

// sorted is some rows in the order of the curve.
type sorted struct {
	cols   []arrow.Array // by position in part.columns; nil when they lie in the store
	keys   []uint64
	from   []uint64
	starts []int // by piece: its first row; one more at the end
	at     []extent
}

func newPart(t *task, files []int) *part {
	p := &part{task: t, files: files}
	for i := range t.src.Columns.Logical.Fields {
		if !slices.Contains(t.src.Columns.PartitionOrdinals, i) {
			p.columns = append(p.columns, i)
		}
	}
	return p
}

func (p *part) run(ctx context.Context) (outs []*write.Output, err error) {
	if err := p.survey(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if e := p.store.close(); err == nil && e != nil {
			err = e
		}
	}()
	if err := p.collect(ctx); err != nil {
		return nil, err
	}
	return p.write(ctx)
}

// batch is rows as they were read.
type batch struct {
	cols []arrow.Array // by position in part.columns
	keys []arrow.Array
	from []uint64
	rows int
}

// collect reads all rows into sorted runs.
func (p *part) collect(ctx context.Context) error {
	index := map[string]int{}
	for _, f := range p.files {
		index[p.Files[f].Path] = f
	}
	shares := func(yield func(scan.Share) bool) {
		for _, f := range p.files {
			if !yield(scan.Share{Add: p.Files[f]}) {
				return
			}
		}
	}
	g := newCrew(ctx, p.memory.workers)
	var open []batch
	var bytes int64
	for b, err := range scan.Stream(g.ctx, p.Env, p.src, shares, scan.Options{Positions: p.Place || p.spec.RowIDs}) {
		if err != nil {
			g.fail(err)
			break
		}
		x := p.take(b, index)
		open = append(open, x)
		for _, a := range x.cols {
			bytes += write.Size(a)
		}
		if bytes += 16 * int64(x.rows); bytes >= p.work {
			full := open
			g.run(func() error { return p.sort(full) })
			open, bytes = nil, 0
		}
	}
	if len(open) > 0 {
		g.run(func() error { return p.sort(open) })
	}
	return g.wait()
}

// take keeps of a batch what is needed later.
func (p *part) take(b scan.Batch, index map[string]int) batch {
	p.constants(b.Columns)
	cols := b.Columns
	if p.spec.RowIDs {
		n := len(cols) - 2
		cols = append(cols[:n:n], scan.RowIDs(b, cols[n]), scan.RowVersions(b, cols[n+1]))
	}
	x := batch{keys: p.keys(cols), rows: b.Rows}
	for _, i := range p.columns {
		x.cols = append(x.cols, cols[i])
	}
	if p.Place {
		f := index[b.Add.Path]
		x.from = make([]uint64, b.Rows)
		for i, row := range b.Positions {
			x.from[i] = origin(f, row)
		}
	}
	p.told.add(int64(b.Rows))
	return x
}

// sort makes a run of batches.
func (p *part) sort(batches []batch) error {
	r := &sorted{}
	parts := make([][]arrow.Array, len(batches))
	keys := p.curve.Keys()
	for i, b := range batches {
		parts[i] = b.cols
		r.keys = append(r.keys, keys.Of(b.keys)...)
		r.from = append(r.from, b.from...)
	}
	whole, err := columns.ConcatColumns(parts)
	if err != nil {
		return err
	}
	r.arrange(whole)
	p.split(r)
	return p.keep(r)
}

// arrange puts the rows of the run, which have their keys and origins, in order.
func (r *sorted) arrange(whole []arrow.Array) {
	rows := curve.Order(r.keys)
	r.cols = columns.TakeColumns(whole, rows)
	if r.from != nil {
		from := make([]uint64, len(rows))
		for i, row := range rows {
			from[i] = r.from[row]
		}
		r.from = from
	}
}

// split finds where the pieces begin.
func (p *part) split(r *sorted) {
	r.starts = make([]int, 0, len(p.cuts)+2)
	r.starts = append(r.starts, 0)
	at := 0
	for _, cut := range p.cuts {
		at += sort.Search(len(r.keys)-at, func(i int) bool { return r.keys[at+i] > cut })
		r.starts = append(r.starts, at)
	}
	r.starts = append(r.starts, len(r.keys))
}

// keep holds a run in memory, or puts it into the store when too much is held.
func (p *part) keep(r *sorted) error {
	var bytes int64
	for _, a := range r.cols {
		bytes += write.Size(a)
	}
	p.mu.Lock()
	fits := p.held+bytes <= p.memory.hold
	if fits {
		p.held += bytes
	} else if p.store == nil {
		var err error
		if p.store, err = newStore(); err != nil {
			p.mu.Unlock()
			return err
		}
	}
	p.mu.Unlock()
	if !fits {
		var err error
		if r.at, err = p.store.put(record(r.cols, r.keys, r.from), r.starts); err != nil {
			return err
		}
		r.cols, r.keys, r.from = nil, nil, nil
	}
	p.mu.Lock()
	p.runs = append(p.runs, r)
	p.mu.Unlock()
	return nil
}
