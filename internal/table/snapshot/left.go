package snapshot

import (
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/sluicelake/sluice/internal/format/checkpoint"
)

// leftover is the statistics that loading left in one checkpoint file. Pruning
// streams them (see Select) and keeps nothing; whoever looks at single files
// makes them come into memory, all of the checkpoint file at once.
type leftover struct {
	stats *checkpoint.Statistics
	log   *slog.Logger

	mu     sync.Mutex
	chunks []*chunk // whose statistics these are, in the order of the rows
	loaded bool

	damaged atomic.Pointer[error]
}

// left is the part of a leftover that belongs to one chunk.
type left struct {
	over  *leftover
	lines []uint32 // the rows of the chunk's files in the checkpoint, from 1, ascending
	got   atomic.Pointer[fetched]
}

// row is the row of the chunk's file k in the checkpoint, from 0.
func (l *left) row(k int) int64 { return int64(l.lines[k]) - 1 }

// fetched are statistics of a chunk, in memory.
type fetched struct {
	cold    coldColumn
	records []int64
}

// adopt makes a private chunk one whose statistics are left behind. lines are
// the rows of its files, from 1.
func (o *leftover) adopt(c *chunk, lines []uint32) {
	c.left = &left{over: o, lines: lines}
	o.mu.Lock()
	o.chunks = append(o.chunks, c)
	o.mu.Unlock()
}

// fetch brings the statistics into memory. Damaged ones are none, as those of
// a writer that made no statistics: they only ever save work.
func (l *left) fetch() *fetched {
	if f := l.got.Load(); f != nil {
		return f
	}
	o := l.over
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.loaded {
		o.loaded = true
		o.fetchAll()
		o.chunks = nil
	}
	return l.got.Load()
}

func (o *leftover) fetchAll() {
	at := 0 // the chunk that is being filled
	var cold coldColumn
	var records []int64
	begin := func() {
		cold.reset()
		records = make([]int64, 0, 64)
	}
	begin()
	put := func(stats []byte) {
		cold.add(stats, nil)
		records = append(records, numRecords(stats))
		if c := o.chunks[at]; len(records) == c.len() {
			c.left.got.Store(&fetched{cold: cold.clone(), records: append(make([]int64, 0, len(records)), records...)})
			at++
			begin()
		}
	}
	scratch := &checkpoint.Scratch{}
	for g := range o.stats.Groups() {
		err := o.stats.Read(g, scratch, func(row int64, stats []byte) bool {
			for at < len(o.chunks) && o.chunks[at].left.row(len(records)) < row {
				put(nil) // only after damage
			}
			if at < len(o.chunks) && o.chunks[at].left.row(len(records)) == row {
				put(stats)
			}
			return at < len(o.chunks)
		})
		if err != nil {
			o.warn(err)
		}
	}
	for at < len(o.chunks) {
		put(nil)
	}
}

func (o *leftover) warn(err error) {
	o.damaged.Store(&err)
	o.log.Warn("statistics of a checkpoint are damaged; the table is read without them", "error", err)
}

// record returns the statistics and the rest of a row. The bytes are shared.
func (c *chunk) record(i int) (stats, rest []byte, err error) {
	if stats, rest, err = c.cold.record(i); err != nil || c.left == nil {
		return stats, rest, err
	}
	stats, _, err = c.left.fetch().cold.record(i)
	return stats, rest, err
}

// numRecords is the number of rows that the statistics of a file tell, -1 when
// they do not.
func (c *chunk) numRecords(i int) int64 {
	if c.left != nil {
		return c.left.fetch().records[i]
	}
	return c.records[i]
}
