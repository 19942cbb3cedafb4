package create

import (
	"context"
	"strconv"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/rows/rewrite"
	"github.com/sluicelake/sluice/internal/rows/write"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/insert"
)

// work publishes a new table. One that replaces another removes whatever is live
// when it is published.
type work struct {
	plan  *plan
	log   *txn.Log
	at    *snapshot.Snapshot // the table that is replaced; nil: there is none
	adds  []action.Action
	rows  int64
	bytes int64
}

// fill writes the rows of the query.
func (w *work) fill(ctx context.Context, l *txn.Log, spec Spec) ([]*write.Output, error) {
	if spec.Rows == nil {
		return nil, nil
	}
	outs, rows, err := insert.WriteAs(ctx, l, write.Spec{Schema: w.plan.schema, Metadata: w.plan.metadata, Protocol: w.plan.protocol,
		RowIDs: feature.KeepsRowIDs(w.plan.protocol, w.plan.metadata)}, spec.Rows, spec.Expr, nil)
	if err != nil {
		return nil, err
	}
	w.rows = rows
	for _, o := range outs {
		w.adds = append(w.adds, o.Add)
		w.bytes += o.Add.Size
	}
	return outs, nil
}

func (w *work) Depends() txn.Dependencies {
	d := txn.Dependencies{Rebindable: true}
	if w.at != nil {
		d.Whole, d.Repairable = true, true
		d.Reads = []conflict.Read{{Clause: "replace"}}
	}
	return d
}

// Repair follows the file set: what is live now is removed.
func (w *work) Repair(_ context.Context, v conflict.Verdict, at *snapshot.Snapshot) (txn.Repaired, error) {
	w.at = at
	return txn.Repaired{Dropped: len(v.Dropped) + len(v.Remarked)}, nil
}

func (w *work) Effects(context.Context) (txn.Effects, error) {
	p := w.plan
	acts := []action.Action{p.protocol, p.metadata}
	metrics := map[string]string{}
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	if w.at != nil {
		acts = w.replaced(metrics)
	}
	if p.domain != nil {
		acts = append(acts, p.domain)
	}
	acts = append(acts, w.adds...)
	if p.spec.Rows != nil {
		metrics["numFiles"], metrics["numOutputRows"], metrics["numOutputBytes"] = n(int64(len(w.adds))), n(w.rows), n(w.bytes)
	}
	return txn.Effects{Actions: acts, Always: true, Operation: txn.Operation{Name: p.name(), Parameters: p.parameters(), Metrics: metrics,
		UserMetadata: p.spec.UserMetadata, ChangesData: p.spec.Rows != nil || w.at != nil}}, nil
}

// replaced takes the old table away.
func (w *work) replaced(metrics map[string]string) []action.Action {
	p := w.plan
	var acts []action.Action
	if !feature.SameProtocol(p.protocol, w.at.Protocol()) {
		acts = append(acts, p.protocol)
	}
	acts = append(acts, p.metadata)
	for name, d := range w.at.Domains() {
		if name == feature.ClusteringDomain && p.domain == nil {
			acts = append(acts, &action.DomainMetadata{Domain: name, Configuration: d.Configuration, Removed: true})
		}
	}
	var files, bytes int64
	now := w.log.Env().Now().UnixMilli()
	live := w.at.Files()
	for i := range live.All() {
		a := live.Add(i)
		acts = append(acts, rewrite.RemoveOf(a, now))
		files++
		bytes += a.Size
	}
	metrics["numRemovedFiles"], metrics["numRemovedBytes"] = strconv.FormatInt(files, 10), strconv.FormatInt(bytes, 10)
	return acts
}
