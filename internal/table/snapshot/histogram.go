package snapshot

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
)

// sizeHistogram counts files by size (PROTOCOL.md, File Size Histogram Schema).
type sizeHistogram struct {
	Boundaries []int64 `json:"sortedBinBoundaries"`
	Counts     []int64 `json:"fileCounts"`
	Bytes      []int64 `json:"totalBytes"`
}

// deletedHistogram counts files by deleted rows (PROTOCOL.md, Deleted Record
// Counts Histogram Schema).
type deletedHistogram struct {
	Counts []int64 `json:"deletedRecordCounts"`
}

// Counting anew with each commit has to cost next to nothing, and few readers
// look; larger tables go without.
const (
	maxHistogram = 10_000 // files
	maxAllFiles  = 50     // as in the reference
)

// sizeBoundaries are those of the reference, so that its writers can go on from
// our counts: wide steps for small files, fine ones around the sizes that writers aim at.
var sizeBoundaries = func() []int64 {
	const kb, mb = int64(1) << 10, int64(1) << 20
	out := []int64{0}
	for s := 8 * kb; s <= 4*mb; s *= 2 {
		out = append(out, s)
	}
	for _, step := range []struct{ by, to int64 }{{4, 40}, {8, 120}, {4, 144}, {16, 576}, {64, 1408}, {128, 2048}, {256, 4096}} {
		for s := out[len(out)-1] + step.by*mb; s <= step.to*mb; s += step.by * mb {
			out = append(out, s)
		}
	}
	for s := 8192 * mb; s <= 256*1024*mb; s *= 2 {
		out = append(out, s)
	}
	return out
}()

// deletedBoundaries begin the bins of deletedRecordCounts.
var deletedBoundaries = []int64{0, 1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 1<<31 - 1}

func bin(boundaries []int64, n int64) int {
	return max(sort.Search(len(boundaries), func(i int) bool { return boundaries[i] > n })-1, 0)
}

func (v *view) sizes(boundaries []int64) *sizeHistogram {
	h := &sizeHistogram{Boundaries: boundaries, Counts: make([]int64, len(boundaries)), Bytes: make([]int64, len(boundaries))}
	v.each(v.others(nil), func(c *chunk, i int) bool {
		k := bin(boundaries, c.size[i])
		h.Counts[k]++
		h.Bytes[k] += c.size[i]
		return true
	})
	return h
}

func (v *view) deletions() *deletedHistogram {
	h := &deletedHistogram{Counts: make([]int64, len(deletedBoundaries))}
	v.each(v.others(nil), func(c *chunk, i int) bool {
		n := int64(0)
		if dv := c.vector(i); dv != nil {
			n = dv.Cardinality
		}
		h.Counts[bin(deletedBoundaries, n)]++
		return true
	})
	return h
}

// distribution adds to a checksum what says more about the files of a small table.
func (s *Snapshot) distribution(c *checksum, vectors bool) error {
	if s.NumFiles() > maxHistogram || s.light != nil {
		return nil
	}
	c.Sizes = s.files.sizes(sizeBoundaries)
	if vectors {
		c.Deletions = s.files.deletions()
	}
	if s.NumFiles() > maxAllFiles {
		return nil
	}
	c.AllFiles = []json.RawMessage{}
	for i := range s.fileSet.All() {
		raw, err := value(s.fileSet.Add(i))
		if err != nil {
			return err
		}
		c.AllFiles = append(c.AllFiles, raw)
	}
	return nil
}

// wrongDistribution names the part of a checksum's distribution that the snapshot
// does not have; empty when there is none. Large tables are not counted.
func (s *Snapshot) wrongDistribution(c *checksum) (what string, want, have any) {
	if s.NumFiles() > maxHistogram {
		return "", nil, nil
	}
	if h := c.Sizes; h != nil && len(h.Boundaries) > 0 && h.Boundaries[0] == 0 && slices.IsSorted(h.Boundaries) {
		if mine := s.files.sizes(h.Boundaries); !slices.Equal(mine.Counts, h.Counts) || !slices.Equal(mine.Bytes, h.Bytes) {
			return "fileSizeHistogram", fmt.Sprint(h.Counts, h.Bytes), fmt.Sprint(mine.Counts, mine.Bytes)
		}
	}
	if h := c.Deletions; h != nil && len(h.Counts) == len(deletedBoundaries) {
		if mine := s.files.deletions(); !slices.Equal(mine.Counts, h.Counts) {
			return "deletedRecordCountsHistogram", h.Counts, mine.Counts
		}
	}
	if c.AllFiles != nil && len(c.AllFiles) != s.NumFiles() {
		return "the number of allFiles", len(c.AllFiles), s.NumFiles()
	}
	return "", nil, nil
}
