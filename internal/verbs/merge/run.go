package merge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/rows/derive"
	"github.com/sluicelake/sluice/internal/rows/write"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
)

// Options of a statement.
type Options struct {
	Expr         expr.Options
	Commit       txn.Options
	UserMetadata string
	// AppID and AppVersion make the statement idempotent: it is skipped when
	// the application has committed that version already. "" is none.
	AppID      string
	AppVersion int64
	// Snapshot at which the statement first runs; nil is the newest.
	Snapshot *snapshot.Snapshot
	// OptimizeWrite has the statement write few files for each partition, or not; nil
	// follows the table (delta.autoOptimize.optimizeWrite).
	OptimizeWrite *bool
	// FileSize is the size at which a file is full; 0 follows the table.
	FileSize int64
	// CopyRows has files written again where rows would be marked in deletion vectors.
	CopyRows bool
	// ReadsItself says that the source was read from the table, at Snapshot: when
	// another writer changes the table, the statement runs again.
	ReadsItself bool
	// BoundOutside says that the caller has bound the statement to the table at
	// Snapshot, or has read its source there. When that holds no more, the statement
	// ends uncommitted, with Commit.Again set, and the caller does it over.
	BoundOutside bool
	// SmallFile is the size up to which a data file is read once, whole; 0 is 8 MiB.
	SmallFile int64
}

// Result is what a statement did.
type Result struct {
	Metrics Metrics
	Commit  txn.Result
	// Skipped says that the application transaction was committed before.
	Skipped bool
	// Runs counts how often the statement was run: once, and once more for
	// each winner that it had to be bound to again.
	Runs    int
	Winners []txn.Reconciliation
	twice   int64 // bytes written for runs that came to nothing
}

// Statement is anything that NewPlan can bind again on another snapshot.
type Statement struct {
	Plan     func(s *snapshot.Snapshot) (*Plan, error)
	Source   *Table
	Describe func(p *Plan, m Metrics) txn.Operation
	// Adds writes files that are committed with the effects, whatever these
	// are; discard removes them when they were not committed.
	Adds func(ctx context.Context, s *snapshot.Snapshot, ids *derive.Identities) (adds []action.Action, discard func(), err error)
	// Rearranges says that the rows afterwards are those before in other files:
	// the actions say dataChange false.
	Rearranges bool
}

// Run executes a MERGE until it is committed.
func Run(ctx context.Context, l *txn.Log, spec Spec, src *Table, o Options) (Result, error) {
	o.Expr = o.Expr.At(l.Env().Now())
	return Execute(ctx, l, Statement{
		Plan: func(s *snapshot.Snapshot) (*Plan, error) {
			spec.Widen = feature.TypeWidening(s.Metadata())
			return NewPlan(spec, s.Schema(), src.Schema, o.Expr)
		},
		Source: src,
		Describe: func(p *Plan, m Metrics) txn.Operation {
			return txn.Operation{Name: "MERGE", Parameters: parameters(p), Metrics: m.Map(), UserMetadata: o.UserMetadata, ChangesData: true}
		},
	}, o)
}

// Writing sets what the options say of files.
func (o Options) Writing(spec *write.Spec) {
	if o.OptimizeWrite != nil {
		spec.Optimized = *o.OptimizeWrite
	}
	if o.FileSize > 0 {
		spec.TargetSize = o.FileSize
	}
}

// maxRuns bounds how often a statement is bound again: each time, another
// writer has changed the table's metadata in between.
const maxRuns = 50

// Execute runs a statement and commits it, again from the start when a winner
// changed what it was bound to.
func Execute(ctx context.Context, l *txn.Log, st Statement, o Options) (Result, error) {
	var res Result
	for res.Runs < maxRuns {
		res.Runs++
		done, err := once(ctx, l, st, o, &res)
		if err != nil || done || o.BoundOutside {
			return res, err
		}
		o.Commit.BeforePublish = nil
	}
	return res, fmt.Errorf("[DELTA_METADATA_CHANGED] the metadata of %s changed %d times while the statement ran; nothing was committed", l.Bucket().URL(), maxRuns)
}

