// Package alter is ALTER TABLE: changes of a table's schema, properties,
// constraints and clustering as values, each one commit that writes no data.
//
// A change is derived from the newest version and nothing else, so a winner that
// changed the metadata makes it be derived again.
package alter

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/types"
)

// Change is what an ALTER TABLE asks for; the types of this package are the changes.
type Change interface {
	apply(ctx context.Context, d *draft) error
}

// Options of an ALTER TABLE.
type Options struct {
	Expr         expr.Options
	Commit       txn.Options
	UserMetadata string
}

// maxRuns bounds how often a change is derived again.
const maxRuns = 50

// Run makes the change.
func Run(ctx context.Context, l *txn.Log, c Change, o Options) (txn.Result, error) {
	if p, ok := c.(preparation); ok {
		if done, err := p.prepare(ctx, l, o); err != nil || done != nil {
			if done == nil {
				done = &txn.Result{}
			}
			return *done, err
		}
	}
	res, err := change(ctx, l, c, o)
	if f, ok := c.(completion); ok && err == nil && res.Committed && res.Snapshot != nil {
		err = f.finish(ctx, res.Snapshot)
	}
	return res, err
}

// change derives the change and commits it.
func change(ctx context.Context, l *txn.Log, c Change, o Options) (txn.Result, error) {
	for range maxRuns {
		t, err := l.Begin(ctx)
		if err != nil {
			return txn.Result{}, err
		}
		d := newDraft(t.Snapshot(), o)
		if err := c.apply(ctx, d); err != nil {
			t.Abandon()
			return txn.Result{}, err
		}
		if d.nothing {
			t.Abandon()
			return txn.Result{Version: t.ReadVersion(), Snapshot: t.Snapshot()}, nil
		}
		w, err := d.work()
		if err != nil {
			t.Abandon()
			return txn.Result{}, err
		}
		res, err := t.CommitWork(ctx, w, o.Commit)
		if err != nil || !res.Again {
			return res, err
		}
		o.Commit.BeforePublish = nil
	}
	return txn.Result{}, fmt.Errorf("[DELTA_METADATA_CHANGED] the metadata of %s changed %d times while it was altered; nothing was committed", l.Bucket().URL(), maxRuns)
}

// preparation is a change that needs commits of its own before it can be made, or
// that they make wholly: then the result is not nil.
type preparation interface {
	prepare(ctx context.Context, l *txn.Log, o Options) (*txn.Result, error)
}

// completion is a change that has something to do when it is committed.
type completion interface {
	finish(ctx context.Context, s *snapshot.Snapshot) error
}

// draft is the table as a change would have it.
type draft struct {
	snap   *snapshot.Snapshot
	o      Options
	md     action.Metadata
	schema *types.Struct

	asked    map[string]string // properties that ask for features and are not stored
	lowered  *action.Protocol  // a protocol that DROP FEATURE chose
	physical bool              // new columns are found by their logical names: mapping is being switched on
	kept     bool              // the metadata stays as it is
	nothing  bool              // there is nothing to do, and no commit
	// protected: older versions are protected, up to the one that is committed.
	protected bool
	// fits reports why the change cannot follow a winner; nil: it can follow any.
	fits    func(at *snapshot.Snapshot) error
	domains []action.Action
	reads   []conflict.Read
	op      txn.Operation
}

func newDraft(s *snapshot.Snapshot, o Options) *draft {
	d := &draft{snap: s, o: o, md: *s.Metadata(), schema: s.Schema(), asked: map[string]string{}}
	if d.md.Configuration = maps.Clone(d.md.Configuration); d.md.Configuration == nil {
		d.md.Configuration = map[string]string{}
	}
	return d
}

// describe names the operation as history shows it.
func (d *draft) describe(name string, parameters map[string]json.RawMessage) {
	d.op = txn.Operation{Name: name, Parameters: parameters, Metrics: map[string]string{}, UserMetadata: d.o.UserMetadata}
}

// mapped reports whether columns have physical names.
func (d *draft) mapped() bool { return feature.ColumnMapping(&d.md) != feature.MappingNone }

// work derives the actions.
func (d *draft) work() (*work, error) {
	if d.mapped() {
		newID := d.snap.Env().NewID
		if d.physical {
			newID = nil
		}
		d.schema, d.md.Configuration = feature.AssignMapping(d.schema, d.md.Configuration, newID)
	}
	d.md.SchemaString = types.JSON(d.schema)
	protocol, err := d.protocol()
	if err != nil {
		return nil, err
	}
	w := &work{op: d.op, reads: d.reads, fits: d.fits}
	if d.protected {
		w.protect, w.at = &d.md, d.snap.Version()
	}
	if protocol != nil {
		w.acts = append(w.acts, protocol)
	}
	if !d.kept {
		w.acts = append(w.acts, &d.md)
	}
	w.acts = append(w.acts, d.domains...)
	return w, nil
}

// protocol is the one that the change needs; nil when the table's will do.
func (d *draft) protocol() (*action.Protocol, error) {
	switch {
	case d.lowered != nil:
		return d.lowered, nil
	case len(d.asked) == 0:
		return feature.ForMetadata(d.snap.Protocol(), &d.md)
	}
	config := maps.Clone(d.md.Configuration)
	maps.Copy(config, d.asked)
	p, _, err := feature.Upgrade(d.snap.Protocol(), d.schema, config)
	if err != nil || same(p, d.snap.Protocol()) {
		return nil, err
	}
	return p, nil
}

func same(a, b *action.Protocol) bool {
	return a.MinReaderVersion == b.MinReaderVersion && a.MinWriterVersion == b.MinWriterVersion &&
		fmt.Sprint(feature.Names(a)) == fmt.Sprint(feature.Names(b))
}

// work is a change as the commit loop sees it.
type work struct {
	acts  []action.Action
	op    txn.Operation
	reads []conflict.Read
	fits  func(at *snapshot.Snapshot) error

	protect *action.Metadata // metadata that says which versions are protected
	at      int64            // the version that this one will follow
}

func (w *work) Depends() txn.Dependencies {
	return txn.Dependencies{Reads: w.reads, Rebindable: true, Repairable: w.fits != nil || w.protect != nil}
}

func (w *work) Effects(context.Context) (txn.Effects, error) {
	if w.protect != nil {
		w.protect.Configuration[protectionKey] = strconv.FormatInt(w.at+1, 10)
	}
	return txn.Effects{Actions: w.acts, Operation: w.op, Always: true}, nil
}

func (w *work) Repair(_ context.Context, _ conflict.Verdict, at *snapshot.Snapshot) (txn.Repaired, error) {
	w.at = at.Version()
	if w.fits != nil {
		return txn.Repaired{}, w.fits(at)
	}
	return txn.Repaired{}, nil
}

// text is an operation parameter that is plain text.
func text(s string) json.RawMessage {
	b, err := json.Marshal(s)
	if err != nil {
		return json.RawMessage(`""`)
	}
	return b
}

func refuse(class, format string, args ...any) error {
	return &merge.StatementError{Class: class, Message: fmt.Sprintf(format, args...)}
}
