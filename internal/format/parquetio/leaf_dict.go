package parquetio

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
)

// dictMirror knows the dictionary that arrow-go builds of a column of few
// values, so that rows whose values are all in it can be written as indices:
// arrow-go needs an allocation and two look-ups for each value otherwise. It
// follows arrow-go, which numbers values as they first appear, and gives up
// when the two do not have the same number of entries.
type dictMirror struct {
	index   map[string]int32
	values  []parquet.ByteArray
	pages   int   // that were finished in the chunk
	marks   []int // the last page for which a value has been counted in the bounds
	rows    []int32
	touched []parquet.ByteArray
	off     bool
}

// mirrorEntries is how many values a mirror follows.
const mirrorEntries = 1 << 12

// reset starts a new chunk.
func (d *dictMirror) reset() { *d = dictMirror{rows: d.rows} }

// find looks n values up; false when one is missing.
func (d *dictMirror) find(data []byte, ends []int32, n int) bool {
	if d.off || len(d.values) == 0 {
		return false
	}
	d.rows, d.touched = d.rows[:0], d.touched[:0]
	for i := range n {
		at, ok := d.index[string(data[ends[i]:ends[i+1]])]
		if !ok {
			return false
		}
		d.rows = append(d.rows, at)
	}
	for _, at := range d.rows {
		if d.marks[at] != d.pages {
			d.marks[at] = d.pages
			d.touched = append(d.touched, d.values[at])
		}
	}
	return true
}

// write writes the rows of the last find, none of which is NULL.
func (d *dictMirror) write(w *file.ByteArrayColumnChunkWriter, defs []int16) error {
	rows := array.NewData(arrow.PrimitiveTypes.Int32, len(d.rows), []*memory.Buffer{nil, memory.NewBufferBytes(bytesOf(d.rows))}, nil, 0, 0)
	if err := w.WriteDictIndices(array.NewInt32Data(rows), defs, nil); err != nil {
		return err
	}
	if st, ok := w.PageStatistics().(*metadata.ByteArrayStatistics); ok {
		st.Update(d.touched, 0)
	}
	return nil
}

// follow learns values that were written one by one.
func (d *dictMirror) follow(w *file.ByteArrayColumnChunkWriter, vals []parquet.ByteArray) {
	if d.off {
		return
	}
	if d.index == nil {
		d.index = map[string]int32{}
	}
	for _, v := range vals {
		if _, ok := d.index[string(v)]; !ok {
			d.index[string(v)] = int32(len(d.values))
			d.values = append(d.values, append(parquet.ByteArray{}, v...))
			d.marks = append(d.marks, -1)
		}
		if len(d.values) > mirrorEntries {
			break
		}
	}
	theirs, ok := w.CurrentEncoder().(interface{ NumEntries() int })
	d.off = !ok || len(d.values) != theirs.NumEntries()
}
