package feature

import (
	"encoding/json"
	"strings"

	"github.com/sluicelake/sluice/types"
)

// ClusteringDomain is the metadata domain that names the clustering columns
// (PROTOCOL.md, Clustered Table).
const ClusteringDomain = "delta.clustering"

// Clustering reads the configuration of the clustering domain, which names
// columns by their physical names, and gives logical names with dots between them, quoted where a name has dots
// of its own. A column that
// the schema no longer has keeps its physical name; a configuration that cannot
// be read names no columns: clustering never decides what a reader sees.
func Clustering(configuration string, c *Columns) []string {
	var domain struct {
		ClusteringColumns []json.RawMessage `json:"clusteringColumns"`
	}
	if configuration == "" || json.Unmarshal([]byte(configuration), &domain) != nil {
		return nil
	}
	var out []string
	for _, raw := range domain.ClusteringColumns {
		var path []string // of names; the name alone in the protocol's example
		var name string
		if json.Unmarshal(raw, &name) == nil {
			path = []string{name}
		} else if json.Unmarshal(raw, &path) != nil {
			return nil
		}
		out = append(out, strings.Join(logicalPath(path, c.Logical, c.Physical), "."))
	}
	return out
}

// logicalPath translates the physical names on the way to a nested column.
func logicalPath(path []string, logical, physical *types.Struct) []string {
	out := make([]string, len(path))
	for i, name := range path {
		if physical != nil && logical != nil {
			at := physical.Index(name)
			if at < 0 {
				logical, physical = nil, nil
			} else {
				name = logical.Fields[at].Name
				logical, _ = logical.Fields[at].Type.(*types.Struct)
				physical, _ = physical.Fields[at].Type.(*types.Struct)
			}
		}
		if strings.ContainsAny(name, ".`") {
			name = types.QuoteIdentifier(name)
		}
		out[i] = name
	}
	return out
}
