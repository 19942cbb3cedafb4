package cluster

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/sluicelake/sluice/internal/logic/curve"
	"github.com/sluicelake/sluice/types"
)

// keyColumn is a column of the curve: a top-level column, or a field inside of it.
type keyColumn struct {
	ordinal int
	steps   []int // members of structs
	t       types.Type
}

func keyColumns(s *types.Struct, by [][]string) (out []keyColumn, err error) {
	for _, path := range by {
		k := keyColumn{ordinal: -1, t: s}
		for _, name := range path {
			at, ok := k.t.(*types.Struct)
			if !ok || at.Index(name) < 0 {
				return nil, fmt.Errorf("there is no column %s to sort rows by; the table has %s", strings.Join(path, "."), strings.Join(s.Names(), ", "))
			}
			i := at.Index(name)
			if k.ordinal < 0 {
				k.ordinal = i
			} else {
				k.steps = append(k.steps, i)
			}
			k.t = at.Fields[i].Type
		}
		if !curve.Ordered(k.t) {
			return nil, fmt.Errorf("rows cannot be sorted by column %s: values of type %s have no order", strings.Join(path, "."), k.t)
		}
		out = append(out, k)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("there is no column to sort rows by")
	}
	return out, nil
}

// ordinals are the top-level columns that the keys come from.
func (t *task) ordinals() (out []int) {
	for _, k := range t.by {
		if !slices.Contains(out, k.ordinal) {
			out = append(out, k.ordinal)
		}
	}
	slices.Sort(out)
	return out
}

// keys picks the columns of the curve.
func (t *task) keys(cols []arrow.Array) []arrow.Array {
	out := make([]arrow.Array, len(t.by))
	for i, k := range t.by {
		a := cols[k.ordinal]
		for _, step := range k.steps {
			a = member(a.(*array.Struct), step)
		}
		out[i] = a
	}
	return out
}

// member is a field of structs: NULL where the struct is.
func member(s *array.Struct, i int) arrow.Array {
	a := s.Field(i)
	if s.NullN() == 0 {
		return a
	}
	valid := make([]byte, bitutil.BytesForBits(int64(a.Data().Offset()+a.Len())))
	nulls := 0
	for row := range a.Len() {
		if s.IsValid(row) && a.IsValid(row) {
			bitutil.SetBit(valid, a.Data().Offset()+row)
		} else {
			nulls++
		}
	}
	d := a.Data()
	bufs := slices.Clone(d.Buffers())
	bufs[0] = memory.NewBufferBytes(valid)
	return array.MakeFromData(array.NewData(d.DataType(), d.Len(), bufs, d.Children(), nulls, d.Offset()))
}
