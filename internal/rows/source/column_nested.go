package source

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// listColumn holds arrays.
type listColumn struct {
	dt    arrow.DataType
	off   offsets
	el    column
	valid validity
}

func (c *listColumn) size() int { return c.valid.n }

func (c *listColumn) null() {
	c.off = append(c.off, c.off.last())
	c.valid.push(false)
}

func (c *listColumn) truncate(n int) {
	c.off = c.off[:n+1]
	c.el.truncate(int(c.off[n]))
	c.valid.truncate(n)
}

func (c *listColumn) json(l *lexer) error {
	if isNull, err := l.null(); err != nil || isNull {
		if isNull {
			c.null()
		}
		return err
	}
	if l.b[l.i] != '[' {
		return l.misfit("ARRAY")
	}
	err := l.array(func() error {
		i := c.el.size() - int(c.off.last())
		return under(index(i), c.el.json(l))
	})
	if err != nil {
		return err
	}
	c.off = append(c.off, int32(c.el.size()))
	c.valid.push(true)
	return nil
}

func (c *listColumn) text(s []byte) error { return textMisfit(s, "ARRAY") }

func (c *listColumn) finish() arrow.ArrayData {
	d := array.NewData(c.dt, c.valid.n, []*memory.Buffer{c.valid.buffer(), c.off.buffer()}, []arrow.ArrayData{c.el.finish()}, c.valid.nulls, 0)
	c.off, c.valid = newOffsets(c.valid.n), validity{}
	return d
}

// mapColumn holds objects whose keys are data. A key that is there twice keeps
// its last value.
type mapColumn struct {
	dt    *arrow.MapType
	off   offsets
	keys  *textColumn
	vals  column
	valid validity
}

func (c *mapColumn) size() int { return c.valid.n }

func (c *mapColumn) null() {
	c.off = append(c.off, c.off.last())
	c.valid.push(false)
}

func (c *mapColumn) truncate(n int) {
	c.off = c.off[:n+1]
	c.keys.truncate(int(c.off[n]))
	c.vals.truncate(int(c.off[n]))
	c.valid.truncate(n)
}

func (c *mapColumn) json(l *lexer) error {
	if isNull, err := l.null(); err != nil || isNull {
		if isNull {
			c.null()
		}
		return err
	}
	if l.b[l.i] != '{' {
		return l.misfit("MAP")
	}
	start := int(c.off.last())
	err := l.object(func(key []byte) error {
		at := l.i
		for i := start; i < c.keys.size(); i++ {
			if string(c.keys.data[c.keys.off[i]:c.keys.off[i+1]]) == string(key) {
				return &valueError{msg: "the key " + quoted(key) + " is there twice", at: at}
			}
		}
		if c.keys.put(key) {
			return &valueError{msg: tooMuch, at: at}
		}
		name := c.keys.size() - 1
		if err := c.vals.json(l); err != nil {
			return under("["+quoted(c.keys.data[c.keys.off[name]:c.keys.off[name+1]])+"]", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.off = append(c.off, int32(c.vals.size()))
	c.valid.push(true)
	return nil
}

func (c *mapColumn) text(s []byte) error { return textMisfit(s, "MAP") }

func (c *mapColumn) finish() arrow.ArrayData {
	n := c.keys.size()
	entries := array.NewData(c.dt.Elem(), n, []*memory.Buffer{nil}, []arrow.ArrayData{c.keys.finish(), c.vals.finish()}, 0, 0)
	d := array.NewData(c.dt, c.valid.n, []*memory.Buffer{c.valid.buffer(), c.off.buffer()}, []arrow.ArrayData{entries}, c.valid.nulls, 0)
	c.off, c.valid = newOffsets(c.valid.n), validity{}
	return d
}

// structColumn holds objects whose keys are fields.
type structColumn struct {
	dt     arrow.DataType
	fields *fields
	valid  validity
}

func (c *structColumn) size() int { return c.valid.n }

func (c *structColumn) null() {
	for _, f := range c.fields.cols {
		f.null()
	}
	c.valid.push(false)
}

func (c *structColumn) truncate(n int) {
	for _, f := range c.fields.cols {
		f.truncate(n)
	}
	c.valid.truncate(n)
}

func (c *structColumn) json(l *lexer) error {
	if isNull, err := l.null(); err != nil || isNull {
		if isNull {
			c.null()
		}
		return err
	}
	if l.b[l.i] != '{' {
		return l.misfit("STRUCT")
	}
	row := c.valid.n
	err := l.object(func(key []byte) error {
		i := c.fields.place(key, row)
		if i < 0 {
			return l.skip()
		}
		return under(c.fields.names[i], c.fields.cols[i].json(l))
	})
	if err != nil {
		return err
	}
	c.fields.complete(row)
	c.valid.push(true)
	return nil
}

func (c *structColumn) text(s []byte) error { return textMisfit(s, "STRUCT") }

func (c *structColumn) finish() arrow.ArrayData {
	children := make([]arrow.ArrayData, len(c.fields.cols))
	for i, f := range c.fields.cols {
		children[i] = f.finish()
	}
	d := array.NewData(c.dt, c.valid.n, []*memory.Buffer{c.valid.buffer()}, children, c.valid.nulls, 0)
	c.valid = validity{}
	return d
}
