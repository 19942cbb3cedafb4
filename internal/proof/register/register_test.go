package register

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/internal/proof/servers"
	"github.com/sluicelake/sluice/types"
)

// event is one thing that a process did.
type event struct {
	Read    bool
	ID      string
	Version int64
	Rows    int64 // that a reader found: one for each version
	Call    int64 // nanoseconds of this machine's clock
	Return  int64 // 0 while it is under way
}

// register has the newest version as its state.
var register = porcupine.Model{
	Init: func() any { return int64(0) },
	Step: func(state, input, output any) (bool, any) {
		s, e := state.(int64), output.(event)
		if input.(bool) {
			return e.Version == s && e.Rows == s, s
		}
		return e.Version == s+1, s + 1
	},
	Equal: func(a, b any) bool { return a == b },
	DescribeOperation: func(input, output any) string {
		e := output.(event)
		if input.(bool) {
			return fmt.Sprintf("read: version %d with %d rows", e.Version, e.Rows)
		}
		return fmt.Sprintf("publish: version %d", e.Version)
	},
}

// The test binary is its own worker.
const workerTable = "SLUICE_REGISTER_TABLE"

func TestMain(m *testing.M) {
	if url := os.Getenv(workerTable); url != "" {
		if err := work(context.Background(), url); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// options reach the store that the worker is told of.
func options() ([]sluice.Option, error) {
	var named map[string]string
	if err := json.Unmarshal([]byte(os.Getenv("SLUICE_REGISTER_OPTIONS")), &named); err != nil {
		return nil, err
	}
	return optionsOf(named), nil
}

func optionsOf(named map[string]string) (out []sluice.Option) {
	for name, value := range named {
		out = append(out, sluice.WithStorageOption(name, value))
	}
	return out
}

func work(ctx context.Context, url string) error {
	opts, err := options()
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(os.Getenv("SLUICE_REGISTER_OPS"))
	if err != nil {
		return err
	}
	t, err := sluice.Open(ctx, url, opts...)
	if err != nil {
		return err
	}
	defer t.Close()
	out := json.NewEncoder(os.Stdout) // a line is one write, so that what a kill leaves is whole
	for i := range n {
		e := event{Read: i%2 == 1, ID: fmt.Sprintf("%s-%d", os.Getenv("SLUICE_REGISTER_NAME"), i), Call: time.Now().UnixNano()}
		if err := out.Encode(e); err != nil { // it is under way
			return err
		}
		if e.Read {
			s, err := t.Snapshot(ctx)
			if err != nil {
				return err
			}
			e.Return, e.Version = time.Now().UnixNano(), s.Version()
			if e.Rows, err = s.Scan(sluice.ScanOptions{}).Count(ctx); err != nil {
				return err
			}
		} else {
			src, err := sluice.FromReader(ctx, strings.NewReader(`{"n":1}`), sluice.SourceOptions{Format: "json"})
			if err != nil {
				return err
			}
			r, err := t.Append(ctx, src, sluice.AppendOptions{CommitOptions: sluice.CommitOptions{UserMetadata: e.ID}})
			if err != nil {
				return err
			}
			e.Return, e.Version = time.Now().UnixNano(), r.Commit.Version
		}
		if err := out.Encode(e); err != nil {
			return err
		}
	}
	return nil
}

// TestVersionsAreLinearizable lets processes publish and read on each kind of
// store that is there. SLUICE_REGISTER is how many times each of them does (30).
func TestVersionsAreLinearizable(t *testing.T) { onStores(t, 0) }

// TestKilledWritersAreLinearizable kills the processes at any moment, with no
// warning: what they had under way is in the log or not, and fsck finds nothing
// wrong.
func TestKilledWritersAreLinearizable(t *testing.T) { onStores(t, 3) }

func onStores(t *testing.T, lives int) {
	t.Run("local disk", func(t *testing.T) {
		play(t, filepath.Join(t.TempDir(), "t"), map[string]string{}, lives)
	})
	t.Run("S3", func(t *testing.T) {
		s := servers.StartS3(t)
		s.MakeBucket(t, "lake")
		play(t, "s3://lake/register/t", map[string]string{"endpoint": s.Endpoint, "access-key": servers.AccessKey, "secret-key": servers.SecretKey, "region": "us-east-1"}, lives)
	})
	t.Run("Azure", func(t *testing.T) {
		play(t, "wasb://lake@"+servers.AzureAccount+".blob.core.windows.net/register/t",
			map[string]string{"endpoint": servers.StartAzurite(t, "lake", nil), "key": servers.AzureKey}, lives)
	})
	t.Run("Google", func(t *testing.T) {
		play(t, "gs://lake/register/t", map[string]string{"endpoint": servers.StartGCS(t, "lake"), "anonymous": "true"}, lives)
	})
}

// play lets processes do what they do, each to its end, or, with lives, until it
// is killed and another follows.
func play(t *testing.T, url string, named map[string]string, lives int) {
	n := "30"
	if text := os.Getenv("SLUICE_REGISTER"); text != "" {
		n = text
	}
	opts := optionsOf(named)
	table, err := sluice.Create(t.Context(), url, types.NewStruct(types.Field{Name: "n", Type: types.Long, Nullable: true}), sluice.CreateOptions{}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	text, err := json.Marshal(named)
	if err != nil {
		t.Fatal(err)
	}
	const processes = 4
	var mu sync.Mutex
	var history []porcupine.Operation
	var pending []porcupine.Operation // of processes that were killed
	var wg sync.WaitGroup
	for i := range processes {
		wg.Go(func() {
			for life := range max(lives, 1) {
				var out bytes.Buffer
				c := exec.CommandContext(t.Context(), os.Args[0])
				c.Env = append(os.Environ(), workerTable+"="+url, "SLUICE_REGISTER_OPTIONS="+string(text), "SLUICE_REGISTER_OPS="+n, fmt.Sprintf("SLUICE_REGISTER_NAME=%d-%d", i, life))
				c.Stdout, c.Stderr = &out, os.Stderr
				if err := c.Start(); err != nil {
					t.Error(err)
					return
				}
				if lives > 0 {
					kill := time.AfterFunc(time.Duration(100+rand.IntN(1200))*time.Millisecond, func() { _ = c.Process.Kill() })
					_ = c.Wait() // killed
					kill.Stop()
				} else if err := c.Wait(); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				done, left := operations(t, i*100+life, out.Bytes())
				history, pending = append(history, done...), append(pending, left...)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	unknown, landed := settle(t, table, history, pending)
	history = append(history, landed...)
	together := 0
	for _, a := range history {
		for _, b := range history {
			if a.ClientId < b.ClientId && a.Call < b.Return && b.Call < a.Return {
				together++
			}
		}
	}
	if result := porcupine.CheckOperationsTimeout(register, history, 2*time.Minute); result != porcupine.Ok {
		lines := make([]string, len(history))
		for i, o := range history {
			lines[i] = fmt.Sprintf("%d-%d process %d %s", o.Call, o.Return, o.ClientId, register.DescribeOperation(o.Input, o.Output))
		}
		t.Errorf("no single register answers so (%s):\n%s", result, strings.Join(lines, "\n"))
	}
	t.Logf("%d operations of %d processes, %d pairs of them at the same time; %d commits were cut short, of which %d landed", len(history), processes*max(lives, 1), together, unknown, len(landed))
	if len(history) == 0 {
		t.Error("nothing was done: this shows nothing")
	}
	for f, err := range table.Check(sluice.CheckOptions{Deep: true}).Findings(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if f.Severity == sluice.SeverityError {
			t.Errorf("fsck: %s", f)
		}
	}
}

// operations reads what a process said: those that ended, and those that did not.
func operations(t *testing.T, client int, out []byte) (done, left []porcupine.Operation) {
	var last *porcupine.Operation
	for line := range bytes.Lines(out) {
		var e event
		if json.Unmarshal(line, &e) != nil {
			if bytes.HasSuffix(line, []byte("\n")) {
				t.Errorf("%s", line)
			}
			break // cut off
		}
		o := porcupine.Operation{ClientId: client, Input: e.Read, Call: e.Call, Output: e, Return: e.Return}
		if last = &o; e.Return > 0 {
			done, last = append(done, o), nil
		}
	}
	if last != nil {
		left = append(left, *last)
	}
	return done, left
}

// settle looks into the log for commits of which nobody was told. One that landed
// did so at some time behind its call; one that did not is none.
func settle(t *testing.T, table *sluice.Table, history, pending []porcupine.Operation) (unknown int, landed []porcupine.Operation) {
	list, err := table.History(t.Context(), sluice.HistoryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	versions := map[string]int64{}
	for _, h := range list {
		if _, twice := versions[h.UserMetadata]; twice && h.UserMetadata != "" {
			t.Errorf("%s is in the log twice", h.UserMetadata)
		}
		versions[h.UserMetadata] = h.Version
	}
	for _, o := range history {
		if e := o.Output.(event); !e.Read && versions[e.ID] != e.Version {
			t.Errorf("%s was acknowledged as version %d, and the log has it as %d", e.ID, e.Version, versions[e.ID])
		}
	}
	for _, o := range pending {
		e := o.Output.(event)
		if e.Read {
			continue
		}
		unknown++
		if v, ok := versions[e.ID]; ok {
			e.Version = v
			o.Output, o.Return = e, math.MaxInt64
			landed = append(landed, o)
		}
	}
	return unknown, landed
}

// TestTheModelRefuses what a register does not do.
func TestTheModelRefuses(t *testing.T) {
	op := func(client int, read bool, version, call, ret int64) porcupine.Operation {
		return porcupine.Operation{ClientId: client, Input: read, Call: call, Return: ret, Output: event{Read: read, Version: version, Rows: version}}
	}
	for name, c := range map[string]struct {
		history []porcupine.Operation
		ok      bool
	}{
		"in order":             {[]porcupine.Operation{op(0, false, 1, 0, 1), op(1, true, 1, 2, 3)}, true},
		"at the same time":     {[]porcupine.Operation{op(0, false, 1, 0, 9), op(1, true, 0, 2, 3), op(1, true, 1, 4, 5)}, true},
		"read too late":        {[]porcupine.Operation{op(0, false, 1, 0, 1), op(1, true, 0, 2, 3)}, false},
		"back again":           {[]porcupine.Operation{op(0, false, 1, 0, 9), op(1, true, 1, 2, 3), op(1, true, 0, 4, 5)}, false},
		"a version for two":    {[]porcupine.Operation{op(0, false, 1, 0, 5), op(1, false, 1, 1, 6)}, false},
		"a version left empty": {[]porcupine.Operation{op(0, false, 1, 0, 5), op(1, false, 3, 1, 6)}, false},
	} {
		if got := porcupine.CheckOperations(register, c.history); got != c.ok {
			t.Errorf("%s: %t", name, got)
		}
	}
}
