package lake

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sluicelake/sluice/internal/proof/servers"
)

// deltalake and sluice append to one table and merge into it at the same time, in
// processes of their own: what either acknowledged is there once, each increment of
// the rows that all share is counted, and each reads the rows of all.
func TestRaceWithDeltalake(t *testing.T) {
	python := os.Getenv("SLUICE_PYTHON")
	if python == "" {
		t.Skip("SLUICE_PYTHON is not set: it names a Python with the package deltalake 1.6.6")
	}
	command := build(t)
	t.Run("local disk", func(t *testing.T) {
		(&contest{t: t, command: command, python: python, url: filepath.Join(t.TempDir(), "t")}).run()
	})
	t.Run("S3, conditional puts", func(t *testing.T) {
		s := servers.StartS3(t)
		s.MakeBucket(t, "lake")
		(&contest{t: t, command: command, python: python, url: "s3://lake/race/t",
			ours: []string{"--option", "endpoint=" + s.Endpoint, "--option", "access-key=" + servers.AccessKey, "--option", "secret-key=" + servers.SecretKey, "--option", "region=us-east-1"},
			theirs: []string{"AWS_ENDPOINT_URL=" + s.Endpoint, "AWS_ALLOW_HTTP=true", "AWS_REGION=us-east-1",
				"AWS_ACCESS_KEY_ID=" + servers.AccessKey, "AWS_SECRET_ACCESS_KEY=" + servers.SecretKey}}).run()
	})
}

// contest is one race: writers of both kinds, and what they were told.
type contest struct {
	t            *testing.T
	command      string
	python       string
	url          string
	ours, theirs []string // options of the store

	mu     sync.Mutex
	told   map[int64]int64 // by id: what its n must be
	bySlui int
	byPeer int
}

const (
	shared            = 3  // rows with counters: ids from 0 on
	peerCommits       = 14 // of each process of deltalake
	ownCommits        = 24 // at most, of each writer of sluice
	peers, ownWriters = 2, 2
)

func (c *contest) run() {
	t := c.t
	c.told = map[int64]int64{}
	c.sluice("", "create", c.url, "--schema", "id BIGINT, n BIGINT", "--property", "delta.enableDeletionVectors=false", "--property", "delta.checkpointInterval=10")
	var begin bytes.Buffer
	for i := range int64(shared) {
		fmt.Fprintf(&begin, `{"id":%d,"n":0}`+"\n", i)
		c.told[i] = 0
	}
	c.sluice(begin.String(), "append", c.url, "--source", "-", "--source-format", "json")

	var peersEnded atomic.Int32
	started := make([]*peer, peers)
	for i := range started {
		started[i] = c.start(int64(1000 * (i + 1)))
	}
	var wg sync.WaitGroup
	for _, p := range started {
		p.send(t)
		wg.Go(func() { c.listen(p); peersEnded.Add(1) })
	}
	for w := range ownWriters {
		wg.Go(func() {
			first := int64(100_000 * (w + 1)) // not forever: deltalake gives up whatever anybody commits behind
			for i := first; i < first+ownCommits && peersEnded.Load() < peers && !t.Failed(); i++ {
				c.commit(i)
			}
		})
	}
	wg.Wait()
	if c.byPeer != peers*peerCommits || c.bySlui < peers*peerCommits/2 {
		t.Errorf("deltalake committed %d times and sluice %d times: that is no race", c.byPeer, c.bySlui)
	}
	c.compare("sluice", c.rows())
	for _, p := range started {
		p.send(t)
		c.compare("deltalake", p.rows(t))
	}
	t.Logf("%d commits of sluice, %d of deltalake", c.bySlui, c.byPeer)
}

// commit is an append or a merge of sluice, which must come through at once.
func (c *contest) commit(id int64) {
	if id%2 == 1 {
		c.sluice(fmt.Sprintf(`{"id":%d,"n":1}`, id), "append", c.url, "--source", "-", "--source-format", "json")
		c.note(false, id)
		return
	}
	c.sluice(fmt.Sprintf(`{"id":%d,"n":1}`+"\n"+`{"id":%d,"n":1}`, id%shared, id), "merge", c.url, "--source", "-", "--source-format", "json",
		"--on", "t.id = s.id", "--when-matched", "UPDATE SET n = t.n + 1", "--when-not-matched", "INSERT *")
	c.note(false, id%shared, id)
}

