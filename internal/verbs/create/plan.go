package create

import (
	"encoding/json"
	"maps"
	"strconv"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/rows/derive"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/insert"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/types"
)

// plan is a new table worked out.
type plan struct {
	spec     Spec
	schema   *types.Struct
	protocol *action.Protocol
	metadata *action.Metadata
	domain   *action.DomainMetadata // nil: the table is not clustered
	cluster  []string
	shown    map[string]string // the properties as history shows them
}

// newPlan derives the table; s is the one that it replaces, nil for none.
func newPlan(e *env.Env, s *snapshot.Snapshot, spec Spec) (*plan, error) {
	if spec.Schema == nil && spec.Rows != nil {
		spec.Schema = insert.Nullable(spec.Rows.Schema())
	}
	parts, err := Check(spec)
	if err != nil {
		return nil, err
	}
	properties := maps.Clone(spec.Properties)
	if properties == nil {
		properties = map[string]string{}
	}
	for k := range properties {
		if strings.EqualFold(k, "delta.feature.clustering") {
			return nil, refuse("DELTA_CREATE_TABLE_SET_CLUSTERING_TABLE_FEATURE_NOT_ALLOWED", "a table is clustered with CLUSTER BY, not by the property %s", k)
		}
	}
	if err := withDefaults(properties, spec.Defaults); err != nil {
		return nil, err
	}
	for _, c := range spec.Constraints {
		properties["delta.constraints."+strings.ToLower(c.Name)] = c.Check
	}
	if len(spec.ClusterBy) > 0 {
		properties["delta.feature.clustering"] = "supported"
	}
	if err := allowsDefaults(s, spec.Schema, properties); err != nil {
		return nil, err
	}
	p := &plan{spec: spec, schema: spec.Schema}
	protocol, config, err := feature.ForNewTable(spec.Schema, properties)
	if err != nil {
		return nil, err
	}
	if s != nil { // a replaced table keeps what its log has needed so far
		asked, err := feature.Normalise(properties)
		if err != nil {
			return nil, err
		}
		wanted := maps.Clone(config)
		for k, v := range asked {
			if strings.HasPrefix(k, "delta.feature.") {
				wanted[k] = v
			}
		}
		if protocol, _, err = feature.Upgrade(s.Protocol(), spec.Schema, wanted); err != nil {
			return nil, err
		}
	}
	if feature.ColumnMapping(&action.Metadata{Configuration: config}) != feature.MappingNone {
		p.schema, config = feature.AssignMapping(spec.Schema, withHighestID(config, s), e.NewID)
	}
	if feature.RowTracking(&action.Metadata{Configuration: config}) {
		feature.NameRowColumns(config, e.NewID)
	}
	now := e.Now().UnixMilli()
	p.protocol, p.shown = protocol, maps.Clone(config)
	p.metadata = &action.Metadata{ID: e.NewID(), Format: action.Format{Provider: "parquet", Options: map[string]string{}},
		SchemaString: types.JSON(p.schema), PartitionColumns: parts, Configuration: config, CreatedTime: &now}
	if spec.Name != "" {
		p.metadata.Name = &spec.Name
	}
	if spec.Comment != "" {
		p.metadata.Description = &spec.Comment
	}
	if len(spec.ClusterBy) > 0 {
		p.domain, p.cluster, err = Clustering(spec.ClusterBy, p.schema, p.metadata)
	}
	return p, err
}

// allowsDefaults refuses columns with defaults in a table that was not asked to allow
// them, as the reference does: not every writer knows them.
func allowsDefaults(s *snapshot.Snapshot, schema *types.Struct, properties map[string]string) error {
	const asks = "delta.feature.allowColumnDefaults"
	for k := range properties {
		if strings.EqualFold(k, asks) {
			return nil
		}
	}
	if s != nil && feature.Supports(s.Protocol(), "allowColumnDefaults") {
		return nil
	}
	for _, f := range schema.Fields {
		if _, ok := f.Metadata.Raw(derive.KeyDefault); ok {
			return refuse("WRONG_COLUMN_DEFAULTS_FOR_DELTA_FEATURE_NOT_ENABLED", "the column %s has a default, which the table has to allow: add the property '%s' = 'supported'", types.QuoteIdentifier(f.Name), asks)
		}
	}
	return nil
}

// withDefaults adds the properties that were not given, however their keys are spelled.
func withDefaults(properties, defaults map[string]string) error {
	given, err := feature.Normalise(properties)
	if err != nil {
		return err
	}
	for k, v := range defaults {
		if _, ok := given[k]; !ok {
			properties[k] = v
		}
	}
	return nil
}

// withHighestID carries the highest column id over, so that no id comes to mean
// two columns in the history of a table.
func withHighestID(config map[string]string, s *snapshot.Snapshot) map[string]string {
	const key = "delta.columnMapping.maxColumnId"
	if s == nil || s.Metadata().Configuration[key] == "" {
		return config
	}
	old, _ := strconv.ParseInt(s.Metadata().Configuration[key], 10, 64)
	if now, _ := strconv.ParseInt(config[key], 10, 64); now >= old {
		return config
	}
	out := maps.Clone(config)
	out[key] = strconv.FormatInt(old, 10)
	return out
}

// name is the operation as history has it.
func (p *plan) name() string {
	out := "CREATE TABLE"
	switch {
	case p.spec.Replace && p.spec.OrCreate:
		out = "CREATE OR REPLACE TABLE"
	case p.spec.Replace:
		out = "REPLACE TABLE"
	}
	if p.spec.Rows != nil {
		out += " AS SELECT"
	}
	return out
}

func (p *plan) parameters() map[string]json.RawMessage {
	plain := func(v any) json.RawMessage { b, _ := json.Marshal(v); return b }
	var description any
	if p.spec.Comment != "" {
		description = p.spec.Comment
	}
	shown, cluster := p.shown, p.cluster
	if shown == nil {
		shown = map[string]string{}
	}
	if cluster == nil {
		cluster = []string{}
	}
	return map[string]json.RawMessage{"isManaged": plain("false"), "description": plain(description), "partitionBy": merge.Encoded(p.metadata.PartitionColumns),
		"properties": merge.Encoded(shown), "clusterBy": merge.Encoded(cluster)}
}
