package create

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/types"
)

// maxClusterColumns is how many columns a table can be clustered by.
const maxClusterColumns = 4

// Clustering is the metadata domain that names clustering columns, and their
// logical names, dotted (PROTOCOL.md, Clustered Table). They must have
// statistics: clustering serves to skip files by them.
func Clustering(columns [][]string, s *types.Struct, md *action.Metadata) (*action.DomainMetadata, []string, error) {
	for i, column := range columns {
		if slices.ContainsFunc(columns[:i], func(other []string) bool { return slices.EqualFunc(other, column, strings.EqualFold) }) {
			return nil, nil, refuse("DELTA_DUPLICATE_COLUMNS_FOUND.CLUSTER_BY", "the clustering column %s is named twice", strings.Join(column, "."))
		}
	}
	if len(columns) > maxClusterColumns {
		return nil, nil, refuse("DELTA_CLUSTER_BY_INVALID_NUM_COLUMNS", "%d clustering columns, a table can have %d", len(columns), maxClusterColumns)
	}
	m, err := feature.Mapping(md, s)
	if err != nil {
		return nil, nil, err
	}
	leaves, err := colstats.Select(m.Logical, m.Physical, md.PartitionColumns, md.Configuration)
	if err != nil {
		return nil, nil, err
	}
	paths, names := [][]string{}, []string{}
	for _, column := range columns {
		path, logical, t, err := physicalPath(column, m)
		if err != nil {
			return nil, nil, err
		}
		name := strings.Join(logical, ".")
		stats := slices.ContainsFunc(leaves, func(l colstats.Leaf) bool { return slices.Equal(l.Path, path) })
		if !colstats.HasBounds(t) {
			return nil, nil, refuse("DELTA_CLUSTERING_COLUMNS_DATATYPE_NOT_SUPPORTED", "%s is %s: files cannot be skipped by it, so the table cannot be clustered by it", name, t)
		}
		if !stats {
			return nil, nil, refuse("DELTA_CLUSTERING_COLUMN_MISSING_STATS", "%s (%s) has no statistics and cannot be a clustering column: see delta.dataSkippingNumIndexedCols and delta.dataSkippingStatsColumns for the columns that have them, and take one whose type has an order", name, t)
		}
		paths, names = append(paths, path), append(names, name)
	}
	text, err := json.Marshal(struct {
		Columns [][]string `json:"clusteringColumns"`
		Domain  string     `json:"domainName"`
	}{paths, feature.ClusteringDomain})
	if err != nil {
		return nil, nil, err
	}
	return &action.DomainMetadata{Domain: feature.ClusteringDomain, Configuration: string(text)}, names, nil
}

// physicalPath translates the name of a column or of a field inside structs.
func physicalPath(column []string, m *feature.Columns) (path, logical []string, t types.Type, err error) {
	var l, p types.Type = m.Logical, m.Physical
	for _, name := range column {
		ls, ok := l.(*types.Struct)
		if !ok || ls.Index(name) < 0 {
			return nil, nil, nil, refuse("DELTA_COLUMN_NOT_FOUND_IN_SCHEMA", "the clustering column %s is not among the columns %s", strings.Join(column, "."), strings.Join(m.Logical.Names(), ", "))
		}
		i := ls.Index(name)
		pf := p.(*types.Struct).Fields[i]
		path, l, p = append(path, pf.Name), ls.Fields[i].Type, pf.Type
		bare := ls.Fields[i].Name
		if strings.ContainsAny(bare, ".`") {
			bare = types.QuoteIdentifier(bare)
		}
		logical = append(logical, bare)
	}
	return path, logical, l, nil
}
