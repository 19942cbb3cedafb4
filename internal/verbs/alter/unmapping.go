package alter

import (
	"context"
	"encoding/json"
	"maps"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/create"
	"github.com/sluicelake/sluice/types"
)

// removesMapping is the operation that takes physical names away.
const removesMapping = "REMOVE COLUMN MAPPING"

// removeMapping switches column mapping off: all files are written again with the
// logical names of columns, in the commit that takes the physical names from the
// schema. keep leaves the mode in the properties, as none.
func removeMapping(ctx context.Context, l *txn.Log, o Options, keep bool) (bool, error) {
	s, err := l.Update(ctx)
	if err != nil || !mapped(s.Metadata()) {
		return false, err
	}
	return true, rewriteFiles(ctx, l, o, func(s *snapshot.Snapshot) (rewriting, error) {
		md, err := unmapped(s, keep)
		if err != nil {
			return rewriting{}, err
		}
		after, err := s.With(nil, md)
		if err != nil {
			return rewriting{}, err
		}
		r := rewriting{after: after, always: true, actions: []action.Action{md}, operation: txn.Operation{Name: removesMapping,
			Parameters: map[string]json.RawMessage{}, UserMetadata: o.UserMetadata}}
		if err := feature.CheckWrite(s.Protocol(), md); err != nil {
			return rewriting{}, err
		}
		if clustered(s) { // the domain names columns as files do
			configuration, _ := s.Domain(feature.ClusteringDomain)
			var columns [][]string
			for _, name := range feature.Clustering(configuration, s.Columns()) {
				path, err := split(name)
				if err != nil {
					return rewriting{}, err
				}
				columns = append(columns, path)
			}
			domain, _, err := create.Clustering(columns, after.Schema(), md)
			if err != nil {
				return rewriting{}, err
			}
			r.actions = append(r.actions, domain)
		}
		return r, nil
	})
}

// unmapped is the metadata of a table without column mapping.
func unmapped(s *snapshot.Snapshot, keep bool) (*action.Metadata, error) {
	if feature.ChangeDataFeed(s.Metadata()) {
		return nil, refuse("DELTA_BLOCK_COLUMN_MAPPING_AND_CDC_OPERATION",
			"column mapping cannot be switched off while the change data feed is on: ALTER TABLE ... SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'false') first")
	}
	schema := withoutFieldKeys(s.Schema(), feature.KeyFieldID, feature.KeyPhysicalName, "delta.columnMapping.nested.ids").(*types.Struct)
	if err := create.CheckNames(schema, false); err != nil {
		if strings.Contains(err.Error(), "DELTA_INVALID_CHARACTERS_IN_COLUMN_NAMES") {
			return nil, refuse("DELTA_INVALID_COLUMN_NAMES_WHEN_REMOVING_COLUMN_MAPPING",
				"column mapping cannot be switched off, for only with it columns can have such names: rename them first: %v", err)
		}
		return nil, err
	}
	md := *s.Metadata()
	md.SchemaString = types.JSON(schema)
	md.Configuration = maps.Clone(md.Configuration)
	delete(md.Configuration, "delta.columnMapping.maxColumnId")
	delete(md.Configuration, mappingKey)
	if keep {
		md.Configuration[mappingKey] = "none"
	}
	return &md, nil
}
