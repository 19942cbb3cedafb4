package lake

import (
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/types"
)

// A second process with the same cache asks for nothing that cannot have changed,
// sees what was committed in between, and leaves no secret in the folder.
func TestDiskCache(t *testing.T) {
	dir, cache := t.TempDir(), filepath.Join(t.TempDir(), "cache")
	schema := types.NewStruct(types.Field{Name: "id", Type: types.Long, Nullable: true})
	table, err := sluice.Create(t.Context(), filepath.Join(dir, "t"), schema, sluice.CreateOptions{Properties: map[string]string{"delta.checkpointInterval": "4"}})
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	grow := func() {
		src, err := sluice.FromReader(t.Context(), strings.NewReader(`{"id":1}`), sluice.SourceOptions{Format: "json"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := table.Append(t.Context(), src, sluice.AppendOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for range 4 {
		grow()
	}
	checkpoint := filepath.Join(dir, "t", "_delta_log", "00000000000000000004.checkpoint.parquet")
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(filepath.Join(dir, "t", "_delta_log", "_last_checkpoint")); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no checkpoint was written")
		}
	}
	hour := time.Now().Add(-time.Hour)
	if err := os.Chtimes(checkpoint, hour, hour); err != nil {
		t.Fatal(err)
	}

	var mu sync.Mutex
	asked := map[string]int{}
	files := http.FileServer(http.Dir(dir))
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "token=PLANTED" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		if r.Header.Get("Range") != "bytes=0-0" { // that asks whether a file is there
			mu.Lock()
			asked[kindOf(r.URL.Path)]++
			mu.Unlock()
		}
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	take := func() map[string]int { // what was asked for since the last call
		mu.Lock()
		defer mu.Unlock()
		n := maps.Clone(asked)
		clear(asked)
		return n
	}
	read := func(rows int) map[string]int {
		t.Helper()
		take()
		again, err := sluice.Open(t.Context(), web.URL+"/t?token=PLANTED", sluice.WithDiskCache(cache, 64<<20))
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		if got := ids(t, again); got[1] != rows {
			t.Fatalf("%d rows, want %d", got[1], rows)
		}
		return take()
	}
	if n := read(4); n["a checkpoint"] == 0 || n["a data file"] != 4 {
		t.Errorf("without copies: %v", n)
	}
	if n := read(4); n["a checkpoint"]+n["a data file"] != 0 {
		t.Errorf("with copies: %v", n)
	}
	grow()
	if n := read(5); n["a checkpoint"] != 0 || n["a data file"] != 1 {
		t.Errorf("with copies, and a commit more: %v", n)
	}

	command := build(t)
	for i, want := range []int{0, 1} { // of files without a copy
		if i == 1 {
			if err := os.RemoveAll(cache); err != nil {
				t.Fatal(err)
			}
		}
		take()
		out, err := exec.CommandContext(t.Context(), command, "cat", web.URL+"/t?token=PLANTED", "--cache", cache+":64MB", "--trace", "--debug").CombinedOutput()
		if err != nil || strings.Contains(string(out), "PLANTED") {
			t.Errorf("sluice cat: %v\n%s", err, out)
		}
		if n := take(); n["a data file"] != 5*want {
			t.Errorf("the command asked for %d data files: %v", n["a data file"], n)
		}
	}
	if out, err := exec.CommandContext(t.Context(), command, "count", web.URL+"/t?token=PLANTED", "--cache", cache+":1k").CombinedOutput(); err == nil || !strings.Contains(string(out), "too small") {
		t.Errorf("a cache of nothing: %v\n%s", err, out)
	}
	err = filepath.WalkDir(cache, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			var text []byte
			if text, err = os.ReadFile(path); strings.Contains(path+string(text), "PLANTED") {
				err = fmt.Errorf("%s holds the token", path)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
