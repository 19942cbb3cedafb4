package checkpoint

import (
	"bytes"
	"context"
	"errors"
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/sluicelake/sluice/internal/base/columns"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/storage"
)

// TestRowsWithoutBytes: a small file that claims a great many rows is refused
// before they are counted.
func TestRowsWithoutBytes(t *testing.T) {
	ctx := context.Background()
	var out bytes.Buffer
	rows, err := writeParquet(ctx, &out, topSchema(), &State{}, func(p *parquetWriter) error {
		for range 3 << 19 / batchRows {
			var cols []arrow.Array
			for _, f := range p.schema.Fields() {
				cols = append(cols, columns.Nulls(f.Type, batchRows))
			}
			p.total += batchRows
			if err := p.w.WriteBuffered(array.NewRecordBatch(p.schema, cols, batchRows)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	b := bucket(t)
	if err := b.Put(ctx, "x.parquet", out.Bytes()); err != nil {
		t.Fatal(err)
	}
	err = Read(ctx, b, storage.Object{Key: "x.parquet", Size: int64(out.Len())}, &action.Handler{Protocol: func(*action.Protocol) error { return nil }})
	var mine *Error
	if rows != 3<<19 || !errors.As(err, &mine) || !strings.Contains(err.Error(), "cannot hold that many rows") {
		t.Errorf("%d rows in %d bytes: %v", rows, out.Len(), err)
	}
}
