package snapshot

import (
	"iter"
	"runtime"
	"sync"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/checkpoint"
	"github.com/sluicelake/sluice/internal/logic/prune"
)

// A Chooser says which files are wanted: first by their partition values alone, which
// it judges once for each combination of them, then with their statistics. It is asked
// from several goroutines.
type Chooser interface {
	KeepPartition(f prune.File) prune.Verdict
	KeepStatistics(f prune.File) prune.Verdict
	NeedsStatistics() bool // false when they change nothing
}

// Choose yields the adds of the files that a chooser keeps, in the order of the log.
// Statistics that are still in a checkpoint stream through, and stay for these alone.
func (s *FileSet) Choose(c Chooser) iter.Seq[*action.Add] {
	return func(yield func(*action.Add) bool) {
		for kept := range s.kept(c, true) {
			for _, f := range kept {
				if !yield(f.add) {
					return
				}
			}
		}
	}
}

// Select yields the numbers of the files that pruning keeps, in the order of
// the log. Partition values are judged once for each combination of them, and
// statistics that are still in a checkpoint stream through, so that nothing is
// made for the files that are dropped. A nil Pruner keeps all.
func (s *FileSet) Select(p *prune.Pruner) iter.Seq[int] {
	if p == nil {
		return s.All()
	}
	return func(yield func(int) bool) {
		for kept := range s.kept(p, false) {
			for _, f := range kept {
				if !yield(int(f.at)) {
					return
				}
			}
		}
	}
}

// kept yields the files that are kept, some at a time.
func (s *FileSet) kept(p Chooser, adds bool) iter.Seq[[]keptFile] {
	x := &selection{set: s, p: p, tuples: make([]uint8, len(s.v.texts)), data: p.NeedsStatistics(), adds: adds}
	x.judgeTuples()
	return x.pieces()
}

// keptFile is a file that is kept.
type keptFile struct {
	at  ref
	add *action.Add // when it is asked for
}

// selection is one Select or Choose.
type selection struct {
	set    *FileSet
	p      Chooser
	tuples []uint8 // by number: may files with these partition values be kept?
	data   bool    // statistics can say more
	adds   bool    // the adds of kept files are wanted

	scratch checkpoint.Scratch
}

// judged is a file without statistics, or with those that stream by.
type judged struct {
	set   *FileSet
	tuple uint32
	stats []byte
}

func (j *judged) Partition(col int) (string, bool) {
	return partitionValue(j.set.v.texts[j.tuple], j.set.names[col])
}

func (j *judged) StatsJSON() []byte { return j.stats }

const (
	unseen = iota
	dropped
	passed
)

// judgeTuples judges the partition values that live files have.
func (x *selection) judgeTuples() {
	j := &judged{set: x.set}
	for _, c := range x.set.v.chunks {
		for _, t := range c.tuple[:c.len()] {
			if x.tuples[t] == unseen {
				j.tuple = t
				x.tuples[t] = dropped
				if x.p.KeepPartition(j).Keep {
					x.tuples[t] = passed
				}
			}
		}
	}
}

// A stretch is rows that are judged in one go: some of a chunk whose statistics
// are in memory, or those of one row group of a checkpoint, in several chunks.
type stretch struct {
	over  *leftover
	group int
	parts []chunkRows
}

type chunkRows struct{ chunk, from, to int }

func (x *selection) stretches() (out []stretch) {
	for n, c := range x.set.v.chunks {
		if !x.data && !x.adds || c.left == nil || c.left.got.Load() != nil {
			out = append(out, stretch{parts: []chunkRows{{n, 0, c.len()}}})
			continue
		}
		over := c.left.over
		for from := 0; from < c.len(); {
			g := over.stats.Group(c.left.row(from))
			_, end := over.stats.Rows(g)
			to := from
			for to < c.len() && c.left.row(to) < end {
				to++
			}
			if last := len(out) - 1; last >= 0 && out[last].over == over && out[last].group == g {
				out[last].parts = append(out[last].parts, chunkRows{n, from, to})
			} else {
				out = append(out, stretch{over: over, group: g, parts: []chunkRows{{n, from, to}}})
			}
			from = to
		}
	}
	return out
}

// pieces yields the kept files of one stretch after the other; a few are judged
// at a time, in parallel.
func (x *selection) pieces() iter.Seq[[]keptFile] {
	return func(yield func([]keptFile) bool) {
		todo := x.stretches()
		workers := min(runtime.GOMAXPROCS(0), len(todo))
		done := make([]chan []keptFile, len(todo))
		for i := range done {
			done[i] = make(chan []keptFile, 1)
		}
		var wg sync.WaitGroup
		defer wg.Wait()
		next, stop := make(chan int), make(chan struct{})
		defer close(stop)
		wg.Go(func() {
			defer close(next)
			for i := range todo {
				select {
				case next <- i:
				case <-stop:
					return
				}
			}
		})
		for range workers {
			wg.Go(func() {
				j := &judged{set: x.set}
				for i := range next {
					done[i] <- x.judge(&todo[i], j)
				}
			})
		}
		for i := range todo {
			if !yield(<-done[i]) {
				return
			}
		}
	}
}

// judge lists the kept files of a stretch.
func (x *selection) judge(s *stretch, j *judged) (out []keptFile) {
	keep := func(chunk, k int, stats, rest []byte) {
		f := keptFile{at: makeRef(chunk, k)}
		if x.adds {
			f.add = x.set.add(x.set.v.chunks[chunk], k, stats, rest)
		}
		out = append(out, f)
	}
	candidate := func(c *chunk, k int) bool {
		return x.tuples[c.tuple[k]] == passed && c.alive(k, x.set.v.state)
	}
	if s.over == nil {
		p := s.parts[0]
		c := x.set.v.chunks[p.chunk]
		for k := p.from; k < p.to; k++ {
			if !candidate(c, k) {
				continue
			}
			var stats, rest []byte
			if x.data || x.adds {
				var err error
				if stats, rest, err = c.record(k); err != nil { // damaged memory
					panic("snapshot: " + err.Error())
				}
			}
			if j.tuple, j.stats = c.tuple[k], stats; x.data && !x.p.KeepStatistics(j).Keep {
				continue
			}
			keep(p.chunk, k, stats, rest)
		}
		return out
	}
	// The next candidate, and the row of the checkpoint that it is.
	part, k := 0, s.parts[0].from-1
	var c *chunk
	advance := func() int64 {
		for ; part < len(s.parts); part++ {
			p := s.parts[part]
			c = x.set.v.chunks[p.chunk]
			for k++; k < p.to; k++ {
				if candidate(c, k) {
					return c.left.row(k)
				}
			}
			if part+1 < len(s.parts) {
				k = s.parts[part+1].from - 1
			}
		}
		return -1
	}
	want := advance()
	if want < 0 {
		return nil
	}
	take := func(stats []byte) {
		j.tuple, j.stats = c.tuple[k], stats
		if !x.data || x.p.KeepStatistics(j).Keep {
			_, rest, err := c.cold.record(k)
			if err != nil { // damaged memory
				panic("snapshot: " + err.Error())
			}
			keep(s.parts[part].chunk, k, stats, rest)
		}
		want = advance()
	}
	err := s.over.stats.Read(s.group, &x.scratch, func(row int64, stats []byte) bool {
		if row == want {
			take(stats)
		}
		return want >= 0
	})
	if err != nil {
		s.over.warn(err)
		for want >= 0 {
			take(nil)
		}
	}
	return out
}
