package write

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/storage"
)

// Writer writes data files of one table. It is not safe for concurrent use, but
// encodes in the background.
type Writer struct {
	ctx    context.Context
	cancel context.CancelFunc
	env    *env.Env
	bucket *storage.Bucket
	layout *layout
	router *router // nil when the table has no partitions

	open  map[int32]*openFile // by partition; 0 without partitions
	files []*openFile         // all, in the order of their first row
	slots chan struct{}       // jobs that may run at once
	jobs  sync.WaitGroup

	mu     sync.Mutex
	failed error
	ended  bool
}

// Placement says where a run of consecutive input rows went.
type Placement struct {
	File     *Output
	FileRow  int64
	InputRow int32
	Rows     int32
}

// New prepares to write. Nothing is stored before there are rows.
func New(ctx context.Context, e *env.Env, b *storage.Bucket, spec Spec) (*Writer, error) {
	l, err := newLayout(e, spec)
	if err != nil {
		return nil, err
	}
	w := &Writer{env: e, bucket: b, layout: l, open: map[int32]*openFile{}, slots: make(chan struct{}, max(1, e.Workers))}
	w.ctx, w.cancel = context.WithCancel(ctx)
	if len(l.partitions) > 0 {
		w.router = newRouter(l.partitions)
	}
	return w, nil
}

var errEnded = errors.New("write: the writer has been closed")

// Write takes in rows: one array for each column of the table by ordinal; nil
// stands for a column of NULLs. It reports where each row goes, as runs in the
// order of the files. The arrays may be kept. After an error only Abort is of use.
func (w *Writer) Write(cols []arrow.Array, rows int) ([]Placement, error) {
	if err := w.usable(); err != nil {
		return nil, err
	}
	cols, err := w.complete(cols, rows)
	if err == nil {
		err = w.layout.check(cols, rows)
	}
	if err != nil {
		return nil, w.fail(err)
	}
	if rows == 0 {
		return nil, nil
	}
	var out []Placement
	if w.router == nil {
		out = w.append(0, cols, rows, nil, nil)
	} else {
		numbers, err := w.router.route(cols, rows)
		if err != nil {
			return nil, w.fail(err)
		}
		out = w.distribute(cols, numbers)
	}
	return out, w.relieve()
}

// complete checks the shape of the input and fills in columns of NULLs.
func (w *Writer) complete(cols []arrow.Array, rows int) ([]arrow.Array, error) {
	fields := w.layout.logical.Fields
	if n := len(fields) - len(cols); n > 0 && n <= w.layout.optional {
		cols = append(slices.Clip(cols), make([]arrow.Array, n)...)
	}
	if len(cols) != len(fields) {
		return nil, fmt.Errorf("write: %d columns for a table of %d", len(cols), len(fields))
	}
	out := cols
	for i, a := range cols {
		if a != nil && a.Len() == rows {
			continue
		}
		if a != nil {
			return nil, fmt.Errorf("write: column %s has %d rows, not %d", fields[i].Name, a.Len(), rows)
		}
		dt, err := columns.ArrowType(fields[i].Type)
		if err != nil {
			return nil, err
		}
		if &out[0] == &cols[0] {
			out = append([]arrow.Array(nil), cols...)
		}
		out[i] = columns.Nulls(dt, rows)
	}
	return out, nil
}

// distribute splits rows by partition, in the order in which partitions come up.
func (w *Writer) distribute(cols []arrow.Array, numbers []int32) (out []Placement) {
	counts := make([]int32, len(w.router.numbers))
	var order []int32
	for _, n := range numbers {
		if counts[n] == 0 {
			order = append(order, n)
		}
		counts[n]++
	}
	if len(order) == 1 {
		part := make([]arrow.Array, len(cols))
		for _, i := range w.layout.data {
			part[i] = cols[i]
		}
		return w.append(order[0], part, len(numbers), nil, nil)
	}
	starts := make([]int32, len(counts)) // of each partition's rows in rows
	at := int32(0)
	for _, n := range order {
		starts[n] = at
		at += counts[n]
	}
	rows := make([]int32, len(numbers))
	for row, n := range numbers {
		rows[starts[n]] = int32(row)
		starts[n]++
	}
	for _, n := range order {
		idx := rows[starts[n]-counts[n] : starts[n]]
		part := make([]arrow.Array, len(cols))
		for _, i := range w.layout.data {
			part[i] = columns.Take(cols[i], idx)
		}
		out = w.append(n, part, len(idx), idx, out)
	}
	return out
}

