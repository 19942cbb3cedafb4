package write

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

func TestCutEndsLargeFilesOnly(t *testing.T) {
	schema := types.NewStruct(types.Field{Name: "id", Type: types.Long})
	w := newTable(t, schema).writer()
	for _, rows := range []int{10, 1000, 5} {
		values := make([]any, rows)
		for i := range values {
			values[i] = int64(i)
		}
		a, err := columns.FromValues(types.Long, values...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]arrow.Array{a}, rows); err != nil {
			t.Fatal(err)
		}
		if err := w.Cut(4096); err != nil {
			t.Fatal(err)
		}
	}
	outs, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	if len(outs) != 2 || outs[0].Rows != 1010 || outs[1].Rows != 5 {
		t.Errorf("%d files", len(outs))
		for _, o := range outs {
			t.Logf("%d rows", o.Rows)
		}
	}
	if err := w.Cut(0); err == nil {
		t.Error("a closed writer can be cut")
	}
}
