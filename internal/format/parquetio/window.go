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
	err    error // the first read that failed
}

// span is a run of whole pages of a chunk: in memory, or, where data is nil,
// read as it is asked for.
type span struct {
	at, end int64
	data    []byte
}

// reset forgets a row group.
func (w *window) reset() { w.spans, w.chunks = nil, nil }

// open adds what columns consist of; what was known of their chunks is replaced.
func (w *window) open(spans []span, chunks [][2]int64) {
	keep := w.spans[:0]
	for _, s := range w.spans {
		if !slices.ContainsFunc(chunks, func(c [2]int64) bool { return s.at >= c[0] && s.at < c[1] }) {
			keep = append(keep, s)
		}
	}
	w.spans = append(keep, spans...)
	slices.SortFunc(w.spans, func(a, b span) int { return order(a.at, b.at) })
	for _, c := range chunks {
		if !slices.Contains(w.chunks, c) {
			w.chunks = append(w.chunks, c)
		}
	}
}

// ReadAt implements io.ReaderAt.
func (w *window) ReadAt(b []byte, at int64) (int, error) {
	i := sort.Search(len(w.spans), func(i int) bool { return w.spans[i].at > at }) - 1
	if i >= 0 && at < w.spans[i].end {
		return w.spans[i].read(w, b, at)
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

func (s *span) read(w *window, b []byte, at int64) (n int, err error) {
	if s.data != nil {
		n = copy(b, s.data[at-s.at:])
	} else {
		n = int(min(int64(len(b)), s.end-at))
		if err := readFull(w.src.r, b[:n], at); err != nil {
			if w.err == nil {
				w.err = err
			}
			return 0, err
		}
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// Seek implements io.Seeker, which arrow-go needs to find a footer only.
func (w *window) Seek(int64, int) (int64, error) { return 0, errors.ErrUnsupported }
