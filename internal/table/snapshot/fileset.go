package snapshot

import (
	"iter"
	"unsafe"

	"github.com/sluicelake/sluice/action"
)

// FileSet is the live files of one version. A file is named by a number that
// All or Find gives; numbers are not consecutive, and hold for this version and
// for newer versions made from it by Apply or Refresh. It is safe for concurrent use.
type FileSet struct {
	v     view
	names []string // physical names of the partition columns
}

// Len is the number of live files.
func (s *FileSet) Len() int { return s.v.live }

// All yields the numbers of the live files in the order of the log. It is the
// only way to enumerate them: numbers do not run from 0 to Len.
func (s *FileSet) All() iter.Seq[int] {
	return func(yield func(int) bool) { s.v.all(func(r ref) bool { return yield(int(r)) }) }
}

func (v *view) all(yield func(ref) bool) bool {
	for c, ch := range v.chunks {
		for i := range ch.len() {
			if ch.alive(i, v.state) && !yield(makeRef(c, i)) {
				return false
			}
		}
	}
	return true
}

func (s *FileSet) at(i int) (*chunk, int) {
	r := ref(i)
	return s.v.chunks[r.chunk()], r.row()
}

// Path is the file's path as in the log: URL-encoded, relative or absolute. It
// shares its bytes with the files around it; to keep a few paths for long, clone them.
func (s *FileSet) Path(i int) string {
	c, k := s.at(i)
	p := c.path(k) // which never changes
	return unsafe.String(unsafe.SliceData(p), len(p))
}

// Size is the file's size in bytes.
func (s *FileSet) Size(i int) int64 {
	c, k := s.at(i)
	return c.size[k]
}

// ModificationTime is in milliseconds since the epoch.
func (s *FileSet) ModificationTime(i int) int64 {
	c, k := s.at(i)
	return c.modTime[k]
}

// NumRecords is the number of rows in the file before its deletion vector is
// applied; ok is false when the statistics do not say.
func (s *FileSet) NumRecords(i int) (n int64, ok bool) {
	c, k := s.at(i)
	n = c.numRecords(k)
	return max(n, 0), n >= 0
}

// Tuple numbers the file's combination of partition values: files with equal
// numbers have equal values. Numbers are below Tuples.
func (s *FileSet) Tuple(i int) int {
	c, k := s.at(i)
	return int(c.tuple[k])
}

// Tuples is an upper bound of the numbers that Tuple gives.
func (s *FileSet) Tuples() int { return len(s.v.texts) }

// Partition is the file's serialised value of the col-th partition column of
// the table; null for NULL (also when it is stored as the empty text).
func (s *FileSet) Partition(i, col int) (value string, null bool) {
	return partitionValue(s.v.texts[s.Tuple(i)], s.names[col])
}

// StatsJSON is the file's statistics as JSON text, nil when there are none. The
// bytes are shared: do not change them.
func (s *FileSet) StatsJSON(i int) []byte {
	c, k := s.at(i)
	stats, _, err := c.record(k)
	if err != nil || len(stats) == 0 {
		return nil
	}
	return stats
}

// DV is the file's deletion vector, nil when it has none. It is shared: do not change it.
func (s *FileSet) DV(i int) *action.DeletionVector {
	c, k := s.at(i)
	return c.vector(k)
}

// Add is the whole action, made anew: DataChange is false, as in a checkpoint.
func (s *FileSet) Add(i int) *action.Add {
	c, k := s.at(i)
	stats, rest, err := c.record(k)
	if err != nil { // damaged memory
		panic("snapshot: " + err.Error())
	}
	return s.add(c, k, stats, rest)
}

// Bare is Add without the statistics, which costs less.
func (s *FileSet) Bare(i int) *action.Add {
	c, k := s.at(i)
	_, rest, err := c.cold.record(k)
	if err != nil { // damaged memory
		panic("snapshot: " + err.Error())
	}
	return s.add(c, k, nil, rest)
}

func (s *FileSet) add(c *chunk, k int, stats, rest []byte) *action.Add {
	var f action.File
	s.v.restore(c, k, &f, false, stats, rest)
	a, err := f.Add()
	if err != nil { // what was parsed once parses again
		panic("snapshot: " + err.Error())
	}
	a.DataChange = false
	return a
}

// file restores the raw form of a row.
func (v *view) file(c *chunk, k int, f *action.File, remove bool) {
	stats, rest, err := c.record(k)
	if err != nil { // damaged memory
		panic("snapshot: " + err.Error())
	}
	v.restore(c, k, f, remove, stats, rest)
}

func (v *view) restore(c *chunk, k int, f *action.File, remove bool, stats, rest []byte) {
	var err error
	if len(rest) > 0 {
		object := make([]byte, 0, len(rest)+2)
		object = append(append(append(object, '{'), rest...), '}')
		err = f.Parse(object, remove)
	} else {
		*f = action.File{Extra: f.Extra[:0]}
	}
	if err != nil {
		panic("snapshot: " + err.Error())
	}
	f.Path = action.Plain(c.path(k))
	if text := v.texts[c.tuple[k]]; text != "" {
		f.PartitionValues = unsafe.Slice(unsafe.StringData(text), len(text)) // nobody writes to it
	}
	f.Vector = c.vector(k)
	f.Stats = action.Plain(stats)
	f.DataChange = false
	if !remove {
		f.Size, f.ModificationTime = c.size[k], c.modTime[k]
		f.Has |= action.HasSize
	}
}

// Find looks a file up by its path, as in the log, and the ID of its deletion
// vector ("" for none).
func (s *FileSet) Find(path, dvID string) (i int, ok bool) {
	id := append(appendDecoded(nil, []byte(path)), 0)
	id = append(id, dvID...)
	s.v.cols.mu.RLock()
	defer s.v.cols.mu.RUnlock()
	var buf []byte
	r, ok := s.v.cols.find(s.v.chunks, hashOf(id), id, s.v.state, &buf)
	return int(r), ok
}
