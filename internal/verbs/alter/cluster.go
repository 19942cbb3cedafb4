package alter

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/verbs/create"
)

// ClusterBy is CLUSTER BY: how the next OPTIMIZE lays rows out. No columns is NONE.
type ClusterBy struct{ Columns [][]string }

func (c ClusterBy) apply(_ context.Context, d *draft) error {
	if len(d.md.PartitionColumns) > 0 {
		return refuse("DELTA_ALTER_TABLE_CLUSTER_BY_ON_PARTITIONED_TABLE_NOT_ALLOWED", "a partitioned table cannot be clustered (it is partitioned by %s)", strings.Join(d.md.PartitionColumns, ", "))
	}
	if len(c.Columns) == 0 && !feature.Supports(d.snap.Protocol(), "clustering") {
		d.nothing = true
		return nil
	}
	domain, names, err := create.Clustering(c.Columns, d.schema, &d.md)
	if err != nil {
		return err
	}
	old := d.clustering()
	d.kept, d.asked["delta.feature.clustering"] = true, "supported"
	d.domains = append(d.domains, domain)
	d.describe("CLUSTER BY", map[string]json.RawMessage{"oldClusteringColumns": text(strings.Join(old, ",")), "newClusteringColumns": text(strings.Join(names, ","))})
	return nil
}
