package snapshot

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/zeebo/xxh3"
)

// rows is some rows of one chunk: from the first up to, not including, the last.
type rows struct{ chunk, from, to int }

// A sidecar is one that a V2 checkpoint names, and the rows that it holds. Rows
// keep their places as long as the columns live, and what died stays dead; so
// the sidecar says the truth about a later version as long as as many of its
// rows live as when it was written.
type sidecar struct {
	*action.Sidecar
	adds, removes         []rows
	liveAdds, liveRemoves int
}

func (c *sidecar) len() int { return c.liveAdds + c.liveRemoves }

// sidecarSet is the sidecars of the newest V2 checkpoint that a lineage knows.
type sidecarSet struct {
	version int64
	made    time.Time // when the checkpoint was written
	list    []*sidecar
}

// sidecarBox holds the set of a lineage; a newer one replaces an older one.
type sidecarBox struct{ p atomic.Pointer[sidecarSet] }

func (b *sidecarBox) put(s *sidecarSet) {
	for {
		have := b.p.Load()
		if have != nil && have.version > s.version || b.p.CompareAndSwap(have, s) {
			return
		}
	}
}

// read enters the rows that a batch of a sidecar has brought.
func (c *sidecar) read(adds, removes []rows, nAdds, nRemoves int) {
	c.adds, c.removes = append(c.adds, adds...), append(c.removes, removes...)
	c.liveAdds, c.liveRemoves = c.liveAdds+nAdds, c.liveRemoves+nRemoves
}

// placed is where adopt has put n rows: behind each other in one chunk.
func placed(at func(int) ref, n int) []rows {
	if n == 0 {
		return nil
	}
	r := at(0)
	return []rows{{r.chunk(), r.row(), r.row() + n}}
}

// living counts the rows that a version sees; ok is false when some of them are
// newer than the version.
func (v *view) living(of []rows) (n int, ok bool) {
	for _, r := range of {
		if r.chunk >= len(v.chunks) || r.to > v.chunks[r.chunk].len() {
			return 0, false
		}
		c := v.chunks[r.chunk]
		for i := r.from; i < r.to; i++ {
			if c.alive(i, v.state) {
				n++
			}
		}
	}
	return n, true
}

// unchanged reports whether a sidecar holds nothing but what a version has.
func (s *Snapshot) unchanged(c *sidecar) bool {
	adds, ok := s.files.living(c.adds)
	if !ok || adds != c.liveAdds {
		return false
	}
	removes, ok := s.tombs.living(c.removes)
	return ok && removes == c.liveRemoves
}

// layoutTag marks sidecars whose adds have other columns than path, partition
// values and statistics as JSON: one checkpoint must not mix them.
const layoutTag = "sluice.layout"

func layoutOf(json bool, typed string) string {
	if json && typed == "" {
		return ""
	}
	return fmt.Sprintf("%016x", xxh3.HashString(fmt.Sprint(json, typed)))
}

// others are the rows of a view outside the given ones, dead ones included.
func (v *view) others(taken []rows) (out []rows) {
	slices.SortFunc(taken, func(a, b rows) int {
		if a.chunk != b.chunk {
			return a.chunk - b.chunk
		}
		return a.from - b.from
	})
	for n, c := range v.chunks {
		at := 0
		for len(taken) > 0 && taken[0].chunk == n {
			if t := taken[0]; t.from > at {
				out = append(out, rows{n, at, t.from})
			}
			at = max(at, taken[0].to)
			taken = taken[1:]
		}
		if at < c.len() {
			out = append(out, rows{n, at, c.len()})
		}
	}
	return out
}

// cut divides rows so that each portion has about equally many that count, and
// not more than limit of them.
func (v *view) cut(of []rows, limit int, counts func(c *chunk, i int) bool) (out [][]rows, sizes []int) {
	total := 0
	for _, r := range of {
		for i := r.from; i < r.to; i++ {
			if counts(v.chunks[r.chunk], i) {
				total++
			}
		}
	}
	if total == 0 {
		return nil, nil
	}
	portions := (total + limit - 1) / limit
	var part []rows
	n, want := 0, (total+portions-1)/portions
	for _, r := range of {
		from := r.from
		for i := r.from; i < r.to; i++ {
			if !counts(v.chunks[r.chunk], i) {
				continue
			}
			if n++; n == want {
				out, sizes = append(out, append(part, rows{r.chunk, from, i + 1})), append(sizes, n)
				part, n, from = nil, 0, i+1
			}
		}
		if from < r.to {
			part = append(part, rows{r.chunk, from, r.to})
		}
	}
	if n > 0 {
		out, sizes = append(out, part), append(sizes, n)
	}
	return out, sizes
}
