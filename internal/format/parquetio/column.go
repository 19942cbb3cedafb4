package parquetio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sort"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
)

var errShortPage = errors.New("a column has fewer values than it claims")

// textChunk is how many values of varying length are decoded at a time; each
// takes a slice header in between.
const textChunk = 4096

// columnReader reads the rows of one column chunk in ascending order through
// arrow-go. Pages between the rows that are asked for may be missing from the
// window. It seeks to the first row of a page only and reads on from there:
// arrow-go loses its place behind a seek into the middle of a page of lists.
type columnReader struct {
	leaf    *parquetNode
	in      file.ColumnChunkReader
	pages   []pageLocation // nil: unknown, then all pages are there
	row     int64          // next row to read, within the row group
	keep    bool           // levels are kept, for nested columns
	hasDict bool           // the footer says where the dictionary is

	defs, reps []int16
	texts      []parquet.ByteArray
	fixed      []parquet.FixedLenByteArray
	int96      []parquet.Int96
	rest       *leafRows // lists: what was read behind the last row
	textPerRow int
	most       int // bytes of text that one read may give; 0: 2 GiB
	levels     int // bytes of levels, batchLimit at least
	scratch    *vector
	passing    bool // values are needed until the next ones are read only
}

// leafRows are rows of a leaf: flat columns have one slot for each row in vec;
// columns that keep levels have dense values in vec.
type leafRows struct {
	defs, reps []int16
	vec        *vector
}

// read returns rows [from, from+n), which is at or behind the current row.
func (c *columnReader) read(from int64, n int) (*leafRows, error) {
	if err := c.seek(from); err != nil {
		return nil, err
	}
	out := &leafRows{}
	if c.passing && c.plain() {
		out.vec = c.blank(n)
	} else {
		out.vec = newVector(c.leaf.physical, n, c.textPerRow*n+c.textPerRow*n/8)
	}
	out.vec.most = c.most
	if err := c.readInto(out, n); err != nil {
		return nil, err
	}
	c.row = from + int64(n)
	if n > 0 {
		c.textPerRow = len(out.vec.data)/n + 1
	}
	return out, nil
}

func (c *columnReader) readInto(out *leafRows, n int) error {
	switch {
	case c.leaf.rep > 0:
		return c.readRepeated(out, n)
	case c.keep:
		return c.readLevels(out, n)
	}
	return c.readFlat(out.vec, n)
}

// seek moves to a row: over whole pages where their places are known, and
// through the rest.
func (c *columnReader) seek(row int64) error {
	page := sort.Search(len(c.pages), func(i int) bool { return c.pages[i].firstRow > row }) - 1
	if page >= 0 && c.pages[page].firstRow > c.row {
		if c.row == 0 && !c.hasDict {
			c.in.HasNext() // a dictionary that only its place in the chunk gives away
		}
		if err := c.in.SeekToRow(c.pages[page].firstRow); err != nil {
			return err
		}
		c.row, c.rest = c.pages[page].firstRow, nil
	}
	for c.row < row {
		n := int(min(row-c.row, 1<<14))
		if c.leaf.rep > 0 {
			n = min(n, 1<<10)
		}
		passed := &leafRows{}
		if c.plain() {
			passed.vec = c.blank(n)
		} else {
			passed.vec = newVector(c.leaf.physical, n, 0)
		}
		passed.vec.drop = c.leaf.rep == 0 // of a list, values behind the last row are kept
		if err := c.readInto(passed, n); err != nil {
			return err
		}
		c.row += int64(n)
	}
	return nil
}

// some reads up to n levels of one page and appends the values that are present
// to v. It returns the number of levels, which are in c.defs and c.reps, and of
// values; no levels mean that the chunk has ended.
func (c *columnReader) some(v *vector, n int) (levels, values int, err error) {
	if v.width == 0 {
		n = min(n, textChunk)
	}
	defs, reps := c.defs[:0], c.reps[:0]
	if c.leaf.def > 0 {
		defs = sized(&c.defs, n)
	}
	if c.leaf.rep > 0 {
		reps = sized(&c.reps, n)
	}
	for try := 0; levels == 0 && try < 16 && err == nil; try++ { // an empty page looks like the end
		levels, values, err = c.decode(v, n, defs, reps)
	}
	if err != nil || levels == 0 {
		return 0, 0, err
	}
	if values < levels {
		count := 0
		for _, d := range defs[:min(levels, len(defs))] {
			if d == c.leaf.def {
				count++
			} else if d > c.leaf.def || d < 0 {
				return 0, 0, errors.New("a level is out of range")
			}
		}
		if count != values {
			return 0, 0, errShortPage
		}
	}
	return levels, values, nil
}

