package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sort"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/storage"
)

// Statistics are the JSON statistics of the adds in one checkpoint file, left
// there in compressed form: most uses of a table never look at them, and they
// are more than all the rest. They stay readable as long as they are held, also
// when the checkpoint is deleted. Safe for concurrent use.
type Statistics struct {
	key   string
	meta  *metadata.FileMetaData
	leaf  int
	level int16 // the definition level of a value that is there
	at    io.ReaderAt
	size  int64
	first []int64 // the row at which each row group begins, and behind the last
}

// laterFrom is the compressed size from which statistics are left in the file.
const laterFrom = 2 << 20

// Later says what ReadLater does with statistics.
type Later struct {
	Found   func(*Statistics) // receives those that stay where they are, before the first action
	Handle  func() bool       // reports whether the file may stay open; its bytes are kept in memory otherwise
	Scratch *Scratch          // memory to use again; may be nil
}

// ReadLater is Read, except that it leaves the statistics of a large file where
// they are; adds come without. The Line of an add is then its row, from 1.
func ReadLater(ctx context.Context, b *storage.Bucket, obj storage.Object, h *action.Handler, later Later) error {
	if later.Scratch == nil {
		later.Scratch = &Scratch{}
	}
	return read(ctx, b, obj, h, later)
}

// statisticsOf describes the statistics of an open file; nil when they are
// small, not JSON, or not in a plain column.
func statisticsOf(pf *file.Reader, src *source, key string, handle func() bool) *Statistics {
	leaf := pf.MetaData().Schema.ColumnIndexByName("add.stats")
	if leaf < 0 || allNull(pf, leaf) {
		return nil
	}
	col := pf.MetaData().Schema.Column(leaf)
	if col.PhysicalType() != parquet.Types.ByteArray || col.MaxRepetitionLevel() != 0 {
		return nil
	}
	s := &Statistics{key: key, meta: pf.MetaData(), leaf: leaf, level: col.MaxDefinitionLevel(), size: src.Size(), first: []int64{0}}
	var ranges []span
	total, rows := int64(0), int64(0)
	for g := range pf.NumRowGroups() {
		rg := pf.MetaData().RowGroup(g)
		c, err := rg.ColumnChunk(leaf)
		if err != nil || c.NumValues() != rg.NumRows() {
			return nil
		}
		from := c.DataPageOffset()
		if c.HasDictionaryPage() && c.DictionaryPageOffset() > 0 {
			from = min(from, c.DictionaryPageOffset())
		}
		ranges = append(ranges, span{from, from + c.TotalCompressedSize()})
		total += c.TotalCompressedSize()
		rows += rg.NumRows()
		s.first = append(s.first, rows)
	}
	if total < laterFrom || rows >= 1<<31 {
		return nil
	}
	if src.keep && handle() {
		s.at = src.at
		src.kept = true
		return s
	}
	at := &pieces{}
	for _, r := range ranges {
		data := make([]byte, r.to-r.from)
		if n, err := src.ReadAt(data, r.from); err != nil && err != io.EOF || n < len(data) {
			return nil // reading it now says what is wrong
		}
		at.add(r.from, data)
	}
	s.at = at
	return s
}

type span struct{ from, to int64 }

// pieces are parts of a file in memory.
type pieces struct {
	from []int64
	data [][]byte
}

func (p *pieces) add(from int64, data []byte) {
	p.from, p.data = append(p.from, from), append(p.data, data)
}

func (p *pieces) ReadAt(b []byte, off int64) (int, error) {
	i := sort.Search(len(p.from), func(i int) bool { return p.from[i] > off }) - 1
	if i < 0 || off-p.from[i] >= int64(len(p.data[i])) {
		return 0, io.EOF
	}
	n := copy(b, p.data[i][off-p.from[i]:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// Scratch is memory that reading uses again and again. The zero value is ready;
// it is safe for concurrent use.
type Scratch struct{ mem recycler }

// Groups is the number of row groups, the units in which statistics are read.
func (s *Statistics) Groups() int { return len(s.first) - 1 }

// Group is the row group of a row, counted from 0.
func (s *Statistics) Group(row int64) int {
	return sort.Search(s.Groups(), func(g int) bool { return s.first[g+1] > row })
}

// Rows are the rows of a group: from the first up to, not including, the second.
func (s *Statistics) Rows(group int) (from, to int64) { return s.first[group], s.first[group+1] }

// Read hands out the statistics of the rows of a group in their order; nil
// where there are none. The bytes are valid during the call only. It ends when
// each says false. Readers of several groups share their scratch space.
func (s *Statistics) Read(group int, scratch *Scratch, each func(row int64, stats []byte) bool) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("damaged Parquet: %v", r)
		}
		if err != nil {
			err = &Error{s.key, fmt.Errorf("statistics: %w", err)}
		}
	}()
	props := parquet.NewReaderProperties(&scratch.mem)
	props.BufferedStreamEnabled = true
	props.MaxUncompressedPageSize = maxPage
	pf, err := file.NewParquetReader(io.NewSectionReader(s.at, 0, s.size), file.WithReadProps(props), file.WithMetadata(s.meta))
	if err != nil {
		return err
	}
	col, err := pf.RowGroup(group).Column(s.leaf)
	if err != nil {
		return err
	}
	in, ok := col.(*file.ByteArrayColumnChunkReader)
	if !ok {
		return errors.New("the column holds no texts")
	}
	defer in.Close()
	row, end := s.Rows(group)
	values, levels := make([]parquet.ByteArray, 1024), make([]int16, 1024)
	for row < end {
		n, read, err := in.ReadBatchInPage(int64(len(values)), values, levels, nil)
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("it ends before row %d", row)
		}
		next := 0
		for i := range int(n) {
			var stats []byte
			if s.level == 0 || levels[i] == s.level {
				if next >= read {
					return errors.New("its levels and values disagree")
				}
				stats = values[next]
				next++
			}
			if !each(row, stats) {
				return nil
			}
			row++
		}
	}
	return nil
}
