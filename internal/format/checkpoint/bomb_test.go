package checkpoint

import (
	"bytes"
	"context"
	"errors"
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
	rows, err := writeParquet(ctx, &out, topSchema(), func(p *parquetWriter) error {
		for range 3 << 19 {
			for _, f := range p.b.Fields() {
				f.AppendNull()
			}
			if err := p.end(); err != nil {
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
