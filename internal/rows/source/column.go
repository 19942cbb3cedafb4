package source

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// column collects values of one type and can take back the last ones, so that a
// record that turns out to be bad leaves no trace.
type column interface {
	size() int
	null()
	// truncate removes the values from n on, and what a failed json left behind.
	truncate(n int)
	// json appends the JSON value at the lexer. After an error the column
	// must be truncated.
	json(l *lexer) error
	// text appends a value from its text in a CSV file.
	text(s []byte) error
	// finish hands out the values and starts anew.
	finish() arrow.ArrayData
}

func newColumn(t types.Type, c *convert) (column, error) {
	dt, err := columns.ArrowType(t)
	if err != nil {
		return nil, err
	}
	switch x := t.(type) {
	case types.Primitive:
		switch x {
		case types.Boolean:
			return &boolColumn{}, nil
		case types.Byte:
			return newFixed(dt, integer[int8](t)), nil
		case types.Short:
			return newFixed(dt, integer[int16](t)), nil
		case types.Integer:
			return newFixed(dt, integer[int32](t)), nil
		case types.Long:
			return newFixed(dt, integer[int64](t)), nil
		case types.Float:
			return newFixed(dt, floating[float32](32)), nil
		case types.Double:
			return newFixed(dt, floating[float64](64)), nil
		case types.Date:
			return newFixed(dt, dates), nil
		case types.Timestamp:
			return newFixed(dt, c.timestamps()), nil
		case types.TimestampNTZ:
			return newFixed(dt, timestampsNTZ), nil
		case types.String:
			return newText(), nil
		case types.Binary:
			return newBase64(), nil
		case types.Void:
			return &voidColumn{}, nil
		case types.Variant:
			return newVariant(dt), nil
		}
	case types.Decimal:
		return newFixed(dt, decimals(x)), nil
	case *types.Array:
		el, err := newColumn(x.Element, c)
		if err != nil {
			return nil, err
		}
		return &listColumn{dt: dt, off: newOffsets(0), el: el}, nil
	case *types.Map:
		if x.Key.Kind() != types.KindString {
			return nil, fmt.Errorf("type %s: the keys of a JSON object are strings", t)
		}
		v, err := newColumn(x.Value, c)
		if err != nil {
			return nil, err
		}
		return &mapColumn{dt: dt.(*arrow.MapType), off: newOffsets(0), keys: newText(), vals: v}, nil
	case *types.Struct:
		fields, err := newFields(x, c)
		if err != nil {
			return nil, err
		}
		return &structColumn{dt: dt, fields: fields}, nil
	}
	return nil, fmt.Errorf("type %s cannot be read from text", t)
}

// codec reads values of a fixed size.
type codec[T any] struct {
	json func(l *lexer) (T, error)
	text func(s []byte) (T, error)
}

// fixedColumn holds values of a fixed size.
type fixedColumn[T arrow.FixedWidthType] struct {
	dt    arrow.DataType
	codec codec[T]
	vals  []T
	valid validity
}

func newFixed[T arrow.FixedWidthType](dt arrow.DataType, c codec[T]) *fixedColumn[T] {
	return &fixedColumn[T]{dt: dt, codec: c}
}

func (c *fixedColumn[T]) size() int { return len(c.vals) }

func (c *fixedColumn[T]) null() {
	var zero T
	c.vals = append(c.vals, zero)
	c.valid.push(false)
}

func (c *fixedColumn[T]) truncate(n int) {
	c.vals = c.vals[:n]
	c.valid.truncate(n)
}

func (c *fixedColumn[T]) json(l *lexer) error {
	if isNull, err := l.null(); err != nil || isNull {
		if isNull {
			c.null()
		}
		return err
	}
	v, err := c.codec.json(l)
	if err != nil {
		return err
	}
	c.vals = append(c.vals, v)
	c.valid.push(true)
	return nil
}

func (c *fixedColumn[T]) text(s []byte) error {
	v, err := c.codec.text(s)
	if err != nil {
		return err
	}
	c.vals = append(c.vals, v)
	c.valid.push(true)
	return nil
}

func (c *fixedColumn[T]) finish() arrow.ArrayData {
	d := array.NewData(c.dt, len(c.vals), []*memory.Buffer{c.valid.buffer(), memory.NewBufferBytes(arrow.GetBytes(c.vals))}, nil, c.valid.nulls, 0)
	c.vals, c.valid = make([]T, 0, len(c.vals)), validity{}
	return d
}

// boolColumn holds booleans as bits.
type boolColumn struct{ vals, valid validity }

func (c *boolColumn) size() int      { return c.valid.n }
func (c *boolColumn) null()          { c.vals.push(false); c.valid.push(false) }
func (c *boolColumn) truncate(n int) { c.vals.truncate(n); c.valid.truncate(n) }

func (c *boolColumn) json(l *lexer) error {
	switch b, err := l.peek(); {
	case err != nil:
		return err
	case b == 't', b == 'f':
		word := "true"
		if b == 'f' {
			word = "false"
		}
		if err := l.word(word); err != nil {
			return err
		}
		c.vals.push(b == 't')
		c.valid.push(true)
		return nil
	case b == 'n':
		if err := l.word("null"); err != nil {
			return err
		}
		c.null()
		return nil
	}
	return l.misfit("BOOLEAN")
}

func (c *boolColumn) text(s []byte) error {
	switch {
	case equalFold(s, "true"):
		c.vals.push(true)
	case equalFold(s, "false"):
		c.vals.push(false)
	default:
		return textMisfit(s, "BOOLEAN")
	}
	c.valid.push(true)
	return nil
}

func (c *boolColumn) finish() arrow.ArrayData {
	d := array.NewData(arrow.FixedWidthTypes.Boolean, c.valid.n, []*memory.Buffer{c.valid.buffer(), memory.NewBufferBytes(c.vals.bits)}, nil, c.valid.nulls, 0)
	*c = boolColumn{}
	return d
}

// voidColumn is the column of a type that has only NULL.
type voidColumn struct{ n int }

func (c *voidColumn) size() int         { return c.n }
func (c *voidColumn) null()             { c.n++ }
func (c *voidColumn) truncate(n int)    { c.n = n }
func (c *voidColumn) text([]byte) error { c.n++; return nil }
func (c *voidColumn) json(l *lexer) error {
	c.n++
	return l.skip()
}

func (c *voidColumn) finish() arrow.ArrayData {
	d := array.NewData(arrow.Null, c.n, []*memory.Buffer{nil}, nil, c.n, 0)
	c.n = 0
	return d
}
