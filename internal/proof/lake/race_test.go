package lake

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/internal/proof/servers"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/types"
)

// deltalake and sluice append to one table on S3 at the same time, both by
// conditional puts: what either acknowledged is there once, and each reads all.
func TestRaceWithDeltalakeOnS3(t *testing.T) {
	python := os.Getenv("SLUICE_PYTHON")
	if python == "" {
		t.Skip("SLUICE_PYTHON is not set: it names a Python with the package deltalake 1.6.6")
	}
	s := servers.StartS3(t)
	s.MakeBucket(t, "lake")
	const url, theirs, ours = "s3://lake/race/t", 2, 2
	const appends = 12
	schema := types.NewStruct(types.Field{Name: "id", Type: types.Long, Nullable: true})
	open := func() *storage.Bucket {
		b, err := storage.Open(t.Context(), url, s.Options()...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = b.Close() })
		return b
	}
	table, err := sluice.Create(t.Context(), url, schema, sluice.CreateOptions{Properties: map[string]string{"delta.enableDeletionVectors": "false"}}, sluice.WithBucket(open()))
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	var mu sync.Mutex
	done := map[int64]bool{}
	var wg sync.WaitGroup
	var lists []string
	for p := range theirs {
		wg.Go(func() {
			cmd := exec.CommandContext(t.Context(), python, "testdata/append.py", url, fmt.Sprint(1000*(p+1)), fmt.Sprint(appends),
				"AWS_ENDPOINT_URL="+s.Endpoint, "AWS_ALLOW_HTTP=true", "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID="+servers.AccessKey, "AWS_SECRET_ACCESS_KEY="+servers.SecretKey)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("deltalake: %v\n%s", err, out)
			}
			mu.Lock()
			defer mu.Unlock()
			for line := range strings.Lines(string(out)) {
				var id int64
				if _, err := fmt.Sscanf(line, "done %d", &id); err == nil {
					done[id] = true
				}
				if strings.HasPrefix(line, "rows") {
					lists = append(lists, strings.TrimSpace(line))
				}
			}
		})
	}
	for p := range ours {
		b := open()
		wg.Go(func() {
			for i := range 3 * appends { // a process of Python takes its time to begin
				id := int64(10_000*(p+1) + i)
				if got := appendRow(t.Context(), url, b, id); got != "done" {
					t.Errorf("sluice, row %d: %s", id, got)
					continue
				}
				mu.Lock()
				done[id] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	rows := ids(t, table)
	for id := range done {
		if rows[id] != 1 {
			t.Errorf("row %d was acknowledged and is there %d times", id, rows[id])
		}
	}
	for id := range rows {
		if !done[id] {
			t.Errorf("row %d is there and was not acknowledged", id)
		}
	}
	slices.SortFunc(lists, func(a, b string) int { return len(a) - len(b) })
	if n := len(lists); n == 0 || strings.Count(lists[n-1], " ") < appends*theirs {
		t.Errorf("deltalake read %q", lists)
	}
	t.Logf("%d rows, %d of deltalake", len(rows), len(rows)-ours*3*appends)
}
