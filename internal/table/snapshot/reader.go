package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/checkpoint"
	"github.com/sluicelake/sluice/storage"
)

// A reader fetches and parses files of the log in parallel and hands out their
// batches in order. Fetches are bounded, parsing is bounded by the
// environment's workers, and a large commit is read in pieces, so that memory
// holds what the log says and not the log.
type reader struct {
	ctx    context.Context
	cancel context.CancelFunc
	env    *env.Env
	bucket *storage.Bucket
	tasks  []*task
	parse  chan struct{}

	scratch checkpoint.Scratch
	named   []*sidecar   // by the checkpoint, in its order
	handles atomic.Int64 // files that stay open
	free    sync.Pool    // *worker
	wg      sync.WaitGroup
}

// task is one file of the log.
type task struct {
	version int64 // of a commit, -1 for a checkpoint
	work    func(t *task) error
	done    chan struct{} // nil until started
	batches []*batch
	err     error
}

// worker is what one parsing goroutine needs.
type worker struct {
	b     *builder
	h     *action.Handler // of a commit
	top   *action.Handler // of a checkpoint, which may name sidecars
	side  *action.Handler // of a sidecar, which holds nothing but files
	piece []byte
}

const (
	ahead     = 16 // files under way at a time
	pieceSize = 4 << 20
	largeFrom = 8 << 20
	// What the files of a checkpoint may take is bounded by the size of the
	// checkpoint: compression does not make more of honest paths.
	maxFile   = 1 << 40
	expansion = 512
	freeBytes = 64 << 20

	maxHandles = 32        // files of a checkpoint that a snapshot keeps open
	maxLine    = 512 << 20 // a longer one is refused
	batchRows  = 1 << 14
)

func newReader(ctx context.Context, e *env.Env, b *storage.Bucket, x extent) *reader {
	r := &reader{env: e, bucket: b, parse: make(chan struct{}, max(e.Workers, 1))}
	r.ctx, r.cancel = context.WithCancel(ctx)
	r.free.New = func() any {
		return newWorker(x)
	}
	return r
}

func newWorker(x extent) *worker {
	w := &worker{b: newBuilder()}
	w.h, w.top = w.b.handler(), w.b.handler()
	w.h.Sidecar, w.h.CheckpointMetadata = nil, nil
	w.side = &action.Handler{Add: w.h.Add, Remove: w.h.Remove}
	if x == headOnly {
		w.h.Add, w.h.Remove, w.top.Add, w.top.Remove, w.top.Sidecar = nil, nil, nil, nil, nil
	}
	return w
}

// stop ends what is under way and waits for it.
func (r *reader) stop() {
	r.cancel()
	r.wg.Wait()
}

// worker waits for a turn to parse.
func (r *reader) worker() (*worker, error) {
	select {
	case r.parse <- struct{}{}:
		return r.free.Get().(*worker), nil
	case <-r.ctx.Done():
		return nil, r.ctx.Err()
	}
}

func (r *reader) release(w *worker) {
	w.b.discard()
	r.free.Put(w)
	<-r.parse
}

// batches starts the tasks a few at a time and yields what they give in the
// order of the log. version is -1 for batches of a checkpoint.
func (r *reader) batches() iter.Seq2[*batch, int64] {
	return func(yield func(*batch, int64) bool) {
		for i := 0; i < len(r.tasks); i++ {
			for _, t := range r.tasks[i:min(i+ahead, len(r.tasks))] {
				r.start(t)
			}
			t := r.tasks[i]
			<-t.done
			if t.err != nil {
				return
			}
			var side []*task
			for i := len(t.batches) - 2; i >= 0; i-- {
				t.batches[i].following = t.batches[i+1].following + t.batches[i+1].adds.chunk.len()
			}
			for _, b := range t.batches {
				for _, s := range b.sidecars {
					side = append(side, r.sidecarTask(s))
				}
				if !yield(b, t.version) {
					return
				}
			}
			t.batches = nil
			r.tasks = slices.Insert(r.tasks, i+1, side...)
		}
	}
}

// err is the first failure in the order of the log.
func (r *reader) err() error {
	for _, t := range r.tasks {
		if t.done == nil {
			break
		}
		<-t.done
		if t.err != nil {
			return t.err
		}
	}
	return nil
}

func (r *reader) start(t *task) {
	if t.done != nil {
		return
	}
	t.done = make(chan struct{})
	r.wg.Add(1)
	go func() {
		defer r.wg.Done()
		defer close(t.done)
		if t.err = r.ctx.Err(); t.err == nil {
			t.err = t.work(t)
		}
	}()
}

// checkpoint reads the parts of a checkpoint, and the sidecars that they name.
func (r *reader) checkpoint(ck *checkpointFiles) {
	for _, obj := range ck.parts {
		r.tasks = append(r.tasks, r.partTask(obj, func(w *worker) *action.Handler { return w.top }))
	}
}

func (r *reader) sidecarTask(s *action.Sidecar) *task {
	key, err := checkpoint.SidecarKey(s)
	if err != nil {
		return &task{version: -1, work: func(*task) error { return &checkpointError{err} }}
	}
	mine := &sidecar{Sidecar: s}
	r.named = append(r.named, mine)
	t := r.partTask(storage.Object{Key: key, Size: s.SizeInBytes}, func(w *worker) *action.Handler { return w.side })
	read := t.work
	t.work = func(t *task) error {
		err := read(t)
		for _, b := range t.batches {
			b.sidecar = mine
		}
		return err
	}
	return t
}

