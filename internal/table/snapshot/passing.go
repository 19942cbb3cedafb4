package snapshot

import (
	"iter"

	"github.com/sluicelake/sluice/internal/format/checkpoint"
)

// passing reads statistics in the order of rows, and keeps none: those that are
// still in a checkpoint stream by.
type passing struct {
	over    *leftover // whose statistics are streaming
	next    func() (streamed, bool)
	stop    func()
	now     streamed
	err     error
	scratch checkpoint.Scratch
}

// streamed is the statistics of some rows behind each other.
type streamed struct {
	first int64
	end   []int
	data  []byte
}

const passingRows = 1024

// close ends the stream.
func (p *passing) close() {
	if p.stop != nil {
		p.stop()
		p.stop = nil
	}
}

// record is the statistics and the rest of a row of a chunk. The bytes are valid
// until the next call.
func (p *passing) record(c *chunk, k int) (stats, rest []byte, err error) {
	if stats, rest, err = c.cold.record(k); err != nil || c.left == nil {
		return stats, rest, err
	}
	if f := c.left.got.Load(); f != nil {
		if e := c.left.over.damaged.Load(); e != nil {
			return nil, nil, *e
		}
		stats, _, err = f.cold.record(k)
		return stats, rest, err
	}
	stats, err = p.at(c.left.over, c.left.row(k))
	return stats, rest, err
}

func (p *passing) at(over *leftover, row int64) ([]byte, error) {
	if p.over != over || p.stop == nil || row < p.now.first || row > p.now.first+2*checkpointGroup {
		p.close()
		p.over, p.err, p.now = over, nil, streamed{first: -1}
		p.next, p.stop = iter.Pull(p.from(over, row))
	}
	for row >= p.now.first+int64(len(p.now.end)) {
		var ok bool
		if p.now, ok = p.next(); !ok {
			p.close()
			return nil, p.err
		}
	}
	i := int(row - p.now.first)
	if i < 0 {
		return nil, nil
	}
	from := 0
	if i > 0 {
		from = p.now.end[i-1]
	}
	return p.now.data[from:p.now.end[i]], nil
}

const checkpointGroup = 1 << 16

// from streams the statistics from the row group of a row on.
func (p *passing) from(over *leftover, row int64) iter.Seq[streamed] {
	return func(yield func(streamed) bool) {
		var out streamed
		more := true
		for g := over.stats.Group(row); g < over.stats.Groups() && more; g++ {
			out = streamed{end: out.end[:0], data: out.data[:0]}
			out.first, _ = over.stats.Rows(g)
			if p.err = over.stats.Read(g, &p.scratch, func(_ int64, stats []byte) bool {
				out.data = append(out.data, stats...)
				if out.end = append(out.end, len(out.data)); len(out.end) == passingRows {
					more = yield(out)
					out = streamed{first: out.first + int64(len(out.end)), end: out.end[:0], data: out.data[:0]}
				}
				return more
			}); p.err != nil {
				over.damaged.Store(&p.err)
				return
			}
			if more && len(out.end) > 0 {
				more = yield(out)
			}
		}
	}
}
