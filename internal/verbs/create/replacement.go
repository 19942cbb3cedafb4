package create

import (
	"context"
	"errors"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/rows/rewrite"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
)

// Existing is the table that lies where one is to be made, nil for none.
func Existing(ctx context.Context, l *txn.Log) (*snapshot.Snapshot, error) {
	s, err := l.Update(ctx)
	if errors.Is(err, snapshot.ErrNotTable) {
		return nil, nil
	}
	return s, err
}

// Replacement is the part of a statement that makes a table where another may lie:
// whatever is live there when the new one is published gives way, also what other
// writers have added meanwhile.
type Replacement struct {
	Log *txn.Log
	Old *snapshot.Snapshot // nil: there is none
}

// Allowed refuses to take the rows of a table that may only be appended to.
func (r *Replacement) Allowed() error {
	if r.Old != nil && feature.AppendOnly(r.Old.Metadata()) && r.Old.NumFiles() > 0 {
		return txn.AppendOnly(r.Log.Bucket().URL())
	}
	return nil
}

// Begin starts the transaction behind the old table, or that of the first version.
func (r *Replacement) Begin() (*txn.Txn, error) {
	if r.Old == nil {
		return r.Log.BeginCreate(), nil
	}
	return r.Log.BeginAt(r.Old)
}

// Depends says that every row of the old table matters, and that any change of its
// files can be followed.
func (r *Replacement) Depends() txn.Dependencies {
	d := txn.Dependencies{Rebindable: true}
	if r.Old != nil {
		d.Whole, d.Repairable = true, true
		d.Reads = []conflict.Read{{Clause: "replace"}}
	}
	return d
}

// Repair follows the file set: what is live now is removed.
func (r *Replacement) Repair(_ context.Context, v conflict.Verdict, at *snapshot.Snapshot) (txn.Repaired, error) {
	r.Old = at
	return txn.Repaired{Dropped: len(v.Dropped) + len(v.Remarked)}, nil
}

// Definition is what gives the table its new protocol, where that differs, and its
// new metadata.
func (r *Replacement) Definition(p *action.Protocol, md *action.Metadata) []action.Action {
	if r.Old != nil && feature.SameProtocol(r.Old.Protocol(), p) {
		return []action.Action{md}
	}
	return []action.Action{p, md}
}

// Removals takes the files of the old table away, and adds up what goes. Those that
// the new table names too, by the keys of stays, stay and are marked there.
func (r *Replacement) Removals(stays map[conflict.FileID]bool) (acts []action.Action, bytes int64) {
	if r.Old == nil {
		return nil, 0
	}
	now, files := r.Log.Env().Now().UnixMilli(), r.Old.Files()
	for i := range files.All() {
		a := files.Add(i)
		id := conflict.IDOf(a)
		if _, ok := stays[id]; ok {
			stays[id] = true
			continue
		}
		acts = append(acts, rewrite.RemoveOf(a, now))
		bytes += a.Size
	}
	return acts, bytes
}
