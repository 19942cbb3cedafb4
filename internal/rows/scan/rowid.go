package scan

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// RowIDs are the stable ids of a batch's rows, which has to have positions: the
// one that a writer stored with the row (stored, nil when files have no such
// column), else the file's first id and the row's place in the file. Rows of a
// file without a first id have none (PROTOCOL.md, Row Tracking).
func RowIDs(b Batch, stored arrow.Array) arrow.Array {
	return storedOr(stored, b.Rows, func(i int) (int64, bool) {
		if b.Add.BaseRowID == nil {
			return 0, false
		}
		return *b.Add.BaseRowID + b.Positions[i], true
	})
}

// RowVersions are the versions in which the rows were last changed.
func RowVersions(b Batch, stored arrow.Array) arrow.Array {
	return storedOr(stored, b.Rows, func(int) (int64, bool) {
		if b.Add.DefaultRowCommitVersion == nil {
			return 0, false
		}
		return *b.Add.DefaultRowCommitVersion, true
	})
}

func storedOr(stored arrow.Array, n int, otherwise func(i int) (int64, bool)) arrow.Array {
	have, _ := stored.(*array.Int64)
	out := array.NewInt64Builder(memory.DefaultAllocator)
	out.Reserve(n)
	for i := range n {
		if have != nil && have.IsValid(i) {
			out.UnsafeAppend(have.Value(i))
		} else if v, ok := otherwise(i); ok {
			out.UnsafeAppend(v)
		} else {
			out.AppendNull()
		}
	}
	return out.NewArray()
}
