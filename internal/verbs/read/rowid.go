package read

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/sluicelake/sluice/internal/rows/scan"
)

// rowIDs are the stable ids of rows: the one that a writer stored with the row,
// else the file's first id and the row's place in the file. A file without a
// first id gives NULL (PROTOCOL.md, Row Tracking).
func (h *hidden) rowIDs(b scan.Batch) arrow.Array {
	return orDefault(h.storedColumn(b, 0), b.Rows, func(i int) (int64, bool) {
		if b.Add.BaseRowID == nil {
			return 0, false
		}
		return *b.Add.BaseRowID + b.Positions[i], true
	})
}

// rowVersions are the versions in which rows were last changed.
func (h *hidden) rowVersions(b scan.Batch) arrow.Array {
	return orDefault(h.storedColumn(b, 1), b.Rows, func(int) (int64, bool) {
		if b.Add.DefaultRowCommitVersion == nil {
			return 0, false
		}
		return *b.Add.DefaultRowCommitVersion, true
	})
}

// storedColumn is a column of ids that writers materialised; nil when files have none.
func (h *hidden) storedColumn(b scan.Batch, which int) *array.Int64 {
	if at := h.base - 2 + which; at < len(b.Columns) {
		a, _ := b.Columns[at].(*array.Int64)
		return a
	}
	return nil
}

func orDefault(stored *array.Int64, n int, def func(i int) (int64, bool)) arrow.Array {
	out := array.NewInt64Builder(memory.DefaultAllocator)
	out.Reserve(n)
	for i := range n {
		if stored != nil && stored.IsValid(i) {
			out.UnsafeAppend(stored.Value(i))
		} else if v, ok := def(i); ok {
			out.UnsafeAppend(v)
		} else {
			out.AppendNull()
		}
	}
	return out.NewArray()
}

func long(values []int64) arrow.Array {
	out := array.NewInt64Builder(memory.DefaultAllocator)
	out.AppendValues(values, nil)
	return out.NewArray()
}

func number(n *int64) any {
	if n == nil {
		return nil
	}
	return *n
}
