package faults

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluicelake/sluice/internal/base/address"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/proof/testkit"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/dml"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/internal/verbs/read"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/faultstore"
	"github.com/sluicelake/sluice/storage/memory"
)

// site is a table in a time of its own, with what every version of it held.
type site struct {
	*tablekit.Kit
	driver  storage.Driver
	other   storage.Driver // another place
	up      storage.Driver // driver, with the troubles of a run
	now     atomic.Int64
	oldest  int64 // versions from here on have to stay
	history map[int64][]string
	extra   map[string]string // what a chore wants to remember
}

// chore is an upkeep verb with a table that needs it.
type chore struct {
	name    string
	spec    tablekit.Spec
	prepare func(ctx context.Context, s *site) error
	run     func(ctx context.Context, l *txn.Log, s *site) error
	// done says what is missing after a run that went well.
	done func(ctx context.Context, s *site) error
	// rows are those of the newest version afterwards; nil: as before.
	rows func(s *site) []string
	// apart says that the verb works at the other place.
	apart bool
	// broken says that the newest version cannot be read before.
	broken bool
}

const day = 24 * time.Hour

func (s *site) pass(d time.Duration) { s.now.Add(int64(d)) }

func (s *site) env() *env.Env {
	e := impatient()
	e.Now = func() time.Time { return time.Unix(0, s.now.Load()).UTC() }
	// A shallow clone may read the files of its source.
	e.Outside, _ = address.Allow([]address.Place{{Prefix: s.driver.URL()}}, func(context.Context, string) (*storage.Bucket, error) {
		return storage.NewBucket(s.driver), nil
	})
	return e
}

// quiet is without what goes on behind commits, so that calls can be counted.
var quiet = txn.Policy{NoCheckpoint: true, NoChecksum: true}

func newSite(ctx context.Context, c chore) (*site, error) {
	s := &site{history: map[int64][]string{}, extra: map[string]string{}}
	s.now.Store(time.Date(2031, 3, 1, 0, 0, 0, 0, time.UTC).UnixNano())
	s.driver = memory.New(memory.WithURL(tablekit.Place().URL()), memory.WithClock(func() time.Time { return time.Unix(0, s.now.Load()).UTC() }))
	s.other = tablekit.Place()
	spec := c.spec
	spec.Driver, spec.Env, spec.Policy = s.driver, s.env(), quiet
	spec.DDL = "k INT, p STRING, v INT"
	if spec.Files == nil {
		spec.Files = [][]string{{`{"k":1,"p":"a","v":10}`, `{"k":2,"p":"a","v":20}`, `{"k":3,"p":"b","v":30}`}, {`{"k":4,"p":"b","v":40}`, `{"k":5,"p":"a","v":50}`, `{"k":6,"p":"b","v":60}`},
			{`{"k":7,"p":"a","v":70}`, `{"k":8,"p":"b","v":80}`}}
	}
	var err error
	if s.Kit, err = tablekit.Make(ctx, spec); err != nil {
		return nil, err
	}
	if c.prepare != nil {
		if err := c.prepare(ctx, s); err != nil {
			return nil, err
		}
	}
	s.Log.Close(ctx)
	last, err := s.Snapshot(ctx, snapshot.Latest())
	if err != nil {
		return nil, err
	}
	for v := s.oldest; v <= last.Version(); v++ {
		rows, err := s.read(ctx, snapshot.Version(v))
		switch {
		case err == nil:
			s.history[v] = rows
		case !c.broken:
			return nil, err
		}
	}
	return s, nil
}

// change runs an UPDATE or a DELETE.
func (s *site) change(ctx context.Context, text string) error {
	st, err := parse.One(text)
	if err == nil {
		_, err = dml.Run(ctx, s.Log, st.(*parse.Change).Spec, merge.Options{})
	}
	return err
}

func (s *site) read(ctx context.Context, at snapshot.At) ([]string, error) {
	n, err := s.Snapshot(ctx, at)
	if err != nil {
		return nil, err
	}
	return tablekit.Rows(ctx, n)
}

func (s *site) newest(ctx context.Context) (*snapshot.Snapshot, error) {
	return s.Snapshot(ctx, snapshot.Latest())
}

// identities are the rows of the newest version with their ids.
func (s *site) identities(ctx context.Context) (out []string, err error) {
	n, err := s.newest(ctx)
	if err != nil {
		return nil, err
	}
	p, err := read.NewPlan(n, read.Spec{Columns: []string{"k", "_metadata.row_id AS id", "_metadata.row_commit_version AS at"}, Limit: -1})
	if err != nil {
		return nil, err
	}
	for b, err := range p.Rows(ctx, s.Env) {
		if err != nil {
			return nil, err
		}
		for i := range int(b.NumRows()) {
			out = append(out, string(columns.AppendCanonicalRow(nil, b.Columns(), p.Schema(), i)))
		}
	}
	slices.Sort(out)
	return out, nil
}

