package heavy

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/inspect/fsck"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
	_ "github.com/sluicelake/sluice/storage/local"
	"github.com/sluicelake/sluice/types"
)

// operation is what a worker said about one of its statements.
type operation struct {
	verb, target string
	acknowledged bool
}

// TestKilledWriters kills processes that write to a table, with no warning, at any
// moment, and starts others; afterwards the table is whole, each acknowledged
// commit is in it once and each other at most once. SLUICE_CRASH is for how long
// (45s).
func TestKilledWriters(t *testing.T) {
	if os.Getenv("SLUICE_HEAVY") == "" {
		t.Skip("SLUICE_HEAVY is not set: this takes minutes")
	}
	span := 45 * time.Second
	if text := os.Getenv("SLUICE_CRASH"); text != "" {
		var err error
		if span, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	for _, vectors := range []bool{true, false} {
		t.Run(fmt.Sprintf("vectors %t", vectors), func(t *testing.T) { killed(t, span/2, vectors) })
	}
}

func killed(t *testing.T, span time.Duration, vectors bool) {
	url := filepath.Join(t.TempDir(), "t")
	schema, err := types.ParseDDL("op STRING, n BIGINT")
	if err != nil {
		t.Fatal(err)
	}
	table, err := sluice.Create(t.Context(), url, schema, sluice.CreateOptions{Properties: map[string]string{
		"delta.enableDeletionVectors": fmt.Sprint(vectors), "delta.checkpointInterval": "7", "delta.enableChangeDataFeed": "true", "delta.enableRowTracking": fmt.Sprint(vectors)}})
	if err != nil {
		t.Fatal(err)
	}
	if err := table.Close(); err != nil {
		t.Fatal(err)
	}
	ops := map[string]*operation{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	kills, end := 0, time.Now().Add(span)
	for w := range 3 {
		wg.Go(func() {
			for n := 0; time.Now().Before(end) && !t.Failed(); n++ {
				said := worker(t, url, fmt.Sprintf("w%d-%d", w, n), time.Duration(50+rand.IntN(1500))*time.Millisecond)
				mu.Lock()
				kills++
				for id, op := range said {
					ops[id] = op
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	hold(t, url, ops)
	acknowledged := 0
	for _, op := range ops {
		if op.acknowledged {
			acknowledged++
		}
	}
	t.Logf("%d processes killed; %d statements, %d of them acknowledged", kills, len(ops), acknowledged)
	if acknowledged == 0 {
		t.Error("nothing was acknowledged: this shows nothing")
	}
}

// worker runs one until it is killed, and returns what it said.
func worker(t *testing.T, url, name string, life time.Duration) map[string]*operation {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), workerTable+"="+url, "SLUICE_CRASH_NAME="+name)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Error(err)
		return nil
	}
	kill := time.AfterFunc(life, func() { _ = cmd.Process.Kill() })
	_ = cmd.Wait() // killed
	kill.Stop()
	ops := map[string]*operation{}
	for line := range strings.Lines(out.String()) {
		parts := strings.Fields(line)
		switch {
		case !strings.HasSuffix(line, "\n") || len(parts) < 2:
		case parts[0] == "begin":
			op := &operation{verb: parts[2]}
			if len(parts) > 3 {
				op.target = parts[3]
			}
			ops[parts[1]] = op
		case parts[0] == "done":
			ops[parts[1]].acknowledged = true
		default:
			t.Errorf("%s: %s", name, line)
		}
	}
	return ops
}

// hold holds the table against what was said.
func hold(t *testing.T, url string, ops map[string]*operation) {
	ctx := t.Context()
	table, err := sluice.Open(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	history, err := table.History(ctx, sluice.HistoryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	commits, merges := map[string]int{}, int64(0)
	deleted := map[string]bool{}
	for i, h := range history {
		if h.Err != nil || h.Version != int64(len(history)-1-i) {
			t.Fatalf("history: version %d at place %d: %v", h.Version, i, h.Err)
		}
		commits[h.UserMetadata]++
		if op := ops[h.UserMetadata]; op != nil {
			if op.verb == "merge" {
				merges++
			}
			if op.verb == "delete" {
				deleted[op.target] = true
			}
		}
	}
	rows := contents(t, url)
	var counted int64
	for key, n := range rows {
		if strings.HasPrefix(key, "counter") {
			counted += n[0]
		}
	}
	if counted != merges {
		t.Errorf("the counters are at %d after %d merges", counted, merges)
	}
	for id, op := range ops {
		switch n := commits[id]; {
		case n > 1:
			t.Errorf("%s %s was committed %d times", op.verb, id, n)
		case op.acknowledged && n == 0 && (op.verb == "append" || op.verb == "merge"):
			t.Errorf("%s %s was acknowledged and is not there", op.verb, id)
		}
		if op.verb != "append" {
			continue
		}
		want := 2
		if commits[id] == 0 || deleted[id] {
			want = 0
		}
		if got := len(rows[id]); got != want {
			t.Errorf("append %s (acknowledged %t, deleted %t): %d rows, want %d", id, op.acknowledged, deleted[id], got, want)
		}
	}
	healthy(t, url)
}

func bucket(t *testing.T, url string) *storage.Bucket {
	b, err := storage.Open(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// contents reads the values of each op.
func contents(t *testing.T, url string) map[string][]int64 {
	s, err := snapshot.Load(t.Context(), env.New(), bucket(t, url), snapshot.Latest())
	if err != nil {
		t.Fatal(err)
	}
	list, err := tablekit.Rows(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]int64{}
	for _, text := range list {
		var op string
		var n int64
		if _, err := fmt.Sscanf(strings.ReplaceAll(text, "counter ", "counter-"), `{"op":%q,"n":%d}`, &op, &n); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		out[op] = append(out[op], n)
	}
	return out
}

// healthy has fsck look at everything, data files included.
func healthy(t *testing.T, url string) {
	c := fsck.New(env.New(), bucket(t, url), fsck.Options{Deep: true})
	for f, err := range c.Findings(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if f.Severity == fsck.Error {
			t.Errorf("fsck: %s", f)
		}
	}
}
