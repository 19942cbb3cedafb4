package query

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/internal/base/columns"
)

// keySet numbers the different keys that it has seen, from 0. NULL equals NULL.
type keySet struct {
	ids   map[string]int
	buf   []byte
	bytes int64 // held, about
}

func newKeySet() *keySet { return &keySet{ids: map[string]int{}} }

func (s *keySet) add(cols []arrow.Array, row int) (id int, fresh bool) {
	s.encode(cols, row)
	id, ok := s.ids[string(s.buf)]
	if !ok {
		id = len(s.ids)
		s.ids[string(s.buf)] = id
		s.bytes += int64(len(s.buf)) + 48
	}
	return id, !ok
}

func (s *keySet) find(cols []arrow.Array, row int) (int, bool) {
	s.encode(cols, row)
	id, ok := s.ids[string(s.buf)]
	return id, ok
}

func (s *keySet) encode(cols []arrow.Array, row int) {
	s.buf = s.buf[:0]
	for _, c := range cols {
		s.buf = columns.AppendKey(s.buf, c, row)
	}
}
