package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/google/uuid"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/dml"
	"github.com/sluicelake/sluice/internal/verbs/insert"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/internal/verbs/restore"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/faultstore"
)

// writer is one statement on its way.
type writer struct {
	actor
	done chan struct{}

	version   int64
	committed bool // as the log has it
	winners   int
	made      []int64 // versions that upkeep committed
	err       error
	lie       error // what it was told is not so

	seen    []string // by a reader, in version
	atLeast int64    // it was acknowledged before the reader began
}

// drawn gives an Env identifiers and random numbers of its own, so that a name is
// the same each time.
func drawn(e *env.Env, seed uint64, name string) *env.Env {
	var mu sync.Mutex
	var salt uint64
	for _, b := range []byte(name) {
		salt = salt*31 + uint64(b)
	}
	src := rand.NewChaCha8([32]byte{0: byte(seed), 1: byte(seed >> 8), 2: byte(seed >> 16), 3: byte(seed >> 24), 8: byte(salt), 9: byte(salt >> 8), 10: byte(salt >> 16)})
	r := rand.New(src)
	out := *e
	out.NewID = func() string {
		mu.Lock()
		defer mu.Unlock()
		return uuid.Must(uuid.NewRandomFromReader(src)).String()
	}
	out.Float = func() float64 {
		mu.Lock()
		defer mu.Unlock()
		return r.Float64()
	}
	return &out
}

// exec runs a statement on a handle of its own.
func (w *world) exec(ctx context.Context, x *writer) {
	var driver storage.Driver = w.store
	if w.table.apart {
		driver = &elsewhere{w.store, w.store.URL() + "/" + x.name}
	}
	if x.trouble != nil {
		driver = faultstore.New(driver, x.trouble.plan())
	}
	before := func(context.Context) error { return nil }
	if w.g != nil {
		driver = &gated{Driver: driver, g: w.g, actor: x.name, late: x.late}
		before = func(ctx context.Context) error {
			w.g.did(x.name, "is about to publish", "", nil)
			return w.g.pass(ctx, x.name, publish, "")
		}
	}
	l := txn.NewLog(drawn(w.kit.Env, w.seed, x.name), storage.NewBucket(driver), txn.Policy{})
	defer l.Close(ctx)
	if x.s.upkeep != nil {
		w.tend(ctx, x, l, before)
		return
	}
	if x.s.kind == "read" {
		x.read(ctx, w, l)
		return
	}
	o := merge.Options{SmallFile: w.table.small, Commit: txn.Options{BeforePublish: before}}
	if x.s.batch > 0 {
		o.AppID, o.AppVersion = stream, x.s.batch
	}
	var commit txn.Result
	var winners []txn.Reconciliation
	where, err := parsed(x.s.where)
	if err != nil {
		x.err = err
		return
	}
	switch x.s.kind {
	case "restore":
		var res restore.Result
		res, x.err = restore.Run(ctx, l, restore.Spec{To: snapshot.Version(x.s.to)}, o.Commit)
		commit, winners = res.Commit, res.Winners
	case "merge":
		m, err := parse.MergeStatement(x.s.sql())
		if err != nil {
			x.err = err
			return
		}
		src, err := tablekit.Table(w.kit.Schema, texts(x.s.source, false)...)
		if err != nil {
			x.err = err
			return
		}
		var res merge.Result
		res, x.err = merge.Run(ctx, l, m.Spec, src, o)
		commit, winners = res.Commit, res.Winners
	case "update", "delete":
		var res merge.Result
		if x.s.kind == "delete" {
			res, x.err = dml.Delete(ctx, l, where, o)
		} else {
			set, err := parse.Assignments(x.s.set.sql)
			if err != nil {
				x.err = err
				return
			}
			res, x.err = dml.Update(ctx, l, set, where, o)
		}
		commit, winners = res.Commit, res.Winners
	default:
		src, err := tablekit.Source(w.kit.Schema, texts(x.s.source, false)...)
		if err != nil {
			x.err = err
			return
		}
		mode := map[string]insert.Mode{"append": insert.Append, "overwrite": insert.Overwrite, "replaceWhere": insert.ReplaceWhere, "dynamic": insert.Dynamic}[x.s.kind]
		var res insert.Result
		res, x.err = insert.Run(ctx, l, src, insert.Options{Options: o, Mode: mode, Where: where})
		commit, winners = res.Commit, res.Winners
	}
	x.version, x.committed, x.winners = commit.Version, commit.Committed, len(winners)
	if x.trouble != nil {
		w.settle(ctx, x, commit.TxnID)
	}
	for _, win := range winners {
		w.g.note("  %s met %d (%s): %s dropped=%d computed=%d", x.name, win.Winner, win.Operation, win.Verdict.Kind, win.Repaired.Dropped, win.Repaired.Computed)
	}
}

// stream is the application of batches.
const stream = "stream"

// read opens the newest version and reads it file by file, while others commit,
// clean up and vacuum.
func (x *writer) read(ctx context.Context, w *world, l *txn.Log) {
	for _, y := range w.writers {
		if y.ended() && y.err == nil {
			x.atLeast = max(x.atLeast, y.version)
		}
	}
	s, err := l.Update(ctx)
	if err != nil {
		x.err = err
		return
	}
	x.version = s.Version()
	x.seen, x.err = tablekit.Rows(ctx, s)
}

// settle looks into the log for a writer in trouble: what it was told must be
// true, and when it was told that nobody knows, the log does.
func (w *world) settle(ctx context.Context, x *writer, id string) {
	found := int64(-1)
	for v := w.first; id != ""; v++ { // older ones may be cleaned up
		data, _, err := deltalog.ReadCommit(ctx, w.kit.Bucket, v)
		if err != nil {
			break
		}
		if deltalog.TxnID(data) == id {
			found = v
		}
	}
	var unknown *txn.UnknownError
	switch {
	case x.committed && found != x.version:
		x.lie = fmt.Errorf("%s was told version %d, and the log has it as %d", x.name, x.version, found)
	case !x.committed && found >= 0 && !errors.As(x.err, &unknown):
		x.lie = fmt.Errorf("%s was told that it is not committed (%v), and the log has it as version %d", x.name, x.err, found)
	case found >= 0:
		x.committed, x.version, x.err = true, found, nil
	}
}

func parsed(c cond) (expr.Expr, error) {
	if c.is == nil {
		return nil, nil
	}
	return expr.Parse(c.sql)
}
