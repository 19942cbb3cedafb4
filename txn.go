package sluice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/insert"
	"github.com/sluicelake/sluice/internal/verbs/read"
)

// Txn is a low-level optimistic transaction: it records what it reads, and its
// commit fails with a *ConflictError only when a winner changed just that.
type Txn struct {
	t *Table
	x *txn.Txn
}

// Begin starts a transaction on the newest version.
func (t *Table) Begin(ctx context.Context) (*Txn, error) {
	if err := t.use(); err != nil {
		return nil, err
	}
	x, err := t.log.Begin(ctx)
	if err != nil {
		return nil, mark(err)
	}
	return &Txn{t, x}, nil
}

// Transact runs fn in a transaction that is active in the context it is given,
// so scans of the table there are recorded as reads. fn commits it with
// Txn.Commit; when that ends in a conflict, fn runs again on a new transaction.
// A transaction that fn leaves uncommitted is given up.
func (t *Table) Transact(ctx context.Context, fn func(ctx context.Context, tx *Txn) error) error {
	const runs = 100
	var err error
	for range runs {
		err = t.Log().WithNewTransaction(ctx, fn)
		if !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("the transaction conflicted %d times in a row, last: %w", runs, err)
}

// Log is the log behind a table, for those who know the reference by its
// names: DeltaLog's snapshot, update, startTransaction and withNewTransaction.
type Log struct{ t *Table }

// Log returns the table's log.
func (t *Table) Log() *Log { return &Log{t} }

// Snapshot is the newest version known already; it does not ask the store.
func (l *Log) Snapshot() *Snapshot {
	s := l.t.log.Known()
	if s == nil {
		return nil
	}
	return &Snapshot{l.t, s}
}

// Update asks the store for newer versions.
func (l *Log) Update(ctx context.Context) (*Snapshot, error) { return l.t.Snapshot(ctx) }

// StartTransaction is Table.Begin.
func (l *Log) StartTransaction(ctx context.Context) (*Txn, error) { return l.t.Begin(ctx) }

// WithNewTransaction runs fn once, in a transaction that is active in the
// context that fn gets. Where one is active already, it is ErrActiveTransaction.
func (l *Log) WithNewTransaction(ctx context.Context, fn func(ctx context.Context, tx *Txn) error) error {
	tx, err := l.t.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Abandon()
	in, err := WithActive(ctx, tx)
	if err != nil {
		return err
	}
	return fn(in, tx)
}

// WithActive makes a transaction the active one of a context. A context that
// has one already is ErrActiveTransaction.
func WithActive(ctx context.Context, tx *Txn) (context.Context, error) {
	out, err := txn.WithActive(ctx, tx.x)
	if err != nil {
		return nil, mark(err)
	}
	return context.WithValue(out, activeKey{}, tx), nil
}

type activeKey struct{}

// Active returns the active transaction of a context, nil when there is none.
func Active(ctx context.Context) *Txn {
	if txn.Active(ctx) == nil {
		return nil
	}
	tx, _ := ctx.Value(activeKey{}).(*Txn)
	return tx
}

// ID is the transaction's identifier, recorded as commitInfo.txnId.
func (x *Txn) ID() string { return x.x.ID() }

// ReadVersion is the version that the transaction reads.
func (x *Txn) ReadVersion() int64 { return x.x.ReadVersion() }

// Snapshot is the version that the transaction reads. Scanning it outside of a
// context in which the transaction is active records nothing.
func (x *Txn) Snapshot() *Snapshot { return &Snapshot{x.t, x.x.Snapshot()} }

// Filter records that the rows selected by a condition were read ("" is all
// rows) and returns the files that may hold them.
func (x *Txn) Filter(where string) ([]*action.Add, error) {
	e, err := condition(where)
	if err != nil {
		return nil, x.fail(err)
	}
	if e != nil {
		if e, err = expr.Bind(e, expr.Scope{Tables: []expr.Table{{Name: "t", Schema: x.x.Snapshot().Schema()}}}); err != nil {
			return nil, x.fail(fmt.Errorf("filter: %w", err))
		}
	}
	return x.x.Filter(e), nil
}

// ReadFiles records that files were read.
func (x *Txn) ReadFiles(files ...*action.Add) { x.x.ReadFiles(files...) }

// ReadWholeTable records that every row mattered.
func (x *Txn) ReadWholeTable() { x.x.ReadWholeTable() }

// TxnVersion returns the last version that an application committed, -1 when
// there is none, and records that it was asked for.
func (x *Txn) TxnVersion(appID string) int64 { return x.x.AppVersion(appID) }

// UpdateMetadata sets the metadata that the commit writes; once.
func (x *Txn) UpdateMetadata(md *action.Metadata) error { return x.x.UpdateMetadata(md) }

// UpdateProtocol sets the protocol that the commit writes; once.
func (x *Txn) UpdateProtocol(p *action.Protocol) error { return x.x.UpdateProtocol(p) }

// WriteRows writes the rows of a source as data files of the table and returns
// their add actions, to be committed.
func (x *Txn) WriteRows(ctx context.Context, src Source) ([]*action.Add, error) {
	outs, _, err := insert.Write(ctx, x.t.log, x.x.Snapshot(), src, expr.Options{}, nil)
	if err != nil {
		return nil, x.fail(err)
	}
	adds := make([]*action.Add, len(outs))
	for i, o := range outs {
		adds[i] = o.Add
	}
	return adds, nil
}

// Operation describes a commit for the history.
type Operation struct {
	Name         string            // "" is "Manual Update"
	Parameters   map[string]string // recorded as JSON strings
	Metrics      map[string]string
	UserMetadata string
}

// Commit publishes actions with the reads recorded so far. The transaction ends.
func (x *Txn) Commit(ctx context.Context, actions []action.Action, op Operation) (*Commit, error) {
	o := txn.Operation{Name: op.Name, Metrics: op.Metrics, UserMetadata: op.UserMetadata, Parameters: map[string]json.RawMessage{}, ChangesData: true}
	if o.Name == "" {
		o.Name = "Manual Update"
	}
	for k, v := range op.Parameters {
		text, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("operation parameter %s: %w", k, err)
		}
		o.Parameters[k] = text
	}
	res, err := x.x.Commit(ctx, actions, o, txn.Options{SeesRow: x.seesRow})
	if err != nil {
		return nil, x.fail(err)
	}
	c := commitOf(res, res.Winners, false, 1)
	return &c, nil
}

// seesRow reads an added file to find out whether a read would have seen a row of it.
func (x *Txn) seesRow(ctx context.Context, at *snapshot.Snapshot, a *action.Add, r conflict.Read) (bool, error) {
	if r.Predicate == nil {
		return true, nil
	}
	return read.Any(ctx, x.t.config.env, at, a, r.Predicate)
}

func (x *Txn) fail(err error) error { return x.t.failAt("transaction on", x.ReadVersion(), err) }

// Abandon gives the transaction up; nothing is published.
func (x *Txn) Abandon() { x.x.Abandon() }
