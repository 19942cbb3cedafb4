package create

import (
	"context"
	"strconv"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/rows/write"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/insert"
)

// work publishes a new table. One that replaces another removes whatever is live
// when it is published.
type work struct {
	Replacement
	plan  *plan
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

func (w *work) Effects(context.Context) (txn.Effects, error) {
	p := w.plan
	acts := w.Definition(p.protocol, p.metadata)
	metrics := map[string]string{}
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	if w.Old != nil {
		acts = append(acts, w.unclustered()...)
		gone, bytes := w.Removals(nil)
		acts = append(acts, gone...)
		metrics["numRemovedFiles"], metrics["numRemovedBytes"] = n(int64(len(gone))), n(bytes)
	}
	if p.domain != nil {
		acts = append(acts, p.domain)
	}
	acts = append(acts, w.adds...)
	if p.spec.Rows != nil {
		metrics["numFiles"], metrics["numOutputRows"], metrics["numOutputBytes"] = n(int64(len(w.adds))), n(w.rows), n(w.bytes)
	}
	return txn.Effects{Actions: acts, Always: true, Operation: txn.Operation{Name: p.name(), Parameters: p.parameters(), Metrics: metrics,
		UserMetadata: p.spec.UserMetadata, ChangesData: p.spec.Rows != nil || w.Old != nil}}, nil
}

// unclustered ends the clustering of the old table where the new one has none.
func (w *work) unclustered() []action.Action {
	d, ok := w.Old.Domains()[feature.ClusteringDomain]
	if !ok || w.plan.domain != nil {
		return nil
	}
	return []action.Action{&action.DomainMetadata{Domain: feature.ClusteringDomain, Configuration: d.Configuration, Removed: true}}
}
