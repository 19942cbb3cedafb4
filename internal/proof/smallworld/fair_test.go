package smallworld

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/sql/session"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/observe"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
)

// clock is a store in which each call takes a moment, and others commit meanwhile:
// somebody's statement every so many moments.
type clock struct {
	storage.Driver
	mu      sync.Mutex
	now     int
	next    int
	every   int
	others  func() error
	broken  error
	commits int
}

func (c *clock) tick(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.now += n; c.now >= c.next && c.broken == nil; c.next += c.every {
		c.broken = c.others()
		c.commits++
	}
}

func (c *clock) Get(ctx context.Context, key string) ([]byte, storage.Object, error) {
	c.tick(1)
	return c.Driver.Get(ctx, key)
}

func (c *clock) GetRange(ctx context.Context, key string, from, n int64) ([]byte, error) {
	c.tick(1)
	return c.Driver.GetRange(ctx, key, from, n)
}

func (c *clock) Put(ctx context.Context, key string, data []byte) error {
	c.tick(1)
	return c.Driver.Put(ctx, key, data)
}

func (c *clock) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	c.tick(1)
	return c.Driver.PutIfAbsent(ctx, key, data)
}

func (c *clock) Create(ctx context.Context, key string) (storage.Writer, error) {
	c.tick(1)
	return c.Driver.Create(ctx, key)
}

// A MERGE that reads a whole table comes through while another process commits
// every few moments what the MERGE has to look at, and each of these costs it one
// repair at most.
func TestLongMergeComesThrough(t *testing.T) {
	for _, vectors := range []string{"true", "false"} {
		t.Run("vectors "+vectors, func(t *testing.T) {
			var files [][]string
			for i := range 40 {
				files = append(files, []string{fmt.Sprintf(`{"k":%d,"v":0}`, i), fmt.Sprintf(`{"k":%d,"v":0}`, 100+i)})
			}
			store := tablekit.Place()
			kit := tablekit.New(t, tablekit.Spec{DDL: "k INT, v INT", Properties: map[string]string{"delta.enableDeletionVectors": vectors}, Driver: store, Files: files,
				Env: newEnv(nil), Policy: txn.Policy{NoChecksum: true, NoCheckpoint: true}})
			n := 0
			c := &clock{Driver: store, every: 40, next: 40, others: func() error {
				n++
				return say(t.Context(), store, Statement{SQL: []string{
					fmt.Sprintf("INSERT INTO t VALUES (%d, 0)", 1000+n),
					fmt.Sprintf("UPDATE t SET v = v + 1 WHERE k = %d", n%40),
				}[n%2]}, nil, nil)
			}}
			e := newEnv(&observe.Listener{})
			e.Sleep = func(ctx context.Context, d time.Duration) error {
				c.tick(1 + int(d/time.Millisecond))
				return ctx.Err()
			}
			attempts, repairs := 0, 0
			e.Listener.Attempt = func(observe.Attempt) { attempts++ }
			e.Listener.Reconciled = func(observe.Reconciled) { repairs++ }
			r, err := sayAs(t.Context(), e, c, "MERGE INTO t USING (SELECT 1 AS k, 5 AS v) s ON t.k = s.k WHEN MATCHED THEN UPDATE SET v = t.v + s.v WHEN NOT MATCHED BY SOURCE THEN UPDATE SET v = t.v + 1000")
			if err != nil || c.broken != nil {
				t.Fatal(err, c.broken)
			}
			if !r.Commit.Committed || attempts > 12 || repairs > c.commits {
				t.Errorf("committed %t after %d attempts and %d repairs, behind %d commits of others", r.Commit.Committed, attempts, repairs, c.commits)
			}
			s, err := kit.Log.Update(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			rows, err := tablekit.Rows(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range rows {
				var k, v int
				if _, err := fmt.Sscanf(text, `{"k":%d,"v":%d}`, &k, &v); err != nil {
					t.Fatal(err)
				}
				if k != 1 && v < 1000 && s.Version() == r.Commit.Version {
					t.Errorf("%s was overlooked", text)
				}
			}
			t.Logf("%d attempts, %d winners met, %d commits of others", attempts, repairs, c.commits)
		})
	}
}

func sayAs(ctx context.Context, e *env.Env, store storage.Driver, sql string) (*session.Result, error) {
	s := session.New(session.World{Env: e})
	l := txn.NewLog(e, storage.NewBucket(store), txn.Policy{NoChecksum: true, NoCheckpoint: true})
	defer l.Close(ctx)
	s.AddLog("t", l)
	st, err := parse.One(sql)
	if err != nil {
		return nil, err
	}
	return s.Exec(ctx, st)
}

// elsewhere is a store at an address of its own, so that its writers are alone in
// their commit lane, as processes are.
type elsewhere struct {
	storage.Driver
	url string
}

func (e *elsewhere) URL() string { return e.url }

// Processes that each merge one row into one table, over and over, all come through:
// each try that fails is a commit of another, so tries are bounded.
func TestStormOfMerges(t *testing.T) {
	const writers, each = 6, 8
	store := tablekit.Place().(*memory.Store)
	kit := tablekit.New(t, tablekit.Spec{DDL: "k INT, v INT", Driver: store, Env: newEnv(nil), Policy: txn.Policy{NoChecksum: true, NoCheckpoint: true}})
	var attempts, most atomic.Int64
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			e := env.New()
			e.Workers = 1
			var tries int64
			e.Listener = &observe.Listener{Attempt: func(a observe.Attempt) { attempts.Add(1); tries = max(tries, int64(a.Number)) }}
			for i := range each {
				own := &elsewhere{store, fmt.Sprintf("%s/%d", store.URL(), w)}
				_, err := sayAs(t.Context(), e, own, fmt.Sprintf("MERGE INTO t USING (SELECT %d AS k, %d AS v) s ON t.k = s.k WHEN MATCHED THEN UPDATE SET v = t.v + 1 WHEN NOT MATCHED THEN INSERT *", w, i))
				if err != nil {
					t.Error(err)
					return
				}
			}
			for old := most.Load(); tries > old && !most.CompareAndSwap(old, tries); old = most.Load() {
			}
		})
	}
	wg.Wait()
	rows := kit.Rows(t)
	if len(rows) != writers || strings.Count(strings.Join(rows, ""), fmt.Sprintf(`"v":%d}`, each-1)) != writers {
		t.Errorf("rows %v", rows)
	}
	if most.Load() > writers*each {
		t.Errorf("a statement was tried %d times", most.Load())
	}
	t.Logf("%d commits in %d tries, %d at most for one", writers*each, attempts.Load(), most.Load())
}