// append adds rows to the open file of a partition and starts another when it
// is full. idx are the input rows; nil means all in order.
func (w *Writer) append(number int32, cols []arrow.Array, rows int, idx []int32, out []Placement) []Placement {
	step := w.step(cols, rows)
	for from := 0; from < rows; {
		n := min(step, rows-from)
		f := w.open[number]
		if f == nil {
			f = w.newFile(number)
		}
		p := piece{cols, n}
		if n < rows {
			p.cols = columns.Slice(cols, from, n)
		}
		out = place(out, f.Output, from, n, idx)
		f.add(p)
		from += n
		if f.estimate() >= w.layout.target {
			delete(w.open, number)
			w.run(f, true)
		} else if f.bytes >= pieceBytes {
			w.run(f, false)
		}
	}
	return out
}

// step is how many rows to add between two looks at the size of a file: fewer
// when rows are large, so that files do not outgrow their target by much.
func (w *Writer) step(cols []arrow.Array, rows int) int {
	each := max(1, size(cols, rows)/int64(max(1, rows)))
	return int(min(stepRows, max(1, max(w.layout.target, 1<<20)/4/each)))
}

// place appends the runs of input rows that go to the end of a file.
func place(out []Placement, f *Output, from, n int, idx []int32) []Placement {
	if idx == nil {
		return append(out, Placement{f, f.Rows, int32(from), int32(n)})
	}
	for i := from; i < from+n; {
		run := 1
		for i+run < from+n && idx[i+run] == idx[i]+int32(run) {
			run++
		}
		out = append(out, Placement{f, f.Rows + int64(i-from), idx[i], int32(run)})
		i += run
	}
	return out
}

// newFile opens the file of a partition; it exists in memory only.
func (w *Writer) newFile(number int32) *openFile {
	f := &openFile{Output: &Output{}, w: w}
	folder := ""
	if w.router != nil {
		f.values, folder = w.router.describe(number)
	}
	f.Path = w.path(folder, len(w.files))
	w.files = append(w.files, f)
	w.open[number] = f
	return f
}

// path names the file of a number in the folder of its partition.
func (w *Writer) path(folder string, number int) string {
	if n := w.layout.randomPrefix; n > 0 {
		folder = w.env.Letters(n)
	} else if len(folder) > longestFolder {
		folder = w.env.Letters(2) // names of folders carry no meaning
	}
	if folder != "" {
		folder += "/"
	}
	return fmt.Sprintf("%s%s%s%05d-%s%s", w.layout.folder, folder, w.layout.name, number, w.env.NewID(), w.layout.suffix)
}

// Close completes the files and returns them in the order of their first row.
// After an error nothing is left behind.
func (w *Writer) Close() ([]*Output, error) {
	if err := w.usable(); err != nil {
		w.Abort()
		return nil, err
	}
	var last []*openFile
	for _, f := range w.files {
		if !f.sealed {
			last = append(last, f)
		}
	}
	if len(last) == 1 && last[0].job == nil { // a small file costs no goroutine
		last[0].sealed = true
		w.work(last[0], last[0].waiting, true)
		last = nil
	}
	for _, f := range last {
		w.run(f, true)
	}
	w.jobs.Wait()
	if err := w.usable(); err != nil {
		w.Abort()
		return nil, err
	}
	w.mu.Lock()
	w.ended = true
	w.mu.Unlock()
	w.cancel()
	w.open = nil
	out := make([]*Output, len(w.files))
	for i, f := range w.files {
		out[i] = f.Output
	}
	return out, nil
}

// Abort ends the writer and deletes its files, those that Close has completed
// included. It may be called at any time and more than once.
func (w *Writer) Abort() {
	w.mu.Lock()
	w.ended = true
	w.mu.Unlock()
	w.cancel()
	w.jobs.Wait()
	ctx := context.WithoutCancel(w.ctx)
	for _, f := range w.files {
		if f.sink != nil {
			f.sink.abort()
			if f.sink.put {
				Discard(ctx, w.bucket, f.Output)
			}
		}
		f.waiting, f.parquet, f.stats = nil, nil, nil
	}
	w.files, w.open = nil, nil
}
