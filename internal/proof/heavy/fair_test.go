package heavy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/types"
)

// table makes one with rows k = 0..rows-1 in several files, and returns its address.
func table(t *testing.T, rows, files int, vectors bool) string {
	url := filepath.Join(t.TempDir(), "t")
	schema, err := types.ParseDDL("k BIGINT, v BIGINT")
	if err != nil {
		t.Fatal(err)
	}
	tab, err := sluice.Create(t.Context(), url, schema, sluice.CreateOptions{Properties: map[string]string{"delta.enableDeletionVectors": fmt.Sprint(vectors)}})
	if err != nil {
		t.Fatal(err)
	}
	defer tab.Close()
	for f := range files {
		var b strings.Builder
		for i := f * rows / files; i < (f+1)*rows/files; i++ {
			fmt.Fprintf(&b, "{\"k\":%d,\"v\":0}\n", i)
		}
		src, err := sluice.FromReader(t.Context(), strings.NewReader(b.String()), sluice.SourceOptions{Format: "json"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tab.Append(t.Context(), src, sluice.AppendOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return url
}

// process is a running test binary that merges into its own row, over and over.
type process struct {
	*exec.Cmd
	out string // the file of what it says
}

// start runs one, until it is killed.
func start(t *testing.T, url string, own int) *process {
	out, err := os.Create(filepath.Join(t.TempDir(), fmt.Sprint("said-", own)))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), stormTable+"="+url, fmt.Sprintf("SLUICE_STORM_ROW=%d", own))
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd, out.Name()}
	t.Cleanup(p.kill)
	return p
}

// kill ends it without warning.
func (p *process) kill() {
	if p.ProcessState == nil {
		_ = p.Process.Kill()
		_ = p.Wait()
	}
}

const stormTable = "SLUICE_STORM_TABLE"

// storm is such a process. It says of each commit how long it took, a line each.
func storm(ctx context.Context, url string) error {
	own := os.Getenv("SLUICE_STORM_ROW")
	t, err := sluice.Open(ctx, url)
	if err != nil {
		return err
	}
	defer t.Close()
	for {
		src, err := sluice.FromReader(ctx, strings.NewReader(fmt.Sprintf(`{"k":%s,"v":1}`, own)), sluice.SourceOptions{Format: "json"})
		if err != nil {
			return err
		}
		began := time.Now()
		if _, err := t.Merge(src, "t.k = s.k").WhenMatched().Update(map[string]string{"v": "t.v + s.v"}).WhenNotMatched().InsertAll().Exec(ctx); err != nil {
			return err
		}
		os.Stdout.WriteString(fmt.Sprintf("done %d\n", time.Since(began).Milliseconds()))
	}
}

// said reads what such a process said: its commits and its slowest statement.
func (p *process) said(t *testing.T) (done int, slowest time.Duration) {
	t.Helper()
	out, err := os.ReadFile(p.out)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		var ms int
		if _, err := fmt.Sscanf(line, "done %d\n", &ms); err != nil && strings.HasSuffix(line, "\n") {
			t.Fatalf("a process says %s", line)
		}
		done++
		slowest = max(slowest, time.Duration(ms)*time.Millisecond)
	}
	return done, slowest
}

