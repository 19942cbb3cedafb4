package alter

import (
	"context"
	"encoding/json"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/merge"
)

// track gives the files of a table their row ids before rows can be tracked:
// one commit for the protocol, from which on writers give new files ids, and one
// that gives them to the files that are there (PROTOCOL.md, Row Tracking).
func track(ctx context.Context, l *txn.Log, o Options) error {
	s, err := l.Update(ctx)
	if err != nil {
		return err
	}
	if feature.RowTracking(s.Metadata()) {
		return nil
	}
	if !feature.Supports(s.Protocol(), "rowTracking") {
		if _, err := Run(ctx, l, upgrade{"rowTracking"}, Options{Expr: o.Expr, UserMetadata: o.UserMetadata}); err != nil {
			return err
		}
	}
	return commitWork(ctx, l, func(s *snapshot.Snapshot) (txn.Work, error) { return &backfill{at: s}, nil })
}

// upgrade adds a feature to the protocol and changes nothing else.
type upgrade struct{ feature string }

func (c upgrade) apply(_ context.Context, d *draft) error {
	d.asked["delta.feature."+c.feature], d.kept = "supported", true
	p, err := d.protocol()
	if err != nil {
		return err
	}
	if p == nil {
		d.nothing = true
		return nil
	}
	shown := map[string]any{"minReaderVersion": p.MinReaderVersion, "minWriterVersion": p.MinWriterVersion, "readerFeatures": p.ReaderFeatures, "writerFeatures": p.WriterFeatures}
	d.describe("UPGRADE PROTOCOL", map[string]json.RawMessage{"newProtocol": merge.Encoded(shown)})
	return nil
}

// backfill adds the files again that have no row ids; the commit loop gives them ids.
type backfill struct{ at *snapshot.Snapshot }

func (w *backfill) Depends() txn.Dependencies {
	return txn.Dependencies{Repairable: true, Rebindable: true}
}

func (w *backfill) Repair(_ context.Context, _ conflict.Verdict, at *snapshot.Snapshot) (txn.Repaired, error) {
	w.at = at
	return txn.Repaired{}, nil
}

func (w *backfill) Effects(context.Context) (txn.Effects, error) {
	var acts []action.Action
	files := w.at.Files()
	for i := range files.All() {
		if a := files.Add(i); a.BaseRowID == nil {
			again := *a
			again.DataChange = false
			acts = append(acts, &again)
		}
	}
	return txn.Effects{Actions: acts, NotBlind: true, Operation: txn.Operation{Name: "ROW TRACKING BACKFILL", Parameters: map[string]json.RawMessage{"batchId": text("0")}, Metrics: map[string]string{}}}, nil
}

// unbackfill adds the files again that have row ids, without them.
type unbackfill struct{ at *snapshot.Snapshot }

func (w *unbackfill) Depends() txn.Dependencies {
	return txn.Dependencies{Repairable: true, Rebindable: true}
}

func (w *unbackfill) Repair(_ context.Context, _ conflict.Verdict, at *snapshot.Snapshot) (txn.Repaired, error) {
	w.at = at
	return txn.Repaired{}, nil
}

func (w *unbackfill) Effects(context.Context) (txn.Effects, error) {
	var acts []action.Action
	files := w.at.Files()
	for i := range files.All() {
		if a := files.Add(i); a.BaseRowID != nil {
			again := *a
			again.DataChange, again.BaseRowID, again.DefaultRowCommitVersion = false, nil, nil
			acts = append(acts, &again)
		}
	}
	return txn.Effects{Actions: acts, NotBlind: true, Operation: txn.Operation{Name: "ROW TRACKING UNBACKFILL", Parameters: map[string]json.RawMessage{"batchId": text("0")}, Metrics: map[string]string{}}}, nil
}
