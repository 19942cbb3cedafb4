package read

import (
	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/types"
)

// table is what binding and reading need of a table at one version; its files
// are apart.
type table struct {
	url      string
	version  int64
	metadata *action.Metadata
	protocol *action.Protocol
	source   scan.Source
	hidden   *hidden
}

func tableOf(s *snapshot.Snapshot) *table {
	return newTable(s.Bucket().URL(), s.Version(), s.Metadata(), s.Protocol(), scan.SourceOf(s))
}

func newTable(url string, version int64, md *action.Metadata, p *action.Protocol, src scan.Source) *table {
	t := &table{url: url, version: version, metadata: md, protocol: p, source: src}
	t.hidden = newHidden(t)
	return t
}

func (t *table) schema() *types.Struct { return t.source.Columns.Logical }

// bind binds an expression to the columns of the table and to _metadata, whose
// members become columns of their own.
func (t *table) bind(e expr.Expr, o expr.Options) (expr.Expr, error) {
	tables := []expr.Table{{Name: "t", Schema: t.schema()}}
	if t.hidden.visible && names(e, hiddenName) {
		tables = append(tables, expr.Table{Name: "t", Schema: t.hidden.schema, Base: t.hidden.base})
	}
	bound, err := expr.Bind(e, expr.Scope{Tables: tables, Options: o})
	if err != nil {
		return nil, t.hidden.explain(err)
	}
	return expr.Rewrite(bound, t.hidden.flatten), nil
}

// rowTracking reports whether rows have stable ids (PROTOCOL.md, Row Tracking).
func (t *table) rowTracking() bool {
	return t.tracksFiles() && feature.RowTracking(t.metadata)
}

// tracksFiles reports whether files say where the ids of their rows begin.
func (t *table) tracksFiles() bool { return feature.Supports(t.protocol, "rowTracking") }
