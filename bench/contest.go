package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sluicelake/sluice"
)

// A contest is several writers of one table at the same time, each with a handle
// of its own, in processes of their own or in goroutines. The column "at" counts
// what statements did to a row, so its sum over the table tells whether an effect
// was lost or came twice. deltalake gets the same as JSON (peer.py).
type contest struct {
	Files  int     `json:"files"` // before it begins, of so many rows each
	Rows   int     `json:"rows"`
	Roles  []entry `json:"roles"`
	inside bool    // one process, a goroutine for each writer
	alone  bool    // without a peer
}

// entry is some writers that do the same.
type entry struct {
	Role    string `json:"role"`
	Writers int    `json:"writers"`
	Each    int    `json:"each"` // statements of a writer; 0 goes on until the others are done
}

// tally is what writers did together.
type tally struct {
	Statements int64 `json:"statements"`
	Failed     int64 `json:"failed"`
	Attempts   int64 `json:"attempts"`
	Winners    int64 `json:"winners_met"`
	Repairs    int64 `json:"repairs"`
	Reruns     int64 `json:"reruns"`
	Twice      int64 `json:"twice"` // bytes written in vain
	// What the table must show for the statements that succeeded.
	Inserted int64 `json:"inserted"`
	Effects  int64 `json:"effects"`

	Requests int64 `json:"requests"`
	Read     int64 `json:"read"`
	Written  int64 `json:"written"`
}

func (t *tally) add(o tally) {
	t.Statements, t.Failed, t.Attempts, t.Winners = t.Statements+o.Statements, t.Failed+o.Failed, t.Attempts+o.Attempts, t.Winners+o.Winners
	t.Repairs, t.Reruns, t.Inserted, t.Effects = t.Repairs+o.Repairs, t.Reruns+o.Reruns, t.Inserted+o.Inserted, t.Effects+o.Effects
	t.Twice += o.Twice
	t.Requests, t.Read, t.Written = t.Requests+o.Requests, t.Read+o.Read, t.Written+o.Written
}

// commit counts how a statement came into the log.
func (t *tally) commit(c sluice.Commit) {
	t.Attempts += int64(c.Attempts)
	t.Winners += int64(len(c.Winners))
	t.Reruns += int64(max(c.Runs-1, 0))
	t.Twice += c.WrittenTwice
	for _, w := range c.Winners {
		if w.Verdict == "repair" {
			t.Repairs++
		}
	}
}

// fresh makes the place of a contest and says what it is, for the peer.
func (c contest) fresh(_, scratch string) (string, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	return scratch, os.WriteFile(filepath.Join(scratch, "contest.json"), text, 0o644)
}

// writer is one writer of a contest.
type writer struct {
	role   string
	number int
	each   int
	table  string
	stop   string // a file that ends who goes on until the others are done
	rows   int64  // that were there at the beginning
}

func (c contest) writers(place string) (out []writer) {
	for _, e := range c.Roles {
		for range e.Writers {
			out = append(out, writer{e.Role, len(out) + 1, e.Each, filepath.Join(place, "table"), filepath.Join(place, "stop"), int64(c.Files * c.Rows)})
		}
	}
	return out
}

// run is a workload: the line tells the wall time from the moment when all
// writers stand ready.
func (c contest) run(ctx context.Context, place string) (Line, error) {
	if err := c.makeTable(ctx, filepath.Join(place, "table")); err != nil {
		return Line{}, err
	}
	start := process
	if c.inside {
		start = goroutine
	}
	var (
		ready, bounded, all sync.WaitGroup
		mu                  sync.Mutex
		sum                 tally
		failed              error
	)
	release := make(chan struct{})
	for _, w := range c.writers(place) {
		ready.Add(1)
		if w.each > 0 {
			bounded.Add(1)
		}
		all.Go(func() {
			if w.each > 0 {
				defer bounded.Done()
			}
			done, err := start(ctx, w, &ready, release)
			mu.Lock()
			defer mu.Unlock()
			sum.add(done)
			failed = errors.Join(failed, err)
		})
	}
	ready.Wait()
	began := time.Now()
	close(release)
	bounded.Wait()
	if err := os.WriteFile(filepath.Join(place, "stop"), nil, 0o644); err != nil {
		return Line{}, err
	}
	all.Wait()
	wall := time.Since(began).Seconds()
	if failed != nil {
		return Line{}, failed
	}
	wrong, err := c.wrong(ctx, filepath.Join(place, "table"), sum)
	if err != nil {
		return Line{}, err
	}
	return Line{WallS: wall, Requests: sum.Requests, ReadMB: float64(sum.Read) / 1e6, WriteMB: float64(sum.Written) / 1e6,
		Extra: map[string]float64{"statements": float64(sum.Statements), "first_try": float64(sum.Statements - sum.Failed), "failed": float64(sum.Failed),
			"attempts": float64(sum.Attempts), "winners_met": float64(sum.Winners), "repairs": float64(sum.Repairs), "reruns": float64(sum.Reruns),
			"twice_mb": float64(sum.Twice) / 1e6, "rows_wrong": float64(wrong),
			"per_s": float64(sum.Statements-sum.Failed) / wall, "requests_each": float64(sum.Requests) / float64(sum.Statements)}}, nil
}

// goroutine runs a writer in this process.
func goroutine(ctx context.Context, w writer, ready *sync.WaitGroup, release <-chan struct{}) (tally, error) {
	return w.work(ctx, ready.Done, func() error { <-release; return nil })
}

// process runs a writer in another process: it says when it is ready, waits for the
// end of its input, and then prints its tally.
func process(ctx context.Context, w writer, ready *sync.WaitGroup, release <-chan struct{}) (tally, error) {
	stood := sync.OnceFunc(ready.Done)
	defer stood()
	cmd := exec.CommandContext(ctx, os.Args[0], "-child", "writer", "-place", w.String())
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return tally{}, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return tally{}, err
	}
	if err := cmd.Start(); err != nil {
		return tally{}, err
	}
	told := json.NewDecoder(out)
	var standing bool
	var done tally
	if err = told.Decode(&standing); err == nil {
		stood()
		<-release
		in.Close()
		err = told.Decode(&done)
	}
	return done, errors.Join(err, cmd.Wait())
}

// String says everything about a writer to its process.
func (w writer) String() string {
	return strings.Join([]string{w.role, strconv.Itoa(w.number), strconv.Itoa(w.each), strconv.FormatInt(w.rows, 10), w.table, w.stop}, "|")
}

func parseWriter(text string) (w writer, err error) {
	p := strings.Split(text, "|")
	if len(p) != 6 {
		return w, fmt.Errorf("a writer runs inside a contest only")
	}
	w.role, w.table, w.stop = p[0], p[4], p[5]
	var errs [3]error
	w.number, errs[0] = strconv.Atoi(p[1])
	w.each, errs[1] = strconv.Atoi(p[2])
	w.rows, errs[2] = strconv.ParseInt(p[3], 10, 64)
	return w, errors.Join(errs[:]...)
}

// runWriter is the process of one writer.
func runWriter(ctx context.Context, place string) error {
	w, err := parseWriter(place)
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	done, err := w.work(ctx, func() { out.Encode(true) }, func() error { _, err := io.Copy(io.Discard, os.Stdin); return err })
	if err != nil {
		return err
	}
	return out.Encode(done)
}