func (r *reader) partTask(obj storage.Object, handler func(*worker) *action.Handler) *task {
	return &task{version: -1, work: func(t *task) error {
		w, err := r.worker()
		if err != nil {
			return err
		}
		defer r.release(w)
		w.b.limit = min(obj.Size, maxFile)*expansion + freeBytes
		w.b.emit = func(b *batch) { t.batches = append(t.batches, b) }
		err = checkpoint.ReadLater(r.ctx, r.bucket, obj, handler(w), checkpoint.Later{
			Found:   func(s *checkpoint.Statistics) { w.b.later = &leftover{stats: s, log: r.env.Log} },
			Handle:  func() bool { return r.handles.Add(1) <= maxHandles },
			Scratch: &r.scratch,
		})
		w.b.emit = nil
		// A store that fails may work the next time; a file that is gone or
		// forbidden will not.
		var store *storage.Error
		gone := errors.Is(err, storage.ErrNotExist) || errors.Is(err, storage.ErrPermission)
		if err != nil && (r.ctx.Err() != nil || errors.As(err, &store) && !gone) {
			return err
		}
		if err != nil {
			return &checkpointError{err}
		}
		t.batches = append(t.batches, w.b.take())
		return nil
	}}
}

// commit reads a commit file.
func (r *reader) commit(version int64, obj storage.Object) {
	r.tasks = append(r.tasks, &task{version: version, work: func(t *task) error {
		var err error
		t.batches, err = r.readFile(obj)
		return damaged(r.bucket, obj.Key, version, err)
	}})
}

// readFile reads a file of JSON lines.
func (r *reader) readFile(obj storage.Object) ([]*batch, error) {
	if obj.Size >= largeFrom {
		return r.readLarge(obj)
	}
	return r.readWhole(obj)
}

var errEmptyCommit = errors.New("the commit file is empty")

// damaged turns a failure to parse a commit into a CorruptError.
func damaged(b *storage.Bucket, key string, version int64, err error) error {
	var s *action.SyntaxError
	if errors.As(err, &s) || errors.Is(err, errEmptyCommit) {
		c := &CorruptError{Table: b.URL(), File: key, Version: version, Class: "DELTA_STATE_RECOVER_ERROR", Cause: err}
		if s != nil {
			c.Line = s.Line
			if s.File == "" {
				s.File = key
			}
		}
		return c
	}
	return err
}

func (r *reader) readWhole(obj storage.Object) ([]*batch, error) {
	data, _, err := r.bucket.Get(r.ctx, obj.Key)
	if err != nil {
		return nil, err
	}
	w, err := r.worker()
	if err != nil {
		return nil, err
	}
	defer r.release(w)
	return w.scan(data, obj.Key, 1, true)
}

// scan parses lines. An empty file is no commit.
func (w *worker) scan(data []byte, file string, line int, whole bool) (out []*batch, err error) {
	if whole && len(bytes.TrimSpace(data)) == 0 {
		return nil, errEmptyCommit
	}
	w.b.emit = func(b *batch) { out = append(out, b) }
	err = action.ScanFrom(data, file, line, w.h)
	w.b.emit = nil
	if err != nil {
		return nil, err
	}
	return append(out, w.b.take()), nil
}

// readLarge reads a commit in pieces that end at line ends, and parses them in parallel.
func (r *reader) readLarge(obj storage.Object) ([]*batch, error) {
	in, err := r.bucket.OpenReader(r.ctx, obj.Key, obj.Size)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	type result struct {
		batches []*batch
		err     error
	}
	var (
		results []*result
		wg      sync.WaitGroup
		carry   []byte
		line    = 1
	)
	defer wg.Wait()
	for offset := int64(0); offset < obj.Size || len(carry) > 0; {
		w, err := r.worker()
		if err != nil {
			return nil, err
		}
		w.piece = append(w.piece[:0], carry...)
		at := len(w.piece)
		n := int(min(max(pieceSize, int64(at)), obj.Size-offset)) // twice as much when a line did not fit
		w.piece = slices.Grow(w.piece, n)[:at+n]
		got, err := in.ReadAt(w.piece[at:], offset)
		if err != nil && err != io.EOF || got < n {
			r.release(w)
			if err == nil || err == io.EOF {
				err = &action.SyntaxError{File: obj.Key, Line: line, Column: 1, Msg: "the file is shorter than the listing says"}
			}
			return nil, err
		}
		offset += int64(n)
		cut := len(w.piece)
		if offset < obj.Size {
			cut = bytes.LastIndexByte(w.piece, '\n') + 1
		}
		carry = append(carry[:0], w.piece[cut:]...)
		if cut == 0 { // a line longer than a piece
			r.release(w)
			if len(carry) > maxLine {
				return nil, &action.SyntaxError{File: obj.Key, Line: line, Column: 1, Msg: fmt.Sprintf("a line is longer than %d MiB", maxLine>>20)}
			}
			continue
		}
		res, first := &result{}, line
		results = append(results, res)
		line += bytes.Count(w.piece[:cut], []byte{'\n'})
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer r.release(w)
			res.batches, res.err = w.scan(w.piece[:cut], obj.Key, first, false)
		}()
	}
	wg.Wait()
	var out []*batch
	for _, res := range results {
		if res.err != nil {
			return nil, res.err
		}
		out = append(out, res.batches...)
	}
	return out, nil
}

// readCommitInfo reads the provenance of one commit, nil when it has none.
func readCommitInfo(ctx context.Context, b *storage.Bucket, version int64, obj storage.Object) (*action.CommitInfo, error) {
	data, _, err := b.Get(ctx, obj.Key)
	if err != nil {
		return nil, err
	}
	var info *action.CommitInfo
	err = action.Scan(data, obj.Key, &action.Handler{CommitInfo: func(c *action.CommitInfo) error {
		if info == nil {
			info = c
		}
		return nil
	}})
	return info, damaged(b, obj.Key, version, err)
}
