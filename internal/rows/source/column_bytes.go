package source

import (
	"encoding/base64"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/variant"
)

// bytesColumn holds strings or byte strings one after the other.
type bytesColumn struct {
	dt    arrow.DataType
	off   offsets
	data  []byte
	valid validity
}

func (c *bytesColumn) size() int { return c.valid.n }

func (c *bytesColumn) null() {
	c.off = append(c.off, c.off.last())
	c.valid.push(false)
}

func (c *bytesColumn) truncate(n int) {
	c.off = c.off[:n+1]
	c.data = c.data[:c.off[n]]
	c.valid.truncate(n)
}

// put appends a value; full reports that an Arrow array cannot hold more.
func (c *bytesColumn) put(s []byte) (full bool) {
	if len(c.data)+len(s) > math.MaxInt32 {
		return true
	}
	c.data = append(c.data, s...)
	c.off = append(c.off, int32(len(c.data)))
	c.valid.push(true)
	return false
}

func (c *bytesColumn) finish() arrow.ArrayData {
	d := array.NewData(c.dt, c.valid.n, []*memory.Buffer{c.valid.buffer(), c.off.buffer(), memory.NewBufferBytes(c.data)}, nil, c.valid.nulls, 0)
	c.off, c.data, c.valid = newOffsets(c.valid.n), make([]byte, 0, len(c.data)), validity{}
	return d
}

const tooMuch = "one batch would hold more than 2 GiB of this column"

// textColumn takes strings as they are. A JSON value of another type gives its
// text, as Spark's reader does.
type textColumn struct{ bytesColumn }

func newText() *textColumn {
	return &textColumn{bytesColumn{dt: arrow.BinaryTypes.String, off: newOffsets(0)}}
}

func (c *textColumn) json(l *lexer) error {
	b, err := l.peek()
	if err != nil {
		return err
	}
	var s []byte
	start := l.i
	switch b {
	case '"':
		s, err = l.str()
	case 'n':
		if err := l.word("null"); err != nil {
			return err
		}
		c.null()
		return nil
	default:
		if err = l.skip(); err == nil {
			s = l.b[start:l.i]
		}
	}
	if err != nil {
		return err
	}
	if c.put(s) {
		return &valueError{msg: tooMuch, at: start}
	}
	return nil
}

func (c *textColumn) text(s []byte) error {
	if c.put(s) {
		return &valueError{msg: tooMuch}
	}
	return nil
}

// base64Column takes byte strings as base64 text.
type base64Column struct {
	bytesColumn
	scratch []byte
}

func newBase64() *base64Column {
	return &base64Column{bytesColumn: bytesColumn{dt: arrow.BinaryTypes.Binary, off: newOffsets(0)}}
}

func (c *base64Column) json(l *lexer) error {
	b, err := l.peek()
	if err != nil {
		return err
	}
	switch b {
	case 'n':
		if err := l.word("null"); err != nil {
			return err
		}
		c.null()
		return nil
	case '"':
		at := l.i
		s, err := l.str()
		if err != nil {
			return err
		}
		if err := c.text(s); err != nil {
			return &valueError{msg: err.Error(), at: at}
		}
		return nil
	}
	return l.misfit("BINARY (base64 in a string)")
}

func (c *base64Column) text(s []byte) error {
	var err error
	if c.scratch, err = base64.StdEncoding.AppendDecode(c.scratch[:0], s); err != nil {
		if c.scratch, err = base64.RawStdEncoding.AppendDecode(c.scratch[:0], s); err != nil {
			return textMisfit(s, "BINARY (base64)")
		}
	}
	if c.put(c.scratch) {
		return &valueError{msg: tooMuch}
	}
	return nil
}

// variantColumn takes any JSON value.
type variantColumn struct {
	dt         arrow.DataType
	meta, vals bytesColumn
	valid      validity
}

func newVariant(dt arrow.DataType) *variantColumn {
	b := func() bytesColumn { return bytesColumn{dt: arrow.BinaryTypes.Binary, off: newOffsets(0)} }
	return &variantColumn{dt: dt, meta: b(), vals: b()}
}

func (c *variantColumn) size() int { return c.valid.n }

func (c *variantColumn) null() {
	c.meta.put(nil)
	c.vals.put(nil)
	c.valid.push(false)
}

func (c *variantColumn) truncate(n int) {
	c.meta.truncate(n)
	c.vals.truncate(n)
	c.valid.truncate(n)
}

func (c *variantColumn) json(l *lexer) error {
	if err := l.space(); err != nil {
		return err
	}
	start := l.i
	if err := l.skip(); err != nil {
		return err
	}
	if err := c.text(l.b[start:l.i]); err != nil {
		return &valueError{msg: err.Error(), at: start}
	}
	return nil
}

func (c *variantColumn) text(s []byte) error {
	v, err := variant.ParseJSONBytes(s, false)
	if err != nil {
		return &valueError{msg: "it cannot be a VARIANT: " + err.Error()}
	}
	if c.meta.put(v.Metadata().Bytes()) || c.vals.put(v.Bytes()) {
		return &valueError{msg: tooMuch}
	}
	c.valid.push(true)
	return nil
}

func (c *variantColumn) finish() arrow.ArrayData {
	n := c.valid.n
	d := array.NewData(c.dt, n, []*memory.Buffer{c.valid.buffer()}, []arrow.ArrayData{c.meta.finish(), c.vals.finish()}, c.valid.nulls, 0)
	c.valid = validity{}
	return d
}
