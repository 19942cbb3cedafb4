// Package faults lets every single call to the store go wrong, one after the
// other, and looks at what is left: the table is as it was or has the commit
// once, the error says which, and nothing leaks.
package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/rows/rewrite"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/dml"
	"github.com/sluicelake/sluice/internal/verbs/insert"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/faultstore"
	"github.com/sluicelake/sluice/storage/local"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const mergeSQL = `MERGE INTO target t USING source s ON t.k = s.k
WHEN MATCHED AND s.v < 0 THEN DELETE
WHEN MATCHED THEN UPDATE SET v = s.v
WHEN NOT MATCHED THEN INSERT (k, p, v) VALUES (s.k, s.p, s.v)
WHEN NOT MATCHED BY SOURCE AND t.p = 'c' THEN DELETE`

var sourceRows = []string{`{"k":1,"p":"a","v":100}`, `{"k":3,"p":"b","v":-1}`, `{"k":5,"p":"c","v":500}`, `{"k":9,"p":"a","v":900}`, `{"k":12,"p":"b","v":1200}`}

// scenario is a statement on a table.
type scenario struct {
	name    string
	vectors bool
	winner  bool // another engine commits in between
	run     func(ctx context.Context, l *txn.Log, before func(context.Context) error) (committed bool, id string, err error)
}

func runMerge(ctx context.Context, l *txn.Log, before func(context.Context) error) (bool, string, error) {
	m, err := parse.MergeStatement(mergeSQL)
	if err != nil {
		return false, "", err
	}
	s, err := l.Update(ctx)
	if err != nil {
		return false, "", err
	}
	src, err := tablekit.Table(s.Schema(), sourceRows...)
	if err != nil {
		return false, "", err
	}
	res, err := merge.Run(ctx, l, m.Spec, src, merge.Options{Commit: txn.Options{BeforePublish: before}})
	return res.Commit.Committed, res.Commit.TxnID, err
}

func runAppend(ctx context.Context, l *txn.Log, before func(context.Context) error) (bool, string, error) {
	s, err := l.Update(ctx)
	if err != nil {
		return false, "", err
	}
	src, err := tablekit.Source(s.Schema(), sourceRows...)
	if err != nil {
		return false, "", err
	}
	res, err := insert.Run(ctx, l, src, insert.Options{Options: merge.Options{Commit: txn.Options{BeforePublish: before}}})
	return res.Commit.Committed, res.Commit.TxnID, err
}

// runLarge appends files that are streamed.
func runLarge(ctx context.Context, l *txn.Log, before func(context.Context) error) (bool, string, error) {
	s, err := l.Update(ctx)
	if err != nil {
		return false, "", err
	}
	r := rand.New(rand.NewPCG(1, 1))
	rows := make([]string, 10)
	for i := range rows {
		var b strings.Builder
		for b.Len() < 1<<20 {
			fmt.Fprintf(&b, "%016x", r.Uint64())
		}
		rows[i] = fmt.Sprintf(`{"k":%d,"p":"%s","v":1}`, 100+i, b.String())
	}
	src, err := tablekit.Source(s.Schema(), rows...)
	if err != nil {
		return false, "", err
	}
	res, err := insert.Run(ctx, l, src, insert.Options{Options: merge.Options{Commit: txn.Options{BeforePublish: before}}})
	return res.Commit.Committed, res.Commit.TxnID, err
}

func runReplace(ctx context.Context, l *txn.Log, before func(context.Context) error) (bool, string, error) {
	s, err := l.Update(ctx)
	if err != nil {
		return false, "", err
	}
	src, err := tablekit.Source(s.Schema(), `{"k":7,"p":"c","v":77}`)
	if err != nil {
		return false, "", err
	}
	d, err := parse.DeleteStatement("DELETE FROM target WHERE p = 'c'")
	if err != nil {
		return false, "", err
	}
	res, err := insert.Run(ctx, l, src, insert.Options{Mode: insert.ReplaceWhere, Where: d.Spec.Where, Options: merge.Options{Commit: txn.Options{BeforePublish: before}}})
	return res.Commit.Committed, res.Commit.TxnID, err
}

func runDelete(ctx context.Context, l *txn.Log, before func(context.Context) error) (bool, string, error) {
	d, err := parse.DeleteStatement("DELETE FROM target WHERE v > 15")
	if err != nil {
		return false, "", err
	}
	res, err := dml.Run(ctx, l, d.Spec, merge.Options{Commit: txn.Options{BeforePublish: before}})
	return res.Commit.Committed, res.Commit.TxnID, err
}

