package alter

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/create"
	"github.com/sluicelake/sluice/internal/verbs/merge"
)

// Properties with rules of their own.
const (
	commentKey     = "comment"
	mappingKey     = "delta.columnMapping.mode"
	rowTrackingKey = "delta.enableRowTracking"
)

// SetProperties is SET TBLPROPERTIES; the property comment is the table's description.
type SetProperties struct{ Properties map[string]string }

// prepare does what a property needs before it can be set: files get their row
// ids, or their columns' own names.
func (c SetProperties) prepare(ctx context.Context, l *txn.Log, o Options) (*txn.Result, error) {
	given, err := normalise(c.Properties)
	if err != nil {
		return nil, err
	}
	if strings.EqualFold(given[rowTrackingKey], "true") {
		if err := track(ctx, l, o); err != nil {
			return nil, err
		}
	}
	if strings.EqualFold(given[mappingKey], "none") {
		return unmap(ctx, l, o, true, len(given) == 1)
	}
	return nil, nil
}

// unmap switches column mapping off if it is on, and tells how when that is all.
func unmap(ctx context.Context, l *txn.Log, o Options, keep, all bool) (*txn.Result, error) {
	made, err := removeMapping(ctx, l, o, keep)
	if err != nil || !made || !all {
		return nil, err
	}
	s, err := l.Update(ctx)
	if err != nil {
		return nil, err
	}
	return &txn.Result{Version: s.Version(), Committed: true, Snapshot: s}, nil
}

func (c SetProperties) apply(_ context.Context, d *draft) error {
	given, err := normalise(c.Properties)
	if err != nil {
		return err
	}
	for _, k := range slices.Sorted(maps.Keys(given)) {
		v := given[k]
		switch {
		case k == commentKey:
			d.md.Description = &v
			continue
		case k == "location" || k == "provider" || k == "owner" || k == "external" || k == "is_managed_location":
			return refuse("UNSUPPORTED_FEATURE.SET_TABLE_PROPERTY", "the %s of a table is no property that can be set", k)
		case strings.HasPrefix(k, "delta.constraints."):
			return refuse("DELTA_ADD_CONSTRAINTS", "constraints are added with ALTER TABLE ... ADD CONSTRAINT name CHECK (condition)")
		case k == "delta.feature.clustering":
			return refuse("DELTA_ALTER_TABLE_SET_CLUSTERING_TABLE_FEATURE_NOT_ALLOWED", "a table is clustered with ALTER TABLE ... CLUSTER BY (columns)")
		case k == "clusteringColumns", k == "delta.columnMapping.maxColumnId", strings.HasPrefix(k, "delta.rowTracking.materialized"), strings.HasPrefix(k, "delta.inCommitTimestampEnablement"):
			return refuse("DELTA_CANNOT_MODIFY_TABLE_PROPERTY", "the property %s is kept by the engine and cannot be set", k)
		case strings.HasPrefix(k, "delta.feature.") || k == "delta.minReaderVersion" || k == "delta.minWriterVersion":
			d.asked[k] = v
			if id, _ := feature.MaterializedRowColumns(&d.md); k == "delta.feature.rowTracking" && id == "" {
				feature.NameRowColumns(d.md.Configuration, d.snap.Env().NewID)
			}
			continue
		case k == statsColumnsKey:
			if err := create.CheckStatsColumns(d.schema, nil, v); err != nil {
				return err
			}
		case k == "delta.ignoreProtocolDefaults":
			continue
		case k == mappingKey:
			if err := d.mapping(v); err != nil {
				return err
			}
		}
		d.md.Configuration[k] = v
	}
	if feature.RowTracking(&d.md) && !feature.RowTracking(d.snap.Metadata()) {
		if id, _ := feature.MaterializedRowColumns(&d.md); id == "" {
			feature.NameRowColumns(d.md.Configuration, d.snap.Env().NewID)
		}
	}
	if err := d.manifested(); err != nil {
		return err
	}
	d.describe("SET TBLPROPERTIES", map[string]json.RawMessage{"properties": merge.Encoded(given)})
	return nil
}

