package lake

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/internal/proof/servers"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/azure/emulator"
	"github.com/sluicelake/sluice/types"
)

// VACUUM removes the temporary file that a writer to a hierarchical namespace left
// behind when it died.
func TestLeftoversOfALake(t *testing.T) {
	ctx := t.Context()
	srv := httptest.NewServer(emulator.NewLake("lake", func(*http.Request) bool { return true }))
	t.Cleanup(srv.Close)
	url := "abfs://lake@" + servers.AzureAccount + ".dfs.core.windows.net/t"
	b, err := storage.Open(ctx, url, storage.With("endpoint", srv.URL), storage.With("key", servers.AzureKey), storage.With("block-size", "65536"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	table, err := sluice.Create(ctx, url, types.NewStruct(types.Field{Name: "id", Type: types.Long, Nullable: true}), sluice.CreateOptions{}, sluice.WithBucket(b))
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	if got := appendRow(ctx, url, b, 1); got != "done" {
		t.Fatal(got)
	}
	w, err := b.Create(ctx, "p=1/part-0.parquet")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	dirs, ok := b.Walker()
	if !ok {
		t.Fatal("no directories")
	}
	left := func() (n int) {
		for e, err := range dirs.Walk(ctx, "", func(string) bool { return true }) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind == storage.EntryTemporary {
				n++
			}
		}
		return n
	}
	for deadline := time.Now().Add(20 * time.Second); left() == 0; { // blocks are sent behind Write
		if time.Now().After(deadline) {
			t.Fatal("there is no temporary file")
		}
	}
	res, err := table.Vacuum(ctx, sluice.VacuumOptions{Retain: new(time.Duration), NoRetentionCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	if n := left(); res.Leftovers != 1 || n != 0 {
		t.Errorf("%d temporary files found, %d left", res.Leftovers, n)
	}
	if rows := ids(t, table); rows[1] != 1 {
		t.Errorf("rows %v", rows)
	}
}