// decode is some, without a check of what arrow-go delivers.
func (c *columnReader) decode(v *vector, n int, defs, reps []int16) (int, int, error) {
	if c.leaf.def == 0 {
		defs = nil
	}
	if c.leaf.rep == 0 {
		reps = nil
	}
	var levels int64
	var values int
	var err error
	switch in := c.in.(type) {
	case *file.BooleanColumnChunkReader:
		levels, values, err = in.ReadBatchInPage(int64(n), view[bool](v.grow(n)), defs, reps)
		v.shrink(n - values)
	case *file.Int32ColumnChunkReader:
		levels, values, err = in.ReadBatchInPage(int64(n), view[int32](v.grow(n)), defs, reps)
		v.shrink(n - values)
	case *file.Int64ColumnChunkReader:
		levels, values, err = in.ReadBatchInPage(int64(n), view[int64](v.grow(n)), defs, reps)
		v.shrink(n - values)
	case *file.Float32ColumnChunkReader:
		levels, values, err = in.ReadBatchInPage(int64(n), view[float32](v.grow(n)), defs, reps)
		v.shrink(n - values)
	case *file.Float64ColumnChunkReader:
		levels, values, err = in.ReadBatchInPage(int64(n), view[float64](v.grow(n)), defs, reps)
		v.shrink(n - values)
	case *file.Int96ColumnChunkReader:
		buf := sized(&c.int96, n)
		levels, values, err = in.ReadBatchInPage(int64(n), buf, defs, reps)
		out := view[int64](v.grow(values))
		for i := range out {
			out[i] = int96Micros(buf[i])
		}
	case *file.ByteArrayColumnChunkReader:
		buf := sized(&c.texts, n)
		levels, values, err = in.ReadBatchInPage(int64(n), buf, defs, reps)
		if err == nil {
			err = v.addBytes(buf[:values])
		}
	case *file.FixedLenByteArrayColumnChunkReader:
		buf := sized(&c.fixed, n)
		levels, values, err = in.ReadBatchInPage(int64(n), buf, defs, reps)
		if err == nil {
			err = v.addFixed(buf[:values])
		}
	default:
		return 0, 0, fmt.Errorf("a column reader of type %T is not known", in)
	}
	if err == nil && levels == 0 {
		err = c.in.Err()
	}
	return int(levels), values, err
}

// sized is a scratch slice of n values.
func sized[T any](s *[]T, n int) []T {
	if cap(*s) < n {
		*s = make([]T, n)
	}
	return (*s)[:n]
}

// readFlat reads rows of a column without levels above one per row.
func (c *columnReader) readFlat(v *vector, n int) error {
	for n > 0 {
		k, count, err := c.some(v, n)
		if err != nil || k == 0 {
			return orShort(err)
		}
		defs := c.defs
		v.spread(count, k, func(i int) bool { return defs[i] == c.leaf.def })
		n -= k
	}
	return nil
}

// readLevels reads rows of a column inside of a struct, not of a list.
func (c *columnReader) readLevels(out *leafRows, n int) error {
	for n > 0 {
		k, err := c.moreLevels(out, n)
		if err != nil || k == 0 {
			return orShort(err)
		}
		n -= k
	}
	return nil
}

func (c *columnReader) moreLevels(out *leafRows, n int) (int, error) {
	k, _, err := c.some(out.vec, n)
	if err != nil || k == 0 {
		return 0, err
	}
	if c.leaf.def > 0 {
		out.defs = append(out.defs, c.defs[:k]...)
	} else {
		out.defs = append(out.defs, make([]int16, k)...)
	}
	if c.leaf.rep > 0 {
		out.reps = append(out.reps, c.reps[:k]...)
	}
	return k, nil
}

// readRepeated reads whole rows of a column inside of a list. A row may go on
// in the next page, so it ends where the next one begins; what was read of that
// one is kept.
func (c *columnReader) readRepeated(out *leafRows, n int) error {
	const ahead = 1024
	if c.rest != nil {
		out.defs, out.reps = c.rest.defs, c.rest.reps
		if err := out.vec.take(c.rest.vec); err != nil {
			return err
		}
		c.rest = nil
	}
	rows, at := 0, 0
	for {
		for ; at < len(out.reps); at++ {
			switch r := out.reps[at]; {
			case r < 0 || r > c.leaf.rep:
				return errors.New("a level is out of range")
			case r > 0 && rows == 0:
				return errors.New("a row begins in the middle of a list")
			case r == 0 && rows == n:
				c.rest = out.cut(at, c.leaf.def)
				return nil
			case r == 0:
				rows++
			}
		}
		k, err := c.moreLevels(out, max(n-rows, ahead))
		if err != nil {
			return err
		}
		if 4*len(out.defs) > max(c.levels, batchLimit) {
			return errTooMuchText
		}
		if k == 0 {
			if rows < n {
				return errShortPage
			}
			return nil
		}
	}
}

// cut removes the levels from a place on, and their values.
func (l *leafRows) cut(at int, def int16) *leafRows {
	count := 0
	for _, d := range l.defs[at:] {
		if d == def {
			count++
		}
	}
	rest := &leafRows{defs: append([]int16{}, l.defs[at:]...), reps: append([]int16{}, l.reps[at:]...), vec: l.vec.cut(count)}
	l.defs, l.reps = l.defs[:at], l.reps[:at]
	return rest
}

func orShort(err error) error {
	if err == nil {
		return errShortPage
	}
	return err
}

// int96Micros turns the legacy timestamp (nanoseconds of the day and Julian day)
// into microseconds since 1970, over the whole range of dates.
func int96Micros(b parquet.Int96) int64 {
	nanos := int64(binary.LittleEndian.Uint64(b[:]))
	day := int64(binary.LittleEndian.Uint32(b[8:])) - 2_440_588
	return day*86_400_000_000 + floorDiv(nanos, 1000)
}
