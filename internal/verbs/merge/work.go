package merge

import (
	"context"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/logic/prune"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
)

// Describe turns the state of an execution into the commit's description.
type Describe func(m Metrics) txn.Operation

// Work is an execution as the commit loop sees it.
type Work struct {
	*Exec
	describe Describe
	extra    []action.Action // published with the effects, if there are any: an application transaction
	adds     []action.Action // published in any case
	apps     map[string]int64
	selfish  bool               // the source was read from the table
	read     *snapshot.Snapshot // at which the statement began
	evolves  *Evolution         // nil when the schema stays
	span     func() Times
	// rearranges: the actions say dataChange false
	rearranges bool
}

// Written counts the bytes that were written for the statement, and those of them
// that its commit does not have.
func (w *Work) Written() (all, superseded int64) {
	all, superseded = w.ledger.Written()
	for _, a := range w.adds {
		if add, ok := a.(*action.Add); ok {
			all += add.Size
		}
	}
	return all, superseded
}

// Depends states what the effects rest on: the images that the ledger holds,
// and the reads by which a new file could matter.
func (w *Work) Depends() txn.Dependencies {
	d := txn.Dependencies{Reads: w.reads(), Files: w.ledger.Files(), Apps: w.apps, Repairable: true, Rebindable: true, Reference: w.reference}
	if w.selfish { // no repair computes what the source would give now
		d.Repairable, d.Whole = false, true
		d.Reads = append([]conflict.Read{{Clause: "source"}}, d.Reads...)
	}
	return d
}

// reads lists why the statement looks at rows, sharply: ON with the keys of the
// source, and the by-source clauses with their conditions.
func (x *Exec) reads() []conflict.Read {
	var out []conflict.Read
	if x.p.probes() && len(x.m.sources) > 0 {
		r := conflict.Read{Clause: "ON", Keep: x.mayMatch}
		if x.p.on != nil {
			r.Predicate = x.p.on
		}
		out = append(out, r)
	}
	for _, c := range x.p.bySource {
		r := conflict.Read{Clause: c.kind.String(), Predicate: c.cond}
		if !x.p.probes() {
			r.Clause = "WHERE"
		}
		if c.cond != nil {
			r.Keep = prune.New(c.cond, x.snap.Schema(), x.snap.PartitionColumns()).Keep
		}
		out = append(out, r)
	}
	return out
}

// reference states the reads as delta-spark records them: with a by-source
// clause the whole table, else what the conjuncts of ON over the target select.
// Of the files it looks at those alone that the winner removes.
func (w *Work) reference(won *conflict.Winner) txn.Recorded {
	r := txn.Recorded{Files: map[conflict.FileID]*action.Add{}}
	var pred expr.Expr
	var keep *prune.Pruner
	switch {
	case !w.p.probes() && len(w.p.bySource) == 1 && w.p.bySource[0].cond != nil:
		pred = w.p.bySource[0].cond
	case len(w.p.bySource) == 0 && len(w.p.targetConds) > 0:
		pred = expr.And(w.p.targetConds...)
	}
	r.Reads = []conflict.Read{{Clause: "the statement", Predicate: pred}}
	if pred != nil {
		keep = prune.New(pred, w.read.Schema(), w.read.PartitionColumns())
	}
	files := w.read.Files()
	for _, i := range readOf(files, won) {
		if keep == nil || keep.Keep(files.Ref(i)).Keep {
			a := files.Add(i)
			r.Files[conflict.IDOf(a)] = a
		}
	}
	return r
}

// readOf finds the files that a winner removes: in the version that was read they may
// have had other deletion vectors.
func readOf(files *snapshot.FileSet, won *conflict.Winner) (found []int) {
	other := map[string]bool{}
	for _, a := range won.Actions {
		if x, ok := a.(*action.Remove); ok {
			if i, ok := files.Find(x.Path, conflict.IDOfRemove(x).DV); ok {
				found = append(found, i)
			} else {
				other[x.Path] = true
			}
		}
	}
	if len(other) == 0 {
		return found
	}
	for i := range files.All() {
		if other[files.Path(i)] {
			found = append(found, i)
		}
	}
	return found
}

// Effects derives the commit from the ledger. Even one that only adds rows depends
// on what is there: the reference calls no MERGE, UPDATE or DELETE a blind append.
func (w *Work) Effects(ctx context.Context) (txn.Effects, error) {
	var beside []*action.Add
	for _, a := range w.adds {
		if add, ok := a.(*action.Add); ok {
			beside = append(beside, add)
		}
	}
	acts, sum, err := w.ledger.Actions(ctx, beside...)
	if err != nil {
		return txn.Effects{}, err
	}
	op := w.describe(w.metrics(sum))
	acts = append(append(w.evolves.With(w.snap, w.ids).Actions(), acts...), w.adds...)
	if len(acts) > 0 {
		acts = append(append([]action.Action(nil), w.extra...), acts...)
	}
	if w.rearranges {
		acts = Rearranged(acts)
	}
	return txn.Effects{Actions: acts, Operation: op, NotBlind: true}, nil
}

// Rearranged are actions that say of themselves that no row changes; change data,
// of which there is none then, is left out.
func Rearranged(acts []action.Action) []action.Action {
	out := make([]action.Action, 0, len(acts))
	for _, a := range acts {
		switch x := a.(type) {
		case *action.Add:
			y := *x
			y.DataChange, a = false, &y
		case *action.Remove:
			y := *x
			y.DataChange, a = false, &y
		case *action.AddCDC:
			continue
		}
		out = append(out, a)
	}
	return out
}

// Repair fits the effects behind a winner: effects on images that are gone are
// dropped, re-marked images lose the rows that are gone, new images are computed.
func (w *Work) Repair(ctx context.Context, v conflict.Verdict, at *snapshot.Snapshot) (txn.Repaired, error) {
	var r txn.Repaired
	var err error
	if w.snap, err = w.evolves.On(at); err != nil {
		return r, err
	}
	todo := v.Added
	for _, id := range v.Dropped {
		r.Rows += w.ledger.Drop(id)
		r.Dropped++
	}
	for _, m := range v.Remarked {
		rows, ok, err := w.ledger.Remark(ctx, m.Before, m.After)
		if err != nil {
			return r, err
		}
		r.Dropped++
		if ok {
			r.Rows += rows
			continue
		}
		r.Rows += w.ledger.Drop(m.Before)
		todo = append(todo[:len(todo):len(todo)], m.After)
	}
	if v.Kind != conflict.Repair {
		return r, nil
	}
	before := w.changed()
	r.Computed = len(todo)
	if err := w.computeFiles(ctx, todo); err != nil {
		return r, err
	}
	if after := w.changed(); after > before {
		r.Rows += after - before
	}
	return r, nil
}

func (w *Work) changed() int64 {
	n := w.ledger.Inserts()
	for _, e := range w.ledger.Effects() {
		n += e.Changed()
	}
	return n
}
