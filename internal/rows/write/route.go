package write

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/format/partition"
	"github.com/sluicelake/sluice/types"
)

// router finds the partition of each row. Partitions are numbered as they come
// and keep their number for the life of the writer.
type router struct {
	columns []partitionCoder
	pairs   []map[[2]int32]int32 // one for each column behind the first
	numbers [][]int32            // by partition: the code of each column
}

// partitionCoder numbers the values of one partition column by their text.
type partitionCoder struct {
	column  partitionColumn
	codes   map[string]int32
	texts   []*string // by code; nil is NULL
	ints    map[int64]int32
	strings map[string]int32 // values, which may differ from their text
	null    int32
}

func newRouter(list []partitionColumn) *router {
	r := &router{columns: make([]partitionCoder, len(list)), pairs: make([]map[[2]int32]int32, len(list))}
	for i, c := range list {
		r.columns[i] = partitionCoder{column: c, codes: map[string]int32{}, ints: map[int64]int32{}, strings: map[string]int32{}, null: -1}
		r.pairs[i] = map[[2]int32]int32{}
	}
	return r
}

// route returns the partition of each row.
func (r *router) route(cols []arrow.Array, rows int) ([]int32, error) {
	out := make([]int32, rows)
	for i := range r.columns {
		c := &r.columns[i]
		codes := make([]int32, rows)
		if err := c.encode(cols[c.column.ordinal], codes); err != nil {
			return nil, fmt.Errorf("partition column %s: %w", types.QuoteIdentifier(c.column.logical), err)
		}
		last, lastNumber := [2]int32{-1, -1}, int32(-1)
		for row, code := range codes {
			key := [2]int32{out[row], code}
			if key != last {
				last, lastNumber = key, r.number(i, key)
			}
			out[row] = lastNumber
		}
	}
	return out, nil
}

// number is the number of a combination of the columns up to i: key holds the
// number of the columns before it and the code of this one.
func (r *router) number(i int, key [2]int32) int32 {
	n, ok := r.pairs[i][key]
	if ok {
		return n
	}
	n = int32(len(r.pairs[i]))
	r.pairs[i][key] = n
	if i == len(r.columns)-1 {
		codes := make([]int32, len(r.columns))
		for at := i; at >= 0; at-- {
			codes[at] = key[1]
			if at > 0 {
				key = r.before(at-1, key[0])
			}
		}
		r.numbers = append(r.numbers, codes)
	}
	return n
}

// before finds the combination with a number; it runs once for each partition.
func (r *router) before(i int, number int32) [2]int32 {
	for key, n := range r.pairs[i] {
		if n == number {
			return key
		}
	}
	return [2]int32{}
}

// values and folder describe a partition.
func (r *router) describe(number int32) (action.PartitionValues, string) {
	values := make(action.PartitionValues, len(r.columns))
	var folders []string
	for i, code := range r.numbers[number] {
		c := &r.columns[i]
		text := c.texts[code]
		values[c.column.physical] = text
		if text == nil {
			folders = append(folders, partition.Folder(c.column.logical, "", true))
		} else {
			folders = append(folders, partition.Folder(c.column.logical, *text, false))
		}
	}
	return values, strings.Join(folders, "/")
}

// encode numbers the values of a column.
func (c *partitionCoder) encode(a arrow.Array, codes []int32) error {
	switch x := a.(type) {
	case *array.Int8:
		return encodeInts(c, a, x.Int8Values(), codes)
	case *array.Int16:
		return encodeInts(c, a, x.Int16Values(), codes)
	case *array.Int32:
		return encodeInts(c, a, x.Int32Values(), codes)
	case *array.Int64:
		return encodeInts(c, a, x.Int64Values(), codes)
	case *array.Date32:
		return encodeInts(c, a, x.Date32Values(), codes)
	case *array.Timestamp:
		return encodeInts(c, a, x.TimestampValues(), codes)
	case *array.String:
		for i := range codes {
			if x.IsNull(i) {
				codes[i] = c.nullCode()
				continue
			}
			v := x.Value(i)
			code, ok := c.strings[v]
			if !ok {
				var err error
				if code, err = c.code(v); err != nil {
					return err
				}
				c.strings[strings.Clone(v)] = code
			}
			codes[i] = code
		}
		return nil
	}
	for i := range codes {
		if columns.IsNull(a, i) {
			codes[i] = c.nullCode()
			continue
		}
		code, err := c.code(columns.Value(a, i))
		if err != nil {
			return err
		}
		codes[i] = code
	}
	return nil
}

func encodeInts[T ~int8 | ~int16 | ~int32 | ~int64](c *partitionCoder, a arrow.Array, vals []T, codes []int32) error {
	for i := range codes {
		if a.IsNull(i) {
			codes[i] = c.nullCode()
			continue
		}
		v := int64(vals[i])
		if i > 0 && vals[i] == vals[i-1] && a.IsValid(i-1) {
			codes[i] = codes[i-1]
			continue
		}
		code, ok := c.ints[v]
		if !ok {
			var err error
			if code, err = c.code(v); err != nil {
				return err
			}
			c.ints[v] = code
		}
		codes[i] = code
	}
	return nil
}

func (c *partitionCoder) nullCode() int32 {
	if c.null < 0 {
		c.null = int32(len(c.texts))
		c.texts = append(c.texts, nil)
	}
	return c.null
}

// code is the number of a value: values with the same text are one partition.
func (c *partitionCoder) code(v any) (int32, error) {
	text, null, err := partition.Format(v, c.column.t)
	if err != nil {
		return 0, err
	}
	if null {
		return c.nullCode(), nil
	}
	code, ok := c.codes[text]
	if !ok {
		text = strings.Clone(text)
		code = int32(len(c.texts))
		c.texts = append(c.texts, &text)
		c.codes[text] = code
	}
	return code, nil
}
