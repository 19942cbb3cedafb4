package cluster

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// store is a local file for rows that memory does not hold. It has no name, where
// the system allows that, so nothing is left of it whatever happens.
type store struct {
	file *os.File
	name string // "" when the file has none any more

	mu  sync.Mutex // of who writes
	out *bufio.Writer
	end int64
}

// extent is where in the store some rows lie; no bytes are no rows.
type extent struct{ at, bytes int64 }

func newStore() (*store, error) {
	f, err := os.CreateTemp("", "sluice-rows-*")
	if err != nil {
		return nil, spillError(err)
	}
	s := &store{file: f, name: f.Name(), out: bufio.NewWriterSize(f, 256<<10)}
	if os.Remove(s.name) == nil {
		s.name = ""
	}
	return s, nil
}

func spillError(err error) error {
	return fmt.Errorf("rows that do not fit into memory wait in a temporary file of this machine (the variable TMPDIR names its folder): %w", err)
}

func (s *store) close() error {
	if s == nil {
		return nil
	}
	err := s.file.Close()
	if s.name != "" {
		err = os.Remove(s.name)
	}
	return err
}

// put writes rows in pieces: from, and up to the next.
func (s *store) put(rec arrow.RecordBatch, starts []int) (out []extent, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range len(starts) - 1 {
		from, to := starts[i], starts[i+1]
		e := extent{at: s.end}
		if from < to {
			w := ipc.NewWriter(s, ipc.WithSchema(rec.Schema()))
			if err := w.Write(rec.NewSlice(int64(from), int64(to))); err != nil {
				return nil, spillError(err)
			}
			if err := w.Close(); err != nil {
				return nil, spillError(err)
			}
		}
		e.bytes = s.end - e.at
		out = append(out, e)
	}
	if err := s.out.Flush(); err != nil {
		return nil, spillError(err)
	}
	return out, nil
}

// Write implements io.Writer for put.
func (s *store) Write(b []byte) (int, error) {
	n, err := s.out.Write(b)
	s.end += int64(n)
	return n, err
}

// get reads rows back.
func (s *store) get(e extent) ([]arrow.Array, error) {
	r, err := ipc.NewReader(bufio.NewReaderSize(io.NewSectionReader(s.file, e.at, e.bytes), 64<<10))
	if err != nil {
		return nil, spillError(err)
	}
	rec, err := r.Read()
	if err != nil {
		return nil, spillError(err)
	}
	return rec.Columns(), nil
}

// record makes one batch of the columns of a run, its keys and origins.
func record(cols []arrow.Array, keys, from []uint64) arrow.RecordBatch {
	cols = append(cols[:len(cols):len(cols)], numbers(keys))
	if from != nil {
		cols = append(cols, numbers(from))
	}
	fields := make([]arrow.Field, len(cols))
	for i, c := range cols {
		fields[i] = arrow.Field{Name: fmt.Sprint(i), Type: c.DataType(), Nullable: true}
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, int64(len(keys)))
}

func numbers(v []uint64) arrow.Array {
	buf := memory.NewBufferBytes(arrow.Uint64Traits.CastToBytes(v))
	return array.NewUint64Data(array.NewData(arrow.PrimitiveTypes.Uint64, len(v), []*memory.Buffer{nil, buf}, nil, 0, 0))
}
