package checkpoint

import (
	"fmt"
	"net/url"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/action"
)

// texts is a column of strings in whatever layout the writer chose.
type texts interface {
	IsNull(i int) bool
	IsValid(i int) bool
	Value(i int) string
}

func asTexts(a arrow.Array) (texts, error) {
	switch x := a.(type) {
	case nil:
		return nil, nil
	case *array.String:
		return x, nil
	case *array.LargeString:
		return x, nil
	case *array.Binary:
		return binaryTexts{x}, nil
	case *array.Dictionary:
		inner, err := asTexts(x.Dictionary())
		return dictionaryTexts{x, inner}, err
	case *array.Null:
		return nil, nil
	}
	return nil, fmt.Errorf("a column of type %s where texts belong", a.DataType())
}

type binaryTexts struct{ *array.Binary }

func (b binaryTexts) Value(i int) string { return b.Binary.ValueString(i) }

type dictionaryTexts struct {
	*array.Dictionary
	values texts
}

func (d dictionaryTexts) Value(i int) string { return d.values.Value(d.GetValueIndex(i)) }

// ints is a column of integers.
type ints interface {
	IsValid(i int) bool
	at(i int) int64
}

type int64s struct{ *array.Int64 }

func (a int64s) at(i int) int64 { return a.Value(i) }

type int32s struct{ *array.Int32 }

func (a int32s) at(i int) int64 { return int64(a.Value(i)) }

func asInts(a arrow.Array) (ints, error) {
	switch x := a.(type) {
	case nil, *array.Null:
		return nil, nil
	case *array.Int64:
		return int64s{x}, nil
	case *array.Int32:
		return int32s{x}, nil
	}
	return nil, fmt.Errorf("a column of type %s where integers belong", a.DataType())
}

// mapColumn is a column of maps from text to text.
type mapColumn struct {
	*array.Map
	keys, values texts
}

func asMap(a arrow.Array) (*mapColumn, error) {
	switch x := a.(type) {
	case nil, *array.Null:
		return nil, nil
	case *array.Map:
		keys, err := asTexts(x.Keys())
		if err != nil {
			return nil, err
		}
		values, err := asTexts(x.Items())
		return &mapColumn{x, keys, values}, err
	}
	return nil, fmt.Errorf("a column of type %s where maps belong", a.DataType())
}

func (m *mapColumn) appendJSON(dst []byte, i int) []byte {
	from, to := m.ValueOffsets(i)
	dst = append(dst, '{')
	for k := from; k < to; k++ {
		if k > from {
			dst = append(dst, ',')
		}
		dst = append(action.AppendQuoted(dst, m.keys.Value(int(k))), ':')
		if m.values == nil || m.values.IsNull(int(k)) {
			dst = append(dst, "null"...)
		} else {
			dst = action.AppendQuoted(dst, m.values.Value(int(k)))
		}
	}
	return append(dst, '}')
}

// plain gives an Arrow string to the scanner's form without a copy: it is read
// during the callback only.
func plain(s string) action.Text {
	return action.Plain(unsafe.Slice(unsafe.StringData(s), len(s)))
}

func unescape(path string) (string, error) { return url.PathUnescape(path) }
