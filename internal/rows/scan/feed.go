package scan

import (
	"context"
	"sync"

	"github.com/sluicelake/sluice/internal/format/parquetio"
)

// feed hands work to the workers of a scan: shares as they come and, of files
// that are large, parts that any worker may take.
type feed struct {
	src    Source
	o      Options
	budget budget
	cut    bool

	lock    sync.Mutex
	wake    sync.Cond
	next    func() (Share, bool)
	ended   bool // next has no more
	parts   []task
	cutting int // files that may still become parts
}

// task is a share, or a part of a file that is open.
type task struct {
	share Share
	large bool
	in    *opened
	part  parquetio.RowRange
}

// cutBytes is about the size of a part; a file of less than two is not cut.
const cutBytes = 16 << 20

// take waits for work; false when there will be none.
func (f *feed) take() (task, bool) {
	f.lock.Lock()
	defer f.lock.Unlock()
	for {
		if len(f.parts) > 0 {
			t := f.parts[0]
			f.parts = f.parts[1:]
			return t, true
		}
		if !f.ended {
			if s, ok := f.next(); ok {
				t := task{share: s, large: f.cut && s.Rows == nil && s.Add.Size >= 2*cutBytes}
				if t.large {
					f.cutting++
				}
				return t, true
			}
			f.ended = true
		}
		if f.cutting == 0 {
			return task{}, false
		}
		f.wake.Wait()
	}
}

// offer adds parts of a file of which take gave a task.
func (f *feed) offer(parts []task) {
	f.lock.Lock()
	defer f.lock.Unlock()
	f.parts = append(f.parts, parts...)
	f.cutting--
	f.wake.Broadcast()
}

// abandon closes the files whose parts nobody has taken.
func (f *feed) abandon() {
	for _, t := range f.parts {
		t.in.release()
	}
	f.parts = nil
}

// do yields the rows of a task.
func (f *feed) do(ctx context.Context, t task, yield func(Batch) bool) error {
	o := f.o
	o.Rows = t.share.Rows
	if t.in == nil && !t.large {
		return readFile(ctx, f.budget, f.src, t.share.Add, o, yield)
	}
	p, err := newPlan(f.src.Columns, t.share.Add, o)
	if t.in == nil {
		t, err = f.open(ctx, t, p, err)
	}
	if t.in == nil {
		return err
	}
	defer t.in.release()
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return err
	}
	p.query.Rows = []parquetio.RowRange{t.part}
	return p.read(ctx, f.budget, t.in, yield)
}

// open opens a large file and offers its parts but one, which it returns.
func (f *feed) open(ctx context.Context, t task, p *plan, err error) (task, error) {
	var parts []task
	defer func() { f.offer(parts) }() // also on failure: others wait for it
	if err != nil || p.empty {
		return t, err
	}
	if err := ctx.Err(); err != nil {
		return t, err
	}
	in, err := openFile(ctx, f.src, t.share.Add, f.o.ReadDeleted, false)
	if err != nil {
		return t, err
	}
	ranges := in.file.Cut(cutBytes)
	if len(ranges) == 0 {
		ranges = []parquetio.RowRange{{}}
	}
	for _, r := range ranges {
		parts = append(parts, task{share: t.share, in: in, part: r})
	}
	in.users.Store(int32(len(parts)))
	t, parts = parts[0], parts[1:]
	return t, nil
}

// release closes the file after its last user.
func (in *opened) release() {
	if in.users.Add(-1) == 0 {
		_ = in.close() // it was only read
	}
}
