package read

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/sluicelake/sluice/internal/rows/scan"
)

// rowIDs are the stable ids of rows.
func (h *hidden) rowIDs(b scan.Batch) arrow.Array { return scan.RowIDs(b, h.storedColumn(b, 0)) }

// rowVersions are the versions in which rows were last changed.
func (h *hidden) rowVersions(b scan.Batch) arrow.Array {
	return scan.RowVersions(b, h.storedColumn(b, 1))
}

// storedColumn is a column of ids that writers materialised; nil when files have none.
func (h *hidden) storedColumn(b scan.Batch, which int) arrow.Array {
	if at := h.base - 2 + which; at < len(b.Columns) {
		return b.Columns[at]
	}
	return nil
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