// intact checks that every version reads as it did, and that the newest has rows
// that it may have; nil is any, or none that can be read.
func (s *site) intact(ctx context.Context, t *testing.T, when string, allowed ...[]string) {
	t.Helper()
	for v, want := range s.history {
		got, err := s.read(ctx, snapshot.Version(v))
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: version %d reads %v, %v; want %v", when, v, got, err, want)
		}
	}
	got, err := s.read(ctx, snapshot.Latest())
	if err != nil && slices.ContainsFunc(allowed, func(w []string) bool { return w == nil }) {
		return
	}
	if err != nil || !slices.ContainsFunc(allowed, func(w []string) bool { return slices.Equal(w, got) }) {
		t.Errorf("%s: the newest version reads %v, %v; want one of %v", when, got, err, allowed)
	}
}

// suffering shares a plan among stores.
func suffering(plan faultstore.Plan, calls *int) faultstore.Plan {
	var mu sync.Mutex
	return func(c faultstore.Call) faultstore.Fault {
		mu.Lock()
		defer mu.Unlock()
		if *calls++; plan == nil {
			return faultstore.Fault{}
		}
		return plan(c)
	}
}

// log is where the chore works.
func (c chore) log(s *site, table, other storage.Driver) *txn.Log {
	s.up = table
	if c.apart {
		table = other
	}
	return txn.NewLog(s.env(), storage.NewBucket(table), quiet)
}

// suffer runs the chore with a plan of troubles, looks, and runs it again.
func (c chore) suffer(t *testing.T, tr trouble, k int) (calls int) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	s, err := newSite(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	before, err := s.read(ctx, snapshot.Latest())
	if err != nil && !c.broken {
		t.Fatal(err)
	}
	after := before
	if c.rows != nil {
		after = c.rows(s)
	}
	plan := faultstore.Nth(k, faultstore.OpsAll, "", tr.fault)
	if tr.gone {
		plan = faultstore.From(k, faultstore.OpsAll, tr.fault)
	}
	if k == 0 {
		plan = nil
	}
	plan = suffering(plan, &calls)
	cancelled, cancel := context.WithCancel(ctx)
	defer cancel()
	var stores []storage.Driver
	for _, d := range []storage.Driver{s.driver, s.other} {
		store := faultstore.New(d, plan)
		store.SetSleep(func(ctx context.Context, d time.Duration) error {
			if d < time.Hour {
				return nil
			}
			cancel()
			return ctx.Err()
		})
		stores = append(stores, store)
	}
	l := c.log(s, stores[0], stores[1])
	err = c.run(cancelled, l, s)
	l.Close(ctx)
	when := fmt.Sprintf("after the first run (%v)", err)
	if err == nil && c.rows != nil {
		before = after
	}
	s.intact(ctx, t, when, before, after)
	if err == nil {
		if err := c.done(ctx, s); err != nil {
			t.Errorf("the run says that it is done, but %v", err)
		}
	}
	if k == 0 {
		if err != nil {
			t.Errorf("fails without any trouble: %v", err)
		}
		return calls
	}
	again := c.log(s, s.driver, s.other)
	if err := c.run(ctx, again, s); err != nil {
		t.Errorf("%s: the second run: %v", when, err)
	}
	again.Close(ctx)
	s.intact(ctx, t, "after the second run", after)
	if err := c.done(ctx, s); err != nil {
		t.Errorf("%s: after the second run %v", when, err)
	}
	return calls
}

// TestEveryCallOfUpkeep lets calls of the upkeep verbs go wrong: a few of each,
// chosen by SLUICE_SEED, or all where SLUICE_HEAVY is set (some ten minutes of a core; in
// parts with SLUICE_SLICE). The table reads, and so
// does each version that is retained; a second run does what is left.
func TestEveryCallOfUpkeep(t *testing.T) {
	heavy := os.Getenv("SLUICE_HEAVY") != ""
	mine := testkit.Slice(t)
	cases, runs := 0, 0
	for _, c := range chores() {
		t.Run(c.name, func(t *testing.T) {
			calls := c.suffer(t, trouble{}, 0)
			h := fnv.New64a()
			fmt.Fprint(h, c.name, os.Getenv("SLUICE_SEED"))
			r := rand.New(rand.NewPCG(h.Sum64(), 7))
			for _, tr := range troubles {
				list := r.Perm(calls)
				if !heavy {
					list = list[:min(len(list), 3)]
				}
				slices.Sort(list)
				for _, k := range list {
					if cases++; !mine(cases - 1) {
						continue
					}
					runs++
					t.Run(fmt.Sprintf("%s at call %d", tr.name, k+1), func(t *testing.T) { c.suffer(t, tr, k+1) })
				}
			}
			t.Logf("%d calls to the store", calls)
		})
	}
	t.Logf("%d runs", runs)
}

// left says what there should not be.
func left(what string, n int) error {
	if n == 0 {
		return nil
	}
	return fmt.Errorf("there are still %d %s", n, what)
}

func contains(keys []string, part string) bool {
	return slices.ContainsFunc(keys, func(k string) bool { return strings.Contains(k, part) })
}

var errNothing = errors.New("nothing was done")