// note takes down that a commit was acknowledged.
func (c *contest) note(peer bool, ids ...int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if peer {
		c.byPeer++
	} else {
		c.bySlui++
	}
	for _, id := range ids {
		c.told[id]++
	}
}

// sluice runs the command, which must succeed.
func (c *contest) sluice(in string, args ...string) string {
	cmd := exec.CommandContext(c.t.Context(), c.command, append(args, c.ours...)...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(in), &out, &errs
	if err := cmd.Run(); err != nil {
		c.t.Errorf("sluice %s: %v\n%s", args[0], err, errs.Bytes())
	}
	return out.String()
}

func (c *contest) rows() []string {
	var rows []string
	for line := range strings.Lines(c.sluice("", "cat", c.url, "--format", "jsonl")) {
		var r struct{ ID, N int64 }
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			c.t.Fatal(err)
		}
		rows = append(rows, fmt.Sprint(r.ID, " ", r.N))
	}
	return rows
}

// compare holds what one engine reads against what all writers were told.
func (c *contest) compare(who string, rows []string) {
	var want []string
	for _, id := range slices.Sorted(maps.Keys(c.told)) {
		want = append(want, fmt.Sprint(id, " ", c.told[id]))
	}
	slices.Sort(want)
	slices.Sort(rows)
	if !slices.Equal(rows, want) {
		c.t.Errorf("%s reads (id n)\n  %s\nand the writers were told\n  %s", who, strings.Join(rows, ", "), strings.Join(want, ", "))
	}
}

// peer is a process of deltalake.
type peer struct {
	in   io.WriteCloser
	out  *bufio.Scanner
	errs *bytes.Buffer // complete once wait has returned
	wait func() error
}

// start starts one and waits until it is ready.
func (c *contest) start(first int64) *peer {
	cmd := exec.CommandContext(c.t.Context(), c.python, append([]string{"testdata/race.py", c.url, fmt.Sprint(first), fmt.Sprint(peerCommits)}, c.theirs...)...)
	in, err := cmd.StdinPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	p := &peer{in: in, out: bufio.NewScanner(out), errs: &bytes.Buffer{}, wait: sync.OnceValue(cmd.Wait)}
	cmd.Stderr = p.errs
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { in.Close(); _ = p.wait() })
	if !p.out.Scan() || p.out.Text() != "ready" {
		in.Close()
		_ = p.wait()
		c.t.Fatalf("deltalake did not start: %s", p.errs)
	}
	return p
}

// send lets it go on.
func (p *peer) send(t *testing.T) {
	if _, err := io.WriteString(p.in, "go\n"); err != nil {
		t.Fatal(err)
	}
}

// listen notes what a process was told until it has no more to commit.
func (c *contest) listen(p *peer) {
	for p.out.Scan() {
		var a, b int64
		line := p.out.Text()
		switch word, _, _ := strings.Cut(line, " "); word {
		case "append":
			if _, err := fmt.Sscanf(line, "append %d", &a); err == nil {
				c.note(true, a)
			}
		case "merge":
			if _, err := fmt.Sscanf(line, "merge %d %d", &a, &b); err == nil {
				c.note(true, a, b)
			}
		case "never":
			c.t.Errorf("deltalake never came through with %s", line)
		case "given-up":
			c.t.Logf("deltalake: %s", line)
			return
		}
	}
	_ = p.wait()
	c.t.Errorf("deltalake ended early: %s", p.errs)
}

// rows reads what a process reads in the end.
func (p *peer) rows(t *testing.T) []string {
	t.Helper()
	var rows []string
	_ = p.in.Close()
	ended := false
	for p.out.Scan() {
		ended = ended || p.out.Text() == "end"
		if r, ok := strings.CutPrefix(p.out.Text(), "row "); ok {
			rows = append(rows, r)
		}
	}
	if err := p.wait(); err != nil || p.errs.Len() > 0 || !ended {
		t.Errorf("deltalake (all rows told: %t): %v: %s", ended, err, p.errs)
	}
	return rows
}
