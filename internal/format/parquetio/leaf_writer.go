package parquetio

import (
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"

	"github.com/sluicelake/sluice/types"
)

// leafWriter feeds one leaf column to arrow-go and says where its pages end: by
// bytes before encoding or by rows, so that a page index has something to skip.
type leafWriter struct {
	node *node
	opts *WriterOptions
	out  file.ColumnChunkWriter // of the open row group

	rows     int   // of the open page
	raw      int64 // bytes of the open page before encoding, about
	chunkRaw int64 // bytes of the open chunk before encoding, about

	dict  dictMirror
	full  []int16 // definition levels where nothing is NULL
	bools []bool  // scratch
	i32   []int32
	i64   []int64
	fixed []byte
	texts []parquet.ByteArray
}

// allSet are n definition levels of values that are present.
func (l *leafWriter) allSet(n int) []int16 {
	if l.node.def == 0 {
		return nil
	}
	for len(l.full) < n {
		l.full = append(l.full, l.node.def)
	}
	return l.full[:n]
}

// put appends values that are not NULL, with the levels of all slots.
func (l *leafWriter) put(a arrow.Array, defs, reps []int16, rows int) error {
	n := a.Len()
	size := int64(len(defs)+len(reps)) / 8
	var err error
	switch w := l.out.(type) {
	case *file.BooleanColumnChunkWriter:
		var vals []bool
		if vals, err = l.booleans(a); err == nil {
			_, err = w.WriteBatch(vals, defs, reps)
		}
		size += int64(n) / 8
	case *file.Int32ColumnChunkWriter:
		var vals []int32
		if vals, err = integers(a, l.node.typ, &l.i32); err == nil {
			_, err = w.WriteBatch(vals, defs, reps)
		}
		size += int64(n) * 4
	case *file.Int64ColumnChunkWriter:
		var vals []int64
		if vals, err = integers(a, l.node.typ, &l.i64); err == nil {
			_, err = w.WriteBatch(vals, defs, reps)
		}
		size += int64(n) * 8
	case *file.Float32ColumnChunkWriter:
		var vals []float32
		if x, ok := a.(*array.Float32); ok {
			vals = x.Float32Values()
		} else if n > 0 {
			return wrongArray(a, l.node.typ)
		}
		_, err = w.WriteBatch(vals, defs, reps)
		if st, ok := w.PageStatistics().(*metadata.Float32Statistics); ok && hasNaN(vals) {
			st.SetMinMax(float32(math.Inf(1)), float32(math.Inf(1)))
		}
		size += int64(n) * 4
	case *file.Float64ColumnChunkWriter:
		var vals []float64
		if x, ok := a.(*array.Float64); ok {
			vals = x.Float64Values()
		} else if n > 0 {
			return wrongArray(a, l.node.typ)
		}
		_, err = w.WriteBatch(vals, defs, reps)
		if st, ok := w.PageStatistics().(*metadata.Float64Statistics); ok && hasNaN(vals) {
			st.SetMinMax(math.Inf(1), math.Inf(1))
		}
		size += int64(n) * 8
	case *file.FixedLenByteArrayColumnChunkWriter:
		var vals []byte
		if vals, err = l.bigDecimals(a); err == nil {
			_, err = w.WriteBatchArrow(vals, defs, reps)
		}
		size += int64(len(vals))
	case *file.ByteArrayColumnChunkWriter:
		var text int64
		text, err = l.putBytes(w, a, defs, reps)
		size += text
	default:
		err = fmt.Errorf("a column writer of type %T is not known", w)
	}
	l.rows += rows
	l.raw += size
	l.chunkRaw += size
	return err
}

// putBytes writes text and binary: straight from Arrow's buffers, or value by
// value while arrow-go tries a dictionary.
func (l *leafWriter) putBytes(w *file.ByteArrayColumnChunkWriter, a arrow.Array, defs, reps []int16) (int64, error) {
	var ends []int32
	var data []byte
	n := a.Len()
	if n > 0 {
		switch x := a.(type) {
		case *array.String:
			ends = x.ValueOffsets()
		case *array.Binary:
			ends = x.ValueOffsets()
		default:
			return 0, wrongArray(a, l.node.typ)
		}
		if buf := a.Data().Buffers()[2]; buf != nil {
			data = buf.Bytes()
		}
	}
	size := int64(0)
	if n > 0 {
		size = int64(ends[n]-ends[0]) + int64(n)*4
	}
	if w.SupportsArrowOffsets() && n > 0 {
		_, err := w.WriteBatchArrow(data, ends[:n+1], defs, reps)
		return size, err
	}
	// From the second page on: during the first one arrow-go may still give the
	// dictionary up, and counts only values that it has seen itself.
	if n > 0 && len(defs) <= n && len(reps) == 0 && l.dict.pages > 0 && l.dict.find(data, ends, n) {
		return size, l.dict.write(w, defs)
	}
	l.texts = l.texts[:0]
	for i := range n {
		l.texts = append(l.texts, data[ends[i]:ends[i+1]:ends[i+1]])
	}
	_, err := w.WriteBatch(l.texts, defs, reps)
	if err == nil {
		l.dict.follow(w, l.texts)
	}
	return size, err
}

// maybeEndPage ends the page when it is large enough. arrow-go never does so by
// itself, because it has no limit of rows.
func (l *leafWriter) maybeEndPage() error {
	if l.rows == 0 || l.rows < l.opts.PageRows && l.raw < int64(l.opts.PageBytes) {
		return nil
	}
	l.rows, l.raw = 0, 0
	l.dict.pages++
	return l.out.(interface{ FlushCurrentPage() error }).FlushCurrentPage()
}

// start begins a column chunk.
func (l *leafWriter) start(out file.ColumnChunkWriter) {
	l.out, l.rows, l.raw, l.chunkRaw = out, 0, 0, 0
	l.dict.reset()
}

// size is about what the open chunk takes in the file.
func (l *leafWriter) size() int64 {
	if l.out == nil {
		return 0
	}
	return l.out.TotalCompressedBytes() + l.raw/2
}

// hasNaN: arrow-go leaves NaN out of the bounds, as the format advises. Spark
// orders NaN above every number and may trust an upper bound that does not say
// so, so a page with NaN gets infinity as its upper bound.
func hasNaN[T float32 | float64](vals []T) bool {
	for _, v := range vals {
		if v != v {
			return true
		}
	}
	return false
}

func wrongArray(a arrow.Array, t types.Type) error {
	return fmt.Errorf("an array of Arrow type %s was given for a column of type %s", a.DataType(), t)
}
