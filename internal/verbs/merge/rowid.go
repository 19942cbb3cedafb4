package merge

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/sluicelake/sluice/internal/rows/scan"
)

// rowIDs are the stable ids of a batch's rows: the stored one, else the file's
// first id and the row's place in the file (PROTOCOL.md, Row Tracking).
func (x *Exec) rowIDs(b scan.Batch) arrow.Array {
	return storedOr(b.Columns[x.p.nt], b.Rows, func(i int) (int64, bool) {
		if b.Add.BaseRowID == nil {
			return 0, false
		}
		return *b.Add.BaseRowID + b.Positions[i], true
	})
}

// rowVersions are the versions in which the rows were last changed.
func (x *Exec) rowVersions(b scan.Batch) arrow.Array {
	return storedOr(b.Columns[x.p.nt+1], b.Rows, func(int) (int64, bool) {
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