// reaches waits until a process has committed so often.
func (p *process) reaches(t *testing.T, n int) {
	t.Helper()
	for range 6000 {
		if done, _ := p.said(t); done >= n {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("no %d commits in a minute", n)
}

// values are the sums of v by row.
func values(t *testing.T, url string) map[int]int {
	s, err := snapshot.Load(t.Context(), env.New(), bucket(t, url), snapshot.Latest())
	if err != nil {
		t.Fatal(err)
	}
	list, err := tablekit.Rows(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	out := map[int]int{}
	for _, text := range list {
		var k, v int
		if _, err := fmt.Sscanf(text, `{"k":%d,"v":%d}`, &k, &v); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		out[k] += v
	}
	return out
}

// span is how long the storm lasts: as SLUICE_STORM says, a minute where only
// SLUICE_HEAVY is set.
func span() time.Duration {
	if d, err := time.ParseDuration(os.Getenv("SLUICE_STORM")); err == nil {
		return d
	}
	if os.Getenv("SLUICE_HEAVY") != "" {
		return time.Minute
	}
	return time.Second
}

// Processes that merge a row each into one table all make progress, and each
// statement is in the table once.
func TestStormOfProcesses(t *testing.T) {
	for _, vectors := range []bool{true, false} {
		t.Run(fmt.Sprintf("vectors %t", vectors), func(t *testing.T) {
			const writers = 8
			url := table(t, writers, 1, vectors)
			var all []*process
			for w := range writers {
				all = append(all, start(t, url, w))
			}
			for _, p := range all {
				p.reaches(t, 5)
			}
			time.Sleep(span())
			for _, p := range all {
				_ = p.Process.Kill()
			}
			for _, p := range all {
				p.kill()
			}
			rows := values(t, url)
			least, most, sum := 1<<30, 0, 0
			for w, p := range all {
				done, slowest := p.said(t)
				if v := rows[w]; v != done && v != done+1 { // it may have been killed before it said so
					t.Errorf("writer %d said %d and row %d has %d", w, done, w, v)
				}
				least, most, sum = min(least, done), max(most, done), sum+done
				t.Logf("writer %d: %d commits, the slowest statement took %s", w, done, slowest)
			}
			t.Logf("%d commits, %d to %d each", sum, least, most)
			if least >= 100 && most > 3*least { // a share says something when there was time
				t.Errorf("the shares are uneven: %d to %d commits", least, most)
			}
		})
	}
}

// A MERGE over the whole table ends beside a process that merges without a pause.
func TestLongMergeBesideProcess(t *testing.T) {
	rounds := 2
	if os.Getenv("SLUICE_HEAVY") != "" {
		rounds = 40
	}
	for _, vectors := range []bool{true, false} {
		t.Run(fmt.Sprintf("vectors %t", vectors), func(t *testing.T) {
			url := table(t, 600, 12, vectors)
			start(t, url, 5).reaches(t, 1)
			tab, err := sluice.Open(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			defer tab.Close()
			for i := range rounds {
				src, err := sluice.FromReader(t.Context(), strings.NewReader(`{"k":1,"v":5}`), sluice.SourceOptions{Format: "json"})
				if err != nil {
					t.Fatal(err)
				}
				res, err := tab.Merge(src, "t.k = s.k").WhenMatched().Update(map[string]string{"v": "t.v + s.v"}).
					WhenNotMatchedBySource().Update(map[string]string{"v": "t.v + 1000000"}).Exec(t.Context())
				if err != nil {
					t.Fatalf("round %d: %v", i, err)
				}
				t.Logf("round %d: %d attempts, %d winners, %d bytes written twice", i, res.Commit.Attempts, len(res.Commit.Winners), res.Commit.WrittenTwice)
			}
			if v := values(t, url); v[1] != 5*rounds || v[599] != 1000000*rounds {
				t.Errorf("rows 1 and 599 have %d and %d", v[1], v[599])
			}
		})
	}
}

// A process that has the turn and stands still, or was killed, blocks nobody: it is
// waited for less and less, ten seconds in all.
func TestTurnOfAStoppedProcess(t *testing.T) {
	url := table(t, 4, 1, true)
	b := bucket(t, url)
	turn, err := b.Turn(t.Context(), "_delta_log")
	if errors.Is(err, storage.ErrUnsupported) {
		t.Skip("no turns here")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer turn.Close()
	if got, err := turn.Try(); !got || err != nil {
		t.Fatal(got, err)
	}
	one, two := start(t, url, 0), start(t, url, 1)
	one.reaches(t, 20) // the turn is never given back
	two.reaches(t, 20)
	two.kill() // perhaps in the midst of its turn
	if err := turn.Close(); err != nil {
		t.Error(err)
	}
	done, slowest := one.said(t)
	one.reaches(t, done+20)
	one.kill()
	t.Logf("the slowest statement took %s", slowest)
}