var scenarios = []scenario{
	{"append", true, false, runAppend},
	{"append behind a winner", true, true, runAppend},
	{"merge, deletion vectors", true, false, runMerge},
	{"merge, copy-on-write", false, false, runMerge},
	{"merge, deletion vectors, repaired", true, true, runMerge},
	{"merge, copy-on-write, repaired", false, true, runMerge},
	{"replace where, repaired", true, true, runReplace},
	{"delete, repaired", true, true, runDelete},
}

// trouble is a way in which a call goes wrong. after says that the store stays away.
type trouble struct {
	name  string
	gone  bool
	fault faultstore.Fault
}

var troubles = []trouble{
	{"fails", false, faultstore.Fail()},
	{"reply lost", false, faultstore.Lost()},
	{"request lost", false, faultstore.NotSent()},
	{"half done", false, faultstore.Partial(1)},
	{"late", false, faultstore.Delay(time.Millisecond)},
	{"store gone", true, faultstore.Fail()},
	{"store gone, replies lost", true, faultstore.Lost()},
	{"cancelled", false, faultstore.Delay(time.Hour)},
}

// place makes the store of one run.
type place func(t *testing.T) storage.Driver

func inMemory(*testing.T) storage.Driver { return tablekit.Place() }

func onDisk(t *testing.T) storage.Driver {
	d, err := local.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func impatient() *env.Env {
	e := env.New()
	e.Workers = 1 // the k-th call is the same in each run
	e.Sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	return e
}

// outcome is what one run leaves behind.
type outcome struct {
	calls   int
	version int64 // of our commit; -1 when there is none
	rows    []string
}

// once runs the scenario with a plan and checks what is left.
func once(t *testing.T, sc scenario, at place, plan faultstore.Plan, fatal *bool) outcome {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	driver := at(t)
	spec := tablekit.Spec{DDL: "k INT, p STRING, v INT", PartitionBy: nil, Driver: driver, Env: impatient(), Files: [][]string{
		{`{"k":1,"p":"a","v":10}`, `{"k":2,"p":"a","v":20}`}, {`{"k":3,"p":"b","v":30}`, `{"k":4,"p":"b","v":40}`},
		{`{"k":5,"p":"c","v":50}`, `{"k":6,"p":"c","v":60}`}}}
	if !sc.vectors {
		spec.Properties = tablekit.WithoutVectors()
	}
	kit, err := tablekit.Make(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	kit.Log.Close(ctx) // nothing of the preparation goes on in the background
	store := faultstore.New(driver, plan)
	cancelled, cancel := context.WithCancel(ctx)
	defer cancel()
	store.SetSleep(func(ctx context.Context, d time.Duration) error {
		if d < time.Hour {
			return nil
		}
		cancel()
		return ctx.Err()
	})
	handles := openFiles()
	l := txn.NewLog(impatient(), storage.NewBucket(store), txn.Policy{})
	before := func(ctx context.Context) error {
		if sc.winner {
			return winner(ctx, kit)
		}
		return nil
	}
	committed, id, err := sc.run(cancelled, l, before)
	l.Close(ctx)
	if now := openFiles(); now != handles {
		t.Errorf("%d open files before, %d after", handles, now)
	}
	var unknown *txn.UnknownError
	isUnknown := errors.As(err, &unknown)
	out := outcome{calls: store.Calls(), version: -1}
	last, err2 := snapshot.Load(ctx, kit.Env, kit.Bucket, snapshot.Latest())
	if err2 != nil {
		t.Fatalf("the table is damaged: %v", err2)
	}
	for v := int64(0); v <= last.Version(); v++ {
		data, _, err := deltalog.ReadCommit(ctx, kit.Bucket, v)
		if err != nil {
			t.Fatal(err)
		}
		if id != "" && deltalog.TxnID(data) == id {
			if out.version >= 0 {
				t.Errorf("committed twice: versions %d and %d", out.version, v)
			}
			out.version = v
		}
	}
	if out.rows, err = rowsOf(ctx, last, err); err != nil && !isUnknown && out.version >= 0 {
		t.Errorf("committed as version %d, and the error says no: %v", out.version, err)
	}
	if err == nil && (!committed || out.version < 0) {
		t.Errorf("no error, committed=%t and version %d in the log", committed, out.version)
	}
	if isUnknown && (unknown.TxnID != id || !strings.Contains(err.Error(), id)) {
		t.Errorf("the error does not say what to look for: %v", err)
	}
	if err != nil && !isUnknown {
		litter(ctx, t, kit, store, last)
	}
	*fatal = err != nil
	return out
}

// rowsOf reads the rows; the error of the statement is passed on.
func rowsOf(ctx context.Context, s *snapshot.Snapshot, statement error) ([]string, error) {
	rows, err := tablekit.Rows(ctx, s)
	if err != nil {
		return []string{"unreadable: " + err.Error()}, statement
	}
	return rows, statement
}

// litter looks for files that nobody refers to although the store let them be deleted.
func litter(ctx context.Context, t *testing.T, kit *tablekit.Kit, store *faultstore.Store, last *snapshot.Snapshot) {
	t.Helper()
	refused := ""
	for _, call := range store.Hits() {
		if call.Op == faultstore.OpDelete {
			refused += call.Key + " "
		}
	}
	known := map[string]bool{}
	for v := int64(0); v <= last.Version(); v++ {
		s, err := snapshot.Load(ctx, kit.Env, kit.Bucket, snapshot.Version(v))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range tablekit.Referenced(s) {
			key, _ := url.PathUnescape(p)
			known[key] = true
		}
	}
	for _, key := range kit.DataFiles(t) {
		if !known[key] && !strings.Contains(refused, key) {
			t.Errorf("%s is left behind", key)
		}
	}
}

// winner is another engine's commit: one file rewritten with a changed row, one
// removed, one added with a row that the statement matches.
func winner(ctx context.Context, kit *tablekit.Kit) error {
	s, err := kit.Snapshot(ctx, snapshot.Latest())
	if err != nil {
		return err
	}
	if err := kit.Append(ctx, `{"k":12,"p":"b","v":120}`, `{"k":13,"p":"c","v":130}`); err != nil {
		return err
	}
	files := s.Files()
	for i := range files.All() {
		a := files.Add(i)
		rows, err := tablekit.FileRows(ctx, s, a)
		if err != nil {
			return err
		}
		if strings.Contains(rows[0].Text, `"k":3`) {
			return tablekit.Publish(ctx, kit.Bucket, s.Version()+2, "DELETE", action.Action(rewrite.RemoveOf(a, 1)))
		}
	}
	return errors.New("no file to remove")
}

func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}

func sweep(t *testing.T, sc scenario, at place, list []trouble, step int) {
	var failed bool
	want := once(t, sc, at, nil, &failed)
	if failed || want.version < 0 {
		t.Fatal("the statement fails without any trouble")
	}
	runs, errs := 0, 0
	for _, tr := range list {
		for k := 1; k <= want.calls; k += step {
			plan := faultstore.Nth(k, faultstore.OpsAll, "", tr.fault)
			if tr.gone {
				plan = faultstore.From(k, faultstore.OpsAll, tr.fault)
			}
			t.Run(fmt.Sprintf("%s at call %d", tr.name, k), func(t *testing.T) {
				var failed bool
				got := once(t, sc, at, plan, &failed)
				if got.version >= 0 && !slices.Equal(got.rows, want.rows) {
					t.Errorf("rows\n%s\nwant\n%s", strings.Join(got.rows, "\n"), strings.Join(want.rows, "\n"))
				}
				runs++
				if failed {
					errs++
				}
			})
		}
	}
	t.Logf("%d calls to the store, %d runs, %d ended in an error", want.calls, runs, errs)
}

// TestEveryCall lets each call go wrong in each way.
func TestEveryCall(t *testing.T) {
	for _, sc := range scenarios {
		t.Run(sc.name, func(t *testing.T) { sweep(t, sc, inMemory, troubles, 1) })
	}
}

// TestEveryCallOnDisk looks at file handles too.
func TestEveryCallOnDisk(t *testing.T) {
	for _, sc := range scenarios {
		if strings.Contains(sc.name, "repaired") {
			t.Run(sc.name, func(t *testing.T) { sweep(t, sc, onDisk, []trouble{troubles[0], troubles[1], troubles[3]}, 6) })
		}
	}
	t.Run("large append", func(t *testing.T) {
		sweep(t, scenario{"large append", true, false, runLarge}, onDisk, []trouble{troubles[0], troubles[1], troubles[3]}, 4)
	})
}