// manifested refuses manifests that follow each commit for a table with deletion
// vectors: their readers know nothing of deleted rows.
func (d *draft) manifested() error {
	const class = "DELTA_VIOLATE_TABLE_PROPERTY_VALIDATION_FAILED."
	switch {
	case !strings.EqualFold(d.md.Configuration["delta.compatibility.symlinkFormatManifest.enabled"], "true"):
		return nil
	case strings.EqualFold(d.md.Configuration["delta.enableDeletionVectors"], "true"):
		return refuse(class+"PERSISTENT_DELETION_VECTORS_WITH_INCREMENTAL_MANIFEST_GENERATION", "symlink manifests cannot tell of rows that deletion vectors mark: set delta.enableDeletionVectors to false, and purge the table (REORG TABLE ... APPLY (PURGE)), first")
	case d.snap.NumDeletionVectors() > 0:
		return refuse(class+"EXISTING_DELETION_VECTORS_WITH_INCREMENTAL_MANIFEST_GENERATION", "symlink manifests cannot tell of rows that deletion vectors mark, and %d files have some: purge the table first (REORG TABLE ... APPLY (PURGE))", d.snap.NumDeletionVectors())
	}
	return nil
}

// normalise is feature.Normalise with the error class of a table change.
func normalise(properties map[string]string) (map[string]string, error) {
	out, err := feature.Normalise(properties)
	var p *feature.PropertyError
	if errors.As(err, &p) && p.Class == "" && strings.HasSuffix(strings.ToLower(p.Key), "duration") && !strings.Contains(p.Msg, "not of") {
		return nil, refuse("DELTA_INVALID_INTERVAL", "table property %s: %s", p.Key, p.Msg)
	}
	if errors.As(err, &p) && p.Class == "" {
		return nil, refuse("UNSUPPORTED_TABLE_CHANGE", "table property %s: %s", p.Key, p.Msg)
	}
	return out, err
}

// mapping switches column mapping on. Files that are there have their columns
// under the names of now, which so become the physical names (PROTOCOL.md, Column
// Mapping).
func (d *draft) mapping(mode string) error {
	now := feature.ColumnMapping(&d.md).String()
	switch {
	case strings.EqualFold(now, mode):
	case now == "none" && strings.EqualFold(mode, "name"):
		d.physical = true
	case strings.EqualFold(mode, "none"): // prepare has done it; another writer switched it on again
		return refuse("DELTA_METADATA_CHANGED", "column mapping was switched on again while it was switched off")
	default:
		return refuse("DELTA_UNSUPPORTED_COLUMN_MAPPING_MODE_CHANGE", "column mapping cannot go from %s to %s: an existing table can go from none to name", now, mode)
	}
	return nil
}

// UnsetProperties is UNSET TBLPROPERTIES.
type UnsetProperties struct {
	Keys     []string
	IfExists bool // passes over properties that are not set
}

func (c UnsetProperties) prepare(ctx context.Context, l *txn.Log, o Options) (*txn.Result, error) {
	for _, k := range c.Keys {
		if strings.EqualFold(k, mappingKey) {
			return unmap(ctx, l, o, false, len(c.Keys) == 1)
		}
	}
	return nil, nil
}

func (c UnsetProperties) apply(_ context.Context, d *draft) error {
	keys := []string{}
	for _, k := range c.Keys {
		key := k
		if norm, err := feature.Normalise(map[string]string{k: d.md.Configuration[k]}); err == nil {
			for n := range norm {
				key = n
			}
		} else {
			for have := range d.md.Configuration {
				if strings.EqualFold(have, k) && strings.HasPrefix(strings.ToLower(k), "delta.") {
					key = have
				}
			}
		}
		_, set := d.md.Configuration[key]
		switch {
		case key == commentKey:
			d.md.Description = nil
		case !set && !c.IfExists:
			return refuse("DELTA_UNSET_NON_EXISTENT_PROPERTY", "the table has no property %s: use IF EXISTS to pass over it", key)
		case strings.EqualFold(key, mappingKey) && d.mapped():
			return d.mapping("none")
		case strings.HasPrefix(key, "delta.constraints."):
			return refuse("DELTA_CANNOT_MODIFY_TABLE_PROPERTY", "constraints are dropped with ALTER TABLE ... DROP CONSTRAINT")
		}
		delete(d.md.Configuration, key)
		keys = append(keys, key)
	}
	d.unset(keys, c.IfExists)
	return nil
}
