package parquetio

import (
	"errors"
	"io"
	"slices"
	"sort"
)

// window is the file as arrow-go sees it during one Read: the pages that were
// fetched, and nothing else of the columns that are read. A column chunk seems
// to end where a run of fetched pages does, so that arrow-go never reads on into
// pages that nobody wants. Everything outside of those chunks (the page index)
// is read as it is asked for.
type window struct {
	src    *source
	spans  []span     // by offset
	chunks [][2]int64 // byte ranges of the columns that are read
	memo   map[int64][]byte
}

// span is a run of whole pages of a chunk, in memory.
type span struct {
	at   int64
	data []byte
}

// open sets what a row group's columns consist of.
func (w *window) open(spans []span, chunks [][2]int64) {
	slices.SortFunc(spans, func(a, b span) int { return order(a.at, b.at) })
	w.spans, w.chunks = spans, chunks
}

// ReadAt implements io.ReaderAt.
func (w *window) ReadAt(b []byte, at int64) (int, error) {
	i := sort.Search(len(w.spans), func(i int) bool { return w.spans[i].at > at }) - 1
	if i >= 0 && at < w.spans[i].at+int64(len(w.spans[i].data)) {
		n := copy(b, w.spans[i].data[at-w.spans[i].at:])
		if n < len(b) {
			return n, io.EOF
		}
		return n, nil
	}
	for _, c := range w.chunks {
		if at >= c[0] && at < c[1] {
			return 0, io.EOF
		}
	}
	if at < 0 || at > w.src.size-int64(len(b)) {
		return 0, io.EOF
	}
	if have := w.memo[at]; len(have) < len(b) { // each index is asked for twice: by us and by arrow-go
		got, err := w.src.bytes(at, at+int64(len(b)))
		if err != nil {
			return 0, err
		}
		w.memo[at] = got
	}
	return copy(b, w.memo[at]), nil
}

// Seek implements io.Seeker, which arrow-go needs to find a footer only.
func (w *window) Seek(int64, int) (int64, error) { return 0, errors.ErrUnsupported }
