package txn_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/rows/rewrite"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/insert"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/faultstore"
	"github.com/sluicelake/sluice/storage/memory"
	"github.com/sluicelake/sluice/types"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func kit(t *testing.T, change ...func(*tablekit.Spec)) *tablekit.Kit {
	t.Helper()
	spec := tablekit.Spec{DDL: "p STRING, v INT", PartitionBy: []string{"p"},
		Files: [][]string{{`{"p":"a","v":1}`}, {`{"p":"b","v":2}`}}}
	for _, f := range change {
		f(&spec)
	}
	return tablekit.New(t, spec)
}

func begin(t *testing.T, l *txn.Log) *txn.Txn {
	t.Helper()
	tx, err := l.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

// condition binds a condition to the table of a transaction.
func condition(t *testing.T, tx *txn.Txn, sql string) expr.Expr {
	t.Helper()
	e, err := expr.Parse(sql)
	if err != nil {
		t.Fatal(err)
	}
	bound, err := expr.Bind(e, expr.Scope{Tables: []expr.Table{{Name: "t", Schema: tx.Snapshot().Schema()}}})
	if err != nil {
		t.Fatal(err)
	}
	return bound
}

// file is an add that says it lies in a partition; nobody reads it.
func file(name, p string) *action.Add {
	return &action.Add{Path: "p=" + p + "/" + name, PartitionValues: action.PartitionValues{"p": &p}, Size: 1, DataChange: true, Stats: `{"numRecords":1}`}
}

func op(name string) txn.Operation { return txn.Operation{Name: name, ChangesData: true} }

func commit(t *testing.T, tx *txn.Txn, acts ...action.Action) txn.Result {
	t.Helper()
	res, err := tx.Commit(t.Context(), acts, op("Manual Update"), txn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestActive(t *testing.T) {
	k := kit(t)
	one, two := begin(t, k.Log), begin(t, k.Log)
	ctx, err := txn.WithActive(t.Context(), one)
	if err != nil || txn.Active(ctx) != one || txn.Active(t.Context()) != nil {
		t.Fatal("the transaction is not active in its context", err)
	}
	var active *txn.ActiveError
	if _, err := txn.WithActive(ctx, two); !errors.As(err, &active) || active.Active != one.ID() || active.Second != two.ID() ||
		!strings.Contains(err.Error(), "DELTA_ACTIVE_TRANSACTION_ALREADY_SET") {
		t.Errorf("a second active transaction: %v", err)
	}
	one.Abandon()
	if txn.Active(ctx) != nil {
		t.Error("an ended transaction is active")
	}
	if _, err := txn.WithActive(ctx, two); err != nil {
		t.Errorf("after the first has ended: %v", err)
	}
	if _, err := one.Commit(t.Context(), nil, op("x"), txn.Options{}); !errors.Is(err, txn.ErrEnded) {
		t.Errorf("commit of an ended transaction: %v", err)
	}
	if err := one.UpdateMetadata(&action.Metadata{}); !errors.Is(err, txn.ErrEnded) {
		t.Errorf("change of an ended transaction: %v", err)
	}
}

// TestRecordedReads: a winner's file hits a low-level transaction that read its
// partition, and nobody else.
func TestRecordedReads(t *testing.T) {
	for _, c := range []struct {
		name  string
		read  func(t *testing.T, tx *txn.Txn)
		win   func(s *snapshot.Snapshot) []action.Action
		class string // "" commits
	}{
		{"nothing read", func(*testing.T, *txn.Txn) {}, adds("a"), ""},
		{"other partition read", filter("p = 'b'"), adds("a"), ""},
		{"same partition read", filter("p = 'a'"), adds("a"), conflict.ClassAppend},
		{"whole table read", func(_ *testing.T, tx *txn.Txn) { tx.ReadWholeTable() }, adds("c"), conflict.ClassAppend},
		{"read file removed", filter("p = 'a'"), removes("a"), conflict.ClassDeleteRead},
		{"other file removed", filter("p = 'b'"), removes("a"), ""},
		{"read file moved by OPTIMIZE", filter("p = 'a'"), relocates("a"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := kit(t)
			tx := begin(t, k.Log)
			c.read(t, tx)
			if err := tablekit.Publish(t.Context(), k.Bucket, tx.ReadVersion()+1, "WRITE", c.win(tx.Snapshot())...); err != nil {
				t.Fatal(err)
			}
			res, err := tx.Commit(t.Context(), []action.Action{file("mine", "z")}, op("Manual Update"), txn.Options{})
			var ce *conflict.Error
			switch {
			case c.class == "" && (err != nil || res.Version != tx.ReadVersion()+2 || len(res.Winners) != 1):
				t.Errorf("version %d, %d winners: %v", res.Version, len(res.Winners), err)
			case c.class != "" && (!errors.As(err, &ce) || !strings.Contains(err.Error(), c.class)):
				t.Errorf("want %s: %v", c.class, err)
			}
		})
	}
}

func filter(sql string) func(*testing.T, *txn.Txn) {
	return func(t *testing.T, tx *txn.Txn) {
		if got := tx.Filter(condition(t, tx, sql)); len(got) != 1 {
			t.Fatalf("the filter finds %d files, want 1", len(got))
		}
	}
}

func adds(p string) func(*snapshot.Snapshot) []action.Action {
	return func(*snapshot.Snapshot) []action.Action { return []action.Action{file("theirs", p)} }
}

func find(s *snapshot.Snapshot, p string) *action.Add {
	for i := range s.Files().All() {
		if a := s.Files().Add(i); *a.PartitionValues["p"] == p {
			return a
		}
	}
	return nil
}

func removes(p string) func(*snapshot.Snapshot) []action.Action {
	return func(s *snapshot.Snapshot) []action.Action { return []action.Action{rewrite.RemoveOf(find(s, p), 1)} }
}

func relocates(p string) func(*snapshot.Snapshot) []action.Action {
	return func(s *snapshot.Snapshot) []action.Action {
		r, a := rewrite.RemoveOf(find(s, p), 1), *find(s, p)
		r.DataChange, a.DataChange, a.Path = false, false, a.Path+".moved"
		return []action.Action{r, &a}
	}
}

// TestBlindAppendIsTheTruth holds commitInfo.isBlindAppend against what happened.
func TestBlindAppendIsTheTruth(t *testing.T) {
	k := kit(t)
	if err := k.Append(t.Context(), `{"p":"a","v":3}`); err != nil {
		t.Fatal(err)
	}
	check := func(what string, want bool) {
		t.Helper()
		s, err := k.Snapshot(t.Context(), snapshot.Latest())
		if err != nil {
			t.Fatal(err)
		}
		if got := s.CommitInfo().IsBlindAppend; got == nil || *got != want {
			t.Errorf("%s: isBlindAppend %v, want %t", what, got, want)
		}
	}
	check("an append", true)
	commit(t, begin(t, k.Log), file("blind", "z"))
	check("an add without reads", true)
	tx := begin(t, k.Log)
	tx.Filter(condition(t, tx, "v = 100"))
	commit(t, tx, file("seen", "z"))
	check("an add behind a read that found nothing", false)
	tx = begin(t, k.Log)
	commit(t, tx, rewrite.RemoveOf(find(tx.Snapshot(), "z"), 1))
	check("a remove", false)
}

func TestCommitInfo(t *testing.T) {
	k := kit(t, func(s *tablekit.Spec) { s.Policy = txn.Policy{Engine: "engine/1", User: "somebody"} })
	tx := begin(t, k.Log)
	o := op("Manual Update")
	o.Parameters = map[string]json.RawMessage{"mode": json.RawMessage(`"x"`)}
	o.Metrics, o.UserMetadata, o.Tags = map[string]string{"n": "1"}, "note", map[string]string{"tag": "1"}
	res, err := tx.Commit(t.Context(), []action.Action{file("f", "z")}, o, txn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	data, _, err := deltalog.ReadCommit(t.Context(), k.Bucket, res.Version)
	if err != nil {
		t.Fatal(err)
	}
	acts, err := action.ParseCommit(data, "commit")
	if err != nil {
		t.Fatal(err)
	}
	info, ok := acts[0].(*action.CommitInfo)
	if !ok {
		t.Fatalf("the first action is %s", acts[0].Key())
	}
	if info.Operation != "Manual Update" || *info.TxnID != tx.ID() || res.TxnID != tx.ID() || *info.ReadVersion != tx.ReadVersion() ||
		*info.IsolationLevel != "Serializable" || *info.EngineInfo != "engine/1" || *info.UserName != "somebody" || *info.UserMetadata != "note" ||
		string(info.OperationParameters["mode"]) != `"x"` || info.OperationMetrics["n"] != "1" || info.Tags["tag"] != "1" || info.Timestamp == nil {
		t.Errorf("commitInfo: %s", data)
	}
	if res.Snapshot.Version() != res.Version || !res.Committed || res.Attempts != 1 {
		t.Errorf("result: %+v", res)
	}
}

// TestApplicationOnce: however many try at once, an application's version is
// committed once.
func TestApplicationOnce(t *testing.T) {
	k := kit(t)
	const n = 6
	var all, prepared sync.WaitGroup
	prepared.Add(n)
	skipped := make([]bool, n)
	for i := range n {
		all.Go(func() {
			src, err := tablekit.Source(k.Schema, fmt.Sprintf(`{"p":"app","v":%d}`, i))
			if err != nil {
				t.Error(err)
				return
			}
			res, err := insert.Run(t.Context(), k.Log, src, insert.Options{Options: merge.Options{AppID: "job", AppVersion: 7,
				Commit: txn.Options{BeforePublish: func(context.Context) error { prepared.Done(); prepared.Wait(); return nil }}}})
			if err != nil {
				t.Error(err)
			}
			skipped[i] = res.Skipped
		})
	}
	all.Wait()
	rows := k.Rows(t)
	apps := slices.DeleteFunc(rows, func(r string) bool { return !strings.Contains(r, "app") })
	if len(apps) != 1 {
		t.Errorf("%d commits of one application version: %v", len(apps), apps)
	}
	done := 0
	for _, s := range skipped {
		if !s {
			done++
		}
	}
	if done != 1 {
		t.Errorf("%d writers say that they committed", done)
	}
	s, err := k.Snapshot(t.Context(), snapshot.Latest())
	if v, ok := s.AppVersion("job"); err != nil || !ok || v != 7 {
		t.Errorf("application version %d %t %v", v, ok, err)
	}
	tx := begin(t, k.Log)
	if tx.AppVersion("job") != 7 || tx.AppVersion("nobody") != -1 {
		t.Error("the transaction sees other application versions")
	}
}

// TestInCommitTimestampsIncrease although the clock stands still or runs back.
func TestInCommitTimestampsIncrease(t *testing.T) {
	e := env.New()
	now := time.UnixMilli(1_700_000_000_000)
	var mu sync.Mutex
	e.Now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(-time.Second)
		return now
	}
	k := kit(t, func(s *tablekit.Spec) {
		s.Env, s.Properties = e, map[string]string{"delta.enableInCommitTimestamps": "true"}
	})
	for range 5 {
		commit(t, begin(t, k.Log), file(e.NewID(), "z"))
	}
	last := int64(0)
	for v := int64(0); ; v++ {
		s, err := k.Snapshot(t.Context(), snapshot.Version(v))
		if errors.Is(err, snapshot.ErrVersionNotFound) {
			if v < 7 {
				t.Errorf("%d versions", v)
			}
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		ms, ok := s.InCommitTimestamp()
		if !ok || ms <= last {
			t.Errorf("version %d: in-commit timestamp %d behind %d", v, ms, last)
		}
		last = ms
	}
}

// world is a kit whose store can be made to fail from now on.
func world(t *testing.T) (*tablekit.Kit, *faultstore.Store, *txn.Log) {
	t.Helper()
	driver := tablekit.Place()
	k := kit(t, func(s *tablekit.Spec) { s.Driver = driver })
	store := faultstore.New(driver, nil)
	e := env.New()
	e.Sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	l := txn.NewLog(e, storage.NewBucket(store), txn.Policy{})
	t.Cleanup(func() { l.Close(context.Background()) })
	return k, store, l
}

// TestUnknownOutcomeIsResolved in both directions: the request arrived, or not.
func TestUnknownOutcomeIsResolved(t *testing.T) {
	put := faultstore.OpPutIfAbsent
	for name, plan := range map[string]faultstore.Plan{
		"reply lost":         faultstore.Nth(1, put, "_delta_log", faultstore.Lost()),
		"request lost":       faultstore.Nth(1, put, "_delta_log", faultstore.NotSent()),
		"request lost twice": faultstore.First(faultstore.Nth(1, put, "_delta_log", faultstore.NotSent()), faultstore.Nth(2, put, "_delta_log", faultstore.NotSent())),
		"both": faultstore.First(faultstore.Nth(1, put, "_delta_log", faultstore.NotSent()), faultstore.Nth(2, put, "_delta_log", faultstore.Lost()),
			faultstore.Nth(1, faultstore.OpGet, "_delta_log", faultstore.Fail())),
	} {
		t.Run(name, func(t *testing.T) {
			k, store, l := world(t)
			tx := begin(t, l)
			store.SetPlan(plan)
			res := commit(t, tx, file("mine", "z"))
			if res.Version != tx.ReadVersion()+1 {
				t.Errorf("version %d", res.Version)
			}
			s, err := k.Snapshot(t.Context(), snapshot.Latest())
			if err != nil || s.Version() != res.Version || s.NumFiles() != 3 {
				t.Errorf("%v %v", s, err)
			}
		})
	}
}

// twice sends each put-if-absent a second time, whose answer is the one that comes back.
type twice struct{ storage.Driver }

func (d twice) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	_ = d.Driver.PutIfAbsent(ctx, key, data)
	return d.Driver.PutIfAbsent(ctx, key, data)
}

// TestRequestSentTwice: a proxy repeats the request; the commit is not taken for another's.
func TestRequestSentTwice(t *testing.T) {
	driver := tablekit.Place()
	k := kit(t, func(s *tablekit.Spec) { s.Driver = driver })
	l := txn.NewLog(env.New(), storage.NewBucket(twice{driver}), txn.Policy{})
	t.Cleanup(func() { l.Close(context.Background()) })
	for i := range 3 {
		tx := begin(t, l)
		res := commit(t, tx, file(fmt.Sprint("mine", i), "z"))
		if res.Version != tx.ReadVersion()+1 || len(res.Winners) != 0 {
			t.Errorf("version %d behind %d, winners %v", res.Version, tx.ReadVersion(), res.Winners)
		}
	}
	s, err := k.Snapshot(t.Context(), snapshot.Latest())
	if err != nil || s.NumFiles() != 5 {
		t.Errorf("%v %v", s, err)
	}
}

// TestUnknownOutcomeLostToAnother: while nobody knows, another writer takes the version.
func TestUnknownOutcomeLostToAnother(t *testing.T) {
	k, store, l := world(t)
	tx := begin(t, l)
	first := true
	store.SetPlan(func(c faultstore.Call) faultstore.Fault {
		if c.Op != faultstore.OpPutIfAbsent || !strings.Contains(c.Key, "_delta_log") || !first {
			return faultstore.Fault{}
		}
		first = false
		if err := tablekit.Publish(context.Background(), k.Bucket, tx.ReadVersion()+1, "WRITE", file("theirs", "z")); err != nil {
			t.Error(err)
		}
		return faultstore.NotSent()
	})
	res := commit(t, tx, file("mine", "z"))
	if res.Version != tx.ReadVersion()+2 || len(res.Winners) != 1 {
		t.Errorf("version %d behind %d winners", res.Version, len(res.Winners))
	}
}

// TestUnknownOutcomeStays: the store does not come back.
func TestUnknownOutcomeStays(t *testing.T) {
	_, store, l := world(t)
	tx := begin(t, l)
	store.SetPlan(faultstore.First(faultstore.Nth(1, faultstore.OpPutIfAbsent, "_delta_log", faultstore.Lost()),
		faultstore.Every(faultstore.OpsRead|faultstore.OpPutIfAbsent, "", faultstore.Fail())))
	_, err := tx.Commit(t.Context(), []action.Action{file("mine", "z")}, op("Manual Update"), txn.Options{})
	var unknown *txn.UnknownError
	if !errors.As(err, &unknown) || unknown.TxnID != tx.ID() || unknown.Version != tx.ReadVersion()+1 || !strings.Contains(err.Error(), tx.ID()) {
		t.Errorf("%v", err)
	}
}

// greedy is a store in which another writer is always faster.
type greedy struct {
	*memory.Store
	left int
	key  func() string
}

func (g *greedy) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	if strings.HasSuffix(key, ".json") && g.left > 0 {
		g.left--
		if err := g.Store.PutIfAbsent(ctx, key, []byte(`{"commitInfo":{"operation":"WRITE"}}`+"\n"+`{"txn":{"appId":"`+g.key()+`","version":1}}`+"\n")); err != nil {
			return err
		}
	}
	return g.Store.PutIfAbsent(ctx, key, data)
}

func TestAttemptsAreBounded(t *testing.T) {
	for _, c := range []struct {
		losses int
		ok     bool
	}{{4, true}, {5, false}} {
		driver := tablekit.Place().(*memory.Store)
		k := kit(t, func(s *tablekit.Spec) { s.Driver = driver })
		e := env.New()
		var pauses int
		e.Sleep = func(context.Context, time.Duration) error { pauses++; return nil }
		l := txn.NewLog(e, storage.NewBucket(&greedy{driver, c.losses, e.NewID}), txn.Policy{MaxAttempts: 5})
		tx := begin(t, l)
		res, err := tx.Commit(t.Context(), []action.Action{file("mine", "z")}, op("Manual Update"), txn.Options{})
		if c.ok && (err != nil || res.Attempts != 5 || len(res.Winners) != 4 || pauses == 0) {
			t.Errorf("%d losses: %+v %v, %d pauses", c.losses, res, err, pauses)
		}
		if !c.ok && (err == nil || !strings.Contains(err.Error(), "DELTA_MAX_COMMIT_RETRIES_EXCEEDED") || !strings.Contains(err.Error(), "nothing was committed")) {
			t.Errorf("%d losses: %v", c.losses, err)
		}
		l.Close(t.Context())
		_ = k
	}
}

// TestMetadataWinner: a statement is bound and run again, a list of actions is
// told; a property that concerns nobody changes nothing.
func TestMetadataWinner(t *testing.T) {
	column := func(s *snapshot.Snapshot) *action.Metadata {
		md := *s.Metadata()
		md.SchemaString = types.JSON(types.NewStruct(append(slices.Clone(s.Schema().Fields), types.Field{Name: "x", Type: types.Integer, Nullable: true})...))
		return &md
	}
	property := func(s *snapshot.Snapshot) *action.Metadata {
		md := *s.Metadata()
		md.Configuration = map[string]string{"note": "1"}
		for key, v := range s.Metadata().Configuration {
			md.Configuration[key] = v
		}
		return &md
	}
	for _, c := range []struct {
		name   string
		change func(*snapshot.Snapshot) *action.Metadata
		runs   int
		class  string
	}{{"column added", column, 2, conflict.ClassMetadata}, {"property set", property, 1, ""}} {
		t.Run(c.name, func(t *testing.T) {
			k := kit(t)
			m, err := parse.MergeStatement("MERGE INTO t USING s ON t.v = s.v WHEN MATCHED THEN UPDATE SET p = 'new' WHEN NOT MATCHED THEN INSERT (p, v) VALUES (s.p, s.v)")
			if err != nil {
				t.Fatal(err)
			}
			src, err := tablekit.Table(k.Schema, `{"p":"s","v":1}`, `{"p":"s","v":9}`)
			if err != nil {
				t.Fatal(err)
			}
			publish := func(ctx context.Context) error {
				s, err := k.Snapshot(ctx, snapshot.Latest())
				if err != nil {
					return err
				}
				return tablekit.Publish(ctx, k.Bucket, s.Version()+1, "ALTER", c.change(s))
			}
			res, err := merge.Run(t.Context(), k.Log, m.Spec, src, merge.Options{Commit: txn.Options{BeforePublish: publish}})
			if err != nil || res.Runs != c.runs || res.Metrics.Updated() != 1 || res.Metrics.Inserted != 1 {
				t.Errorf("%d runs, %+v, %v", res.Runs, res.Metrics, err)
			}
			if n := len(k.Rows(t)); n != 3 {
				t.Errorf("%d rows", n)
			}
			tx := begin(t, k.Log)
			if c.class != "" {
				s, err := k.Snapshot(t.Context(), snapshot.Latest())
				if err != nil {
					t.Fatal(err)
				}
				md := column(s)
				md.SchemaString = strings.ReplaceAll(md.SchemaString, `"x"`, `"y"`)
				if err := tablekit.Publish(t.Context(), k.Bucket, s.Version()+1, "ALTER", md); err != nil {
					t.Fatal(err)
				}
			} else if err := publish(t.Context()); err != nil {
				t.Fatal(err)
			}
			_, err = tx.Commit(t.Context(), []action.Action{file("mine", "z")}, op("Manual Update"), txn.Options{})
			if (err != nil) != (c.class != "") || err != nil && !strings.Contains(err.Error(), c.class) {
				t.Errorf("low-level: %v", err)
			}
		})
	}
}

// TestInvalidActions are refused before anything is published.
func TestInvalidActions(t *testing.T) {
	k := kit(t)
	bad := file("x", "z")
	bad.PartitionValues = action.PartitionValues{}
	s := begin(t, k.Log).Snapshot()
	r := rewrite.RemoveOf(find(s, "a"), 1)
	for class, acts := range map[string][]action.Action{
		"is added twice":                     {file("x", "z"), file("x", "z")},
		"is removed twice":                   {r, r},
		"DELTA_PARTITION_COLUMNS_MISMATCH":   {bad},
		"metadata or protocol is written tw": {s.Metadata(), s.Metadata()},
	} {
		_, err := begin(t, k.Log).Commit(t.Context(), acts, op("Manual Update"), txn.Options{})
		var invalid *txn.InvalidError
		if !errors.As(err, &invalid) || !strings.Contains(err.Error(), class) || !strings.Contains(err.Error(), "nothing was committed") {
			t.Errorf("%s: %v", class, err)
		}
	}
	if now, err := k.Snapshot(t.Context(), snapshot.Latest()); err != nil || now.Version() != s.Version() {
		t.Errorf("%v %v", now, err)
	}
}

// TestStepsAreLogged with the transaction's id.
func TestStepsAreLogged(t *testing.T) {
	var buf bytes.Buffer
	e := env.New()
	e.Log = slog.New(slog.NewTextHandler(&buf, &slog.HandlerOptions{Level: slog.LevelDebug}))
	k := kit(t, func(s *tablekit.Spec) { s.Env = e })
	tx := begin(t, k.Log)
	tx.Filter(condition(t, tx, "p = 'b'"))
	if err := tablekit.Publish(t.Context(), k.Bucket, tx.ReadVersion()+1, "WRITE", file("theirs", "z")); err != nil {
		t.Fatal(err)
	}
	commit(t, tx, file("mine", "z"))
	k.Log.Close(t.Context())
	for _, step := range []string{"transaction begins", "read recorded", "publishing", "version taken", "winner judged", "committed"} {
		if !slices.ContainsFunc(strings.Split(buf.String(), "\n"), func(line string) bool {
			return strings.Contains(line, step) && strings.Contains(line, tx.ID())
		}) {
			t.Errorf("%q is not logged", step)
		}
	}
}

// TestCancelledBeforePublishing: nothing is committed and the error says so.
func TestCancelledBeforePublishing(t *testing.T) {
	k := kit(t)
	tx := begin(t, k.Log)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := tx.Commit(ctx, []action.Action{file("mine", "z")}, op("Manual Update"), txn.Options{BeforePublish: func(context.Context) error { cancel(); return nil }})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "nothing was committed") {
		t.Errorf("%v", err)
	}
	if s, err := k.Snapshot(t.Context(), snapshot.Latest()); err != nil || s.Version() != tx.ReadVersion() {
		t.Errorf("%v %v", s, err)
	}
}
