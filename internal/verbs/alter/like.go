package alter

import (
	"maps"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/internal/rows/derive"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/create"
	"github.com/sluicelake/sluice/types"
)

// Like describes a table with the columns, partitions, clustering, constraints,
// comment and properties of another one: what belongs to its own files and history
// (ids and physical names of columns, marks of identities and of retained features) is
// left out.
func Like(s *snapshot.Snapshot) create.Spec {
	out := create.Spec{
		Schema: withoutFieldKeys(s.Schema(), feature.KeyFieldID, feature.KeyPhysicalName, "delta.columnMapping.nested.ids", typeChangesKey,
			derive.KeyIdentityHigh).(*types.Struct),
		PartitionBy: s.PartitionColumns(),
		Properties:  map[string]string{},
	}
	if domain, ok := s.Domain(feature.ClusteringDomain); ok {
		for _, c := range feature.Clustering(domain, s.Columns()) {
			out.ClusterBy = append(out.ClusterBy, strings.Split(c, "."))
		}
	}
	if d := s.Metadata().Description; d != nil {
		out.Comment = *d
	}
	const check = "delta.constraints."
	for _, k := range slices.Sorted(maps.Keys(s.Metadata().Configuration)) {
		v := s.Metadata().Configuration[k]
		switch {
		case strings.HasPrefix(k, check):
			out.Constraints = append(out.Constraints, create.Constraint{Name: k[len(check):], Check: v})
		case k == "clusteringColumns", k == "delta.columnMapping.maxColumnId", k == "delta.requireCheckpointProtectionBeforeVersion",
			strings.HasPrefix(k, "delta.rowTracking.materialized"), strings.HasPrefix(k, "delta.inCommitTimestampEnablement"):
		default:
			out.Properties[k] = v
		}
	}
	return out
}
