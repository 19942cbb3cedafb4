package checkpoint

import (
	"context"
	"errors"
	"testing"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/storage"
)

// FuzzCheckpoint: a file of any bytes is read or refused with an error that
// names it; memory and time stay bounded, and nothing panics.
func FuzzCheckpoint(f *testing.F) {
	ctx := context.Background()
	b := bucket(f)
	if _, err := Write(ctx, b, sampleState(f)); err != nil {
		f.Fatal(err)
	}
	s := sampleState(f)
	s.Version = 4
	if _, err := WriteV2(ctx, b, s, V2{NewID: func() string { return "id" }}); err != nil {
		f.Fatal(err)
	}
	for _, key := range []string{deltalog.CheckpointPath(3), deltalog.CheckpointV2Path(4, "id", false), deltalog.SidecarPath("id.parquet")} {
		data, _, err := b.Get(ctx, key)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b := bucket(t)
		if err := b.Put(ctx, "x.parquet", data); err != nil {
			t.Fatal(err)
		}
		obj := storage.Object{Key: "x.parquet", Size: int64(len(data))}
		rows := 0
		h := action.Collect(func(action.Action) error { rows++; return nil }, "x.parquet")
		err := Read(ctx, b, obj, h)
		var mine *Error
		var syntax *action.SyntaxError
		if err != nil && !errors.As(err, &mine) && !errors.As(err, &syntax) {
			t.Fatalf("%T: %v", err, err)
		}
		if rows > 1000*len(data) {
			t.Fatalf("%d bytes give %d actions", len(data), rows)
		}
		head := &action.Handler{Protocol: func(*action.Protocol) error { return nil }, Metadata: func(*action.Metadata) error { return nil }}
		if err := Read(ctx, b, obj, head); err != nil && !errors.As(err, &mine) && !errors.As(err, &syntax) {
			t.Fatalf("%T: %v", err, err)
		}
	})
}
