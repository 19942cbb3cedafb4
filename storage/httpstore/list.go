package httpstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"sync"

	"github.com/sluicelake/sluice/storage"
)

const logDir = "_delta_log/"

// List finds the files of a table's log by their names: the checkpoint that
// _last_checkpoint names, and commits one after another until one is missing
// (PROTOCOL.md, Delta Log Entries: versions are contiguous). Nothing else can be
// listed.
func (s *Store) List(ctx context.Context, prefix, startAfter string) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		if prefix != logDir && !strings.HasSuffix(prefix, "/"+logDir) {
			yield(storage.Object{}, fmt.Errorf("%w: a web server does not list its files; a table over HTTP can be read, not searched", storage.ErrUnsupported))
			return
		}
		hint, err := s.lastCheckpoint(ctx, prefix)
		if err != nil {
			yield(storage.Object{}, err)
			return
		}
		emit := func(o storage.Object) bool { return o.Key <= startAfter || yield(o, nil) }
		start := firstVersion(strings.TrimPrefix(startAfter, prefix))
		if err := s.probe(ctx, prefix, start, hint, emit); err != nil {
			yield(storage.Object{}, err)
		}
	}
}

// firstVersion is the version at which a listing begins.
func firstVersion(after string) int64 {
	if len(after) < 20 {
		return 0
	}
	v, err := strconv.ParseInt(after[:20], 10, 64)
	if err != nil || v < 0 {
		return 0
	}
	return v
}

// checkpoint is what _last_checkpoint tells.
type checkpoint struct {
	version int64 // -1: there is none
	names   []string
}

func (s *Store) lastCheckpoint(ctx context.Context, prefix string) (checkpoint, error) {
	none := checkpoint{version: -1}
	data, _, err := s.Get(ctx, prefix+"_last_checkpoint")
	if errors.Is(err, storage.ErrNotExist) {
		return none, nil
	}
	if err != nil {
		return none, err
	}
	var c struct {
		Version *int64 `json:"version"`
		Parts   int    `json:"parts"`
		V2      *struct {
			Path string `json:"path"`
		} `json:"v2Checkpoint"`
	}
	const mostParts = 10_000
	if json.Unmarshal(data, &c) != nil || c.Version == nil || *c.Version < 0 || c.Parts > mostParts {
		return none, nil // a hint that cannot be read is none
	}
	out := checkpoint{version: *c.Version}
	base := fmt.Sprintf("%020d.checkpoint", *c.Version)
	switch {
	case c.V2 != nil && strings.HasPrefix(c.V2.Path, base+".") && !strings.Contains(c.V2.Path, "/"):
		out.names = []string{c.V2.Path}
	case c.Parts > 0:
		for i := range c.Parts {
			out.names = append(out.names, fmt.Sprintf("%s.%010d.%010d.parquet", base, i+1, c.Parts))
		}
	default:
		out.names = []string{base + ".parquet"}
	}
	return out, nil
}

// window is the most requests that look for commits at the same time.
const window = 16

// probe asks for commits in growing windows, until one behind the hint is missing.
func (s *Store) probe(ctx context.Context, prefix string, v int64, hint checkpoint, emit func(storage.Object) bool) error {
	sure := false
	for size := int64(1); ; size = min(2*size, window) {
		found, err := s.commits(ctx, prefix, v, size)
		if err != nil {
			return err
		}
		if size == window && !sure { // long enough to ask whether the server says no at all
			if _, err := s.Stat(ctx, fmt.Sprintf("%s%020d.json", prefix, int64(1)<<62)); err == nil {
				return fmt.Errorf("%w: the server has a file for every name that it is asked for", storage.ErrUnsupported)
			}
			sure = true
		}
		next := v + size
		for i, o := range found {
			at := v + int64(i)
			if o == nil && at < hint.version { // cleaned up: the log goes on at the checkpoint
				next = hint.version
				break
			}
			if at == hint.version {
				if more, err := s.files(ctx, prefix, hint.names, emit); err != nil || !more {
					return err
				}
			}
			if o == nil && at > hint.version {
				return nil
			}
			if o != nil && !emit(*o) {
				return nil
			}
		}
		v = next
	}
}

// files emits the files that are there.
func (s *Store) files(ctx context.Context, prefix string, names []string, emit func(storage.Object) bool) (more bool, err error) {
	for _, n := range names {
		o, err := s.Stat(ctx, prefix+n)
		if errors.Is(err, storage.ErrNotExist) {
			continue
		}
		if err != nil {
			return false, err
		}
		o.Key = prefix + n
		if !emit(o) {
			return false, nil
		}
	}
	return true, nil
}

// commits asks for n commits from v on; those that are missing are nil.
func (s *Store) commits(ctx context.Context, prefix string, v, n int64) ([]*storage.Object, error) {
	out := make([]*storage.Object, n)
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			key := fmt.Sprintf("%s%020d.json", prefix, v+i)
			o, err := s.Stat(ctx, key)
			switch {
			case err == nil:
				o.Key = key
				out[i] = &o
			case !errors.Is(err, storage.ErrNotExist):
				errs[i] = fmt.Errorf("looking for %s: %w", key, err)
			}
		})
	}
	wg.Wait()
	return out, errors.Join(errs...)
}
