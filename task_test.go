package sluice_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/types"
)

// A task that names a file elsewhere is refused, unless its place is allowed.
func TestTaskOutside(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	schema, err := types.ParseDDL("id INT")
	if err != nil {
		t.Fatal(err)
	}
	table, err := sluice.Create(ctx, filepath.Join(dir, "t"), schema, sluice.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	src, err := sluice.FromReader(ctx, strings.NewReader(`{"id":1}`), sluice.SourceOptions{Format: "json", Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := table.Append(ctx, src, sluice.AppendOptions{}); err != nil {
		t.Fatal(err)
	}
	s, err := table.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var data []byte
	for task, err := range s.Scan(sluice.ScanOptions{}).Tasks(ctx, sluice.TaskOptions{}) {
		if err == nil {
			data, err = task.MarshalBinary()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var name string
	for path := range s.Paths() {
		name = path
	}
	elsewhere := filepath.Join(dir, "elsewhere")
	if err := os.Mkdir(elsewhere, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "t", name), filepath.Join(elsewhere, name)); err != nil {
		t.Fatal(err)
	}
	moved := strings.Replace(string(data), `"path":"`, `"path":"file://`+filepath.ToSlash(elsewhere)+"/", 1)
	task, err := sluice.ParseTask([]byte(moved))
	if err != nil {
		t.Fatal(err)
	}
	count := func(opts ...sluice.Option) (rows int64, err error) {
		for b, e := range task.Batches(ctx, opts...) {
			if e != nil {
				return rows, e
			}
			rows += b.NumRows()
		}
		return rows, nil
	}
	if n, err := count(); !errors.Is(err, sluice.ErrUnsafePath) {
		t.Errorf("%d rows, %v; want ErrUnsafePath", n, err)
	}
	if n, err := count(sluice.WithOutside(elsewhere)); err != nil || n != 1 {
		t.Errorf("%d rows, %v", n, err)
	}
}