func once(ctx context.Context, l *txn.Log, st Statement, o Options, res *Result) (done bool, err error) {
	t, err := begin(ctx, l, o, res.Runs == 1)
	if err != nil {
		return false, err
	}
	defer t.Abandon()
	w := &Work{read: t.Snapshot(), selfish: o.ReadsItself, rearranges: st.Rearranges}
	if o.AppID != "" {
		if t.AppVersion(o.AppID) >= o.AppVersion {
			res.Skipped, res.Commit = true, txn.Result{Version: t.ReadVersion(), Snapshot: t.Snapshot()}
			return true, nil
		}
		now := l.Env().Now().UnixMilli()
		w.extra = []action.Action{&action.Txn{AppID: o.AppID, Version: o.AppVersion, LastUpdated: &now}}
		w.apps = map[string]int64{o.AppID: o.AppVersion}
	}
	p, err := st.Plan(t.Snapshot())
	if err != nil {
		return false, err
	}
	at := t.Snapshot()
	if schema := p.Evolved(); schema != nil {
		if w.evolves, err = EvolutionOf(l.Env(), at, schema); err != nil {
			return false, err
		}
		if at, err = w.evolves.On(at); err != nil {
			return false, err
		}
	}
	start := l.Env().Now()
	p.copies = o.CopyRows
	if w.Exec, err = NewExec(l.Env(), at, p, st.Source); err != nil {
		return false, err
	}
	if o.SmallFile > 0 {
		w.small = o.SmallFile
	}
	o.Writing(&w.spec)
	committed := false
	defer func() { w.ledger.Discard(context.WithoutCancel(ctx), committed) }()
	if st.Adds != nil {
		adds, discard, err := st.Adds(ctx, at, w.ids)
		if err != nil {
			return false, err
		}
		w.adds = adds
		defer func() {
			if !committed {
				discard()
			}
		}()
	}
	if err := w.All(ctx); err != nil {
		return false, err
	}
	scanned := l.Env().Now().Sub(start)
	w.span = func() Times { return Times{Total: l.Env().Now().Sub(start), Scan: scanned, Rewrite: time.Duration(0)} }
	w.describe = func(m Metrics) txn.Operation { res.Metrics = m; return st.Describe(p, m) }
	res.Commit, err = t.CommitWork(ctx, w, o.Commit)
	res.Winners = append(res.Winners, res.Commit.Winners...)
	res.twice += res.Commit.WrittenTwice
	res.Commit.WrittenTwice = res.twice
	var unknown *txn.UnknownError
	committed = res.Commit.Committed || errors.As(err, &unknown) // files that may be in the table stay
	if err != nil {
		return false, err
	}
	return !res.Commit.Again, nil
}

func begin(ctx context.Context, l *txn.Log, o Options, first bool) (*txn.Txn, error) {
	if first && o.Snapshot != nil {
		return l.BeginAt(o.Snapshot)
	}
	return l.Begin(ctx)
}

// parameters are MERGE's operationParameters.
func parameters(p *Plan) map[string]json.RawMessage {
	type one struct {
		Predicate  string `json:"predicate,omitempty"`
		ActionType string `json:"actionType"`
	}
	list := func(clauses []clause) json.RawMessage {
		out := []one{}
		for _, c := range clauses {
			o := one{ActionType: c.action.String()}
			if c.cond != nil {
				o.Predicate = c.cond.String()
			}
			out = append(out, o)
		}
		return Encoded(out)
	}
	return map[string]json.RawMessage{
		"predicate":         Encoded([]string{p.on.String()}),
		"matchedPredicates": list(p.matched), "notMatchedPredicates": list(p.notMatched), "notMatchedBySourcePredicates": list(p.bySource),
	}
}

// Encoded is an operation parameter as the reference writes it: JSON text inside a JSON string.
func Encoded(v any) json.RawMessage {
	inner, err := json.Marshal(v)
	if err != nil {
		inner = []byte("null")
	}
	outer, err := json.Marshal(string(inner))
	if err != nil {
		return json.RawMessage(`"null"`)
	}
	return outer
}
