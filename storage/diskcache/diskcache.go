// Package diskcache keeps copies of immutable files of a far store on this
// machine: checkpoints with their sidecars, deletion vectors, footers and small
// reads of data files.
//
// The one idea: only what cannot change under its name is kept. That is a file
// whose name holds a UUID, and a checkpoint as the store last listed it, by size
// and time. Commits, checksums and _last_checkpoint are never kept, so a
// table is as new through the cache as without it. A copy is verified whenever
// it is read; one that is damaged is dropped and fetched again. The cache can be
// removed at any time, and used by many processes at once.
package diskcache

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluicelake/sluice/storage"
)

// Store is a storage.Driver that answers what it can from a folder of this machine.
type Store struct {
	next  storage.Driver
	disk  *disk
	scope string // what else tells stores of one URL apart
	now   func() time.Time
	sent  sent
	kept  atomic.Int64 // reads that were answered from the folder

	mu     sync.Mutex
	listed map[string]storage.Object // checkpoints, as listed last
}

// Option changes a new Store.
type Option func(*Store)

// WithClock sets the clock by which a checkpoint is old enough to be kept.
func WithClock(now func() time.Time) Option { return func(s *Store) { s.now = now } }

// Default is the size of a cache whose owner does not say one.
const Default = 1 << 30

// least is the smallest cache: some checkpoints, and footers.
const least = 16 << 20

// Wrap puts a cache of at most limit bytes in a folder before a driver. The folder is
// made, for this user only, when it is missing. A driver whose reads cost no
// request (storage.RandomReader: local disk) comes back as it is.
func Wrap(next storage.Driver, dir string, limit int64, opts ...Option) (storage.Driver, error) {
	if limit < least {
		return nil, fmt.Errorf("a cache of %d bytes is too small: give it %d (16 MiB) or more", limit, int64(least))
	}
	if _, near := storage.As[storage.RandomReader](next); near {
		return next, nil
	}
	d, err := openDisk(dir, limit)
	if err != nil {
		return nil, err
	}
	s := &Store{next: next, disk: d, now: time.Now, listed: map[string]storage.Object{}}
	if of, ok := next.(storage.Describer); ok {
		s.scope = of.Describe()["endpoint"]
	}
	for _, o := range opts {
		o(s)
	}
	return s, nil
}

// Get answers an immutable file from the folder, or keeps it there.
func (s *Store) Get(ctx context.Context, key string) ([]byte, storage.Object, error) {
	if err := ctx.Err(); err != nil {
		return nil, storage.Object{}, err
	}
	f, keep := s.file(key)
	if keep {
		if data, mod, ok := s.disk.read(f.whole()); ok {
			s.kept.Add(1)
			return data, storage.Object{Key: key, Size: int64(len(data)), ModTime: mod}, nil
		}
	}
	s.sent.gets.Add(1)
	data, obj, err := s.next.Get(ctx, key)
	s.sent.read.Add(int64(len(data)))
	if err == nil && keep && f.is(obj) {
		s.disk.write(f.whole(), data, obj.ModTime)
	}
	return data, obj, err
}

// blockSize is what one entry holds of a file that is read in parts.
const blockSize = 256 << 10

// GetRange answers the blocks of an immutable file from the folder if all of
// them are there; otherwise one request fetches what is missing. Large reads of
// data files go by the cache: a scan would drive out everything else.
func (s *Store) GetRange(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, keep := s.file(key)
	if !keep || length <= 0 || length > f.most(s.disk.limit) || offset > 1<<60 {
		s.sent.gets.Add(1)
		data, err := s.next.GetRange(ctx, key, offset, length)
		s.sent.read.Add(int64(len(data)))
		return data, err
	}
	first, last := offset/blockSize, (offset+length-1)/blockSize
	blocks := make([][]byte, last-first+1)
	from, to := int64(-1), int64(-1) // the missing ones
	for i := range blocks {
		data, _, ok := s.disk.read(f.block(first + int64(i)))
		if blocks[i] = data; !ok {
			if to = first + int64(i); from < 0 {
				from = to
			}
		} else if len(data) < blockSize {
			break // the end of the file
		}
	}
	if from < 0 {
		s.kept.Add(1)
	} else if err := s.fetch(ctx, key, f, blocks, first, from, to); err != nil {
		return nil, err
	}
	return cut(blocks, offset-first*blockSize, length), nil
}

// fetch brings the blocks from..to with one request and keeps them. blocks begin with
// the block first.
func (s *Store) fetch(ctx context.Context, key string, f file, blocks [][]byte, first, from, to int64) error {
	want := (to - from + 1) * blockSize
	s.sent.gets.Add(1)
	data, err := s.next.GetRange(ctx, key, from*blockSize, want)
	s.sent.read.Add(int64(len(data)))
	if err != nil {
		return err
	}
	ended := int64(len(data)) < want
	for b := from; b <= to; b++ {
		n := min(len(data), blockSize)
		blocks[b-first] = data[:n:n]
		data = data[n:]
		s.disk.write(f.block(b), blocks[b-first], time.Time{})
		if ended && n < blockSize {
			clear(blocks[b-first+1:]) // nothing is behind the end
			break
		}
	}
	return nil
}

// cut takes length bytes from offset of blocks that lie one behind the other; fewer
// where they end before.
func cut(blocks [][]byte, offset, length int64) []byte {
	out := make([]byte, 0, length)
	for _, b := range blocks {
		if offset >= int64(len(b)) {
			offset -= int64(len(b))
		} else {
			b = b[offset:]
			out = append(out, b[:min(int64(len(b)), length-int64(len(out)))]...)
			offset = 0
		}
		if len(b) == 0 || int64(len(out)) == length {
			break
		}
	}
	return out
}
