package alter

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/rows/derive"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/types"
)

// DropFeature is DROP FEATURE, for features that leave nothing behind in data
// files or in the older part of the log.
type DropFeature struct {
	Name            string
	TruncateHistory bool
}

// droppable removes what a feature has left in the table's metadata.
var droppable = map[string]func(d *draft) error{
	"invariants": func(d *draft) error {
		for _, c := range feature.Constraints(&action.Metadata{}, d.schema) {
			return refuse("DELTA_FEATURE_DROP_CONFLICT_REVALIDATION_FAIL", "the column %s has the invariant %s", c.Column, c.Expr)
		}
		return nil
	},
	"checkConstraints": func(d *draft) error {
		var names []string
		for _, c := range feature.Constraints(&d.md, &types.Struct{}) {
			names = append(names, c.Name)
		}
		if len(names) > 0 {
			return refuse("DELTA_CANNOT_DROP_CHECK_CONSTRAINT_FEATURE", "the table has the constraints %s: drop them first", strings.Join(names, ", "))
		}
		return nil
	},
	"allowColumnDefaults": func(d *draft) error {
		s := &types.Struct{Fields: slices.Clone(d.schema.Fields)}
		for i := range s.Fields {
			s.Fields[i].Metadata = s.Fields[i].Metadata.Without(derive.KeyDefault)
		}
		d.schema = s
		return nil
	},
	"inCommitTimestamp": func(d *draft) error {
		for k := range d.md.Configuration {
			if strings.HasPrefix(k, "delta.inCommitTimestampEnablement") {
				delete(d.md.Configuration, k)
			}
		}
		if _, ok := d.md.Configuration["delta.enableInCommitTimestamps"]; ok {
			d.md.Configuration["delta.enableInCommitTimestamps"] = "false"
		}
		return nil
	},
	"domainMetadata": func(d *draft) error {
		for name, x := range d.snap.Domains() {
			d.domains = append(d.domains, &action.DomainMetadata{Domain: name, Configuration: x.Configuration, Removed: true})
		}
		return nil
	},
	"materializePartitionColumns": func(d *draft) error {
		delete(d.md.Configuration, "delta.enableMaterializePartitionColumnsFeature")
		delete(d.md.Configuration, "delta.writePartitionColumnsToParquet")
		return nil
	},
}

// protected are features of which the log keeps traces: without more, readers
// that do not know them would misread older versions.
var protected = []string{"deletionVectors", "columnMapping", "typeWidening", "typeWidening-preview", "v2Checkpoint", "vacuumProtocolCheck", "rowTracking", "checkpointProtection"}

func (c DropFeature) apply(_ context.Context, d *draft) error {
	has := feature.Supports(d.snap.Protocol(), c.Name)
	_, known := feature.Lookup(c.Name)
	clean, ok := droppable[c.Name]
	switch {
	case !known && !has:
		return refuse("DELTA_FEATURE_DROP_UNSUPPORTED_CLIENT_FEATURE", "there is no table feature %s here that could be dropped", c.Name)
	case !has:
		return refuse("DELTA_FEATURE_DROP_FEATURE_NOT_PRESENT", "the table does not have the feature %s", c.Name)
	case slices.Contains(protected, c.Name):
		return refuse("DELTA_FEATURE_DROP_UNSUPPORTED_CLIENT_FEATURE", "the feature %s cannot be dropped by this engine: its traces in data files and older commits would have to be removed first; another engine can do that", c.Name)
	case !ok:
		return refuse("DELTA_FEATURE_DROP_NONREMOVABLE_FEATURE", "the feature %s cannot be dropped", c.Name)
	case c.TruncateHistory:
		return refuse("DELTA_FEATURE_DROP_HISTORY_TRUNCATION_NOT_ALLOWED", "the feature %s leaves nothing in the history: drop it without TRUNCATE HISTORY", c.Name)
	}
	for _, name := range feature.Names(d.snap.Protocol()) {
		if f, _ := feature.Lookup(name); slices.Contains(f.Requires, c.Name) {
			return refuse("DELTA_FEATURE_DROP_DEPENDENT_FEATURE", "the feature %s needs %s: it has to be dropped first", name, c.Name)
		}
	}
	if err := clean(d); err != nil {
		return err
	}
	d.lowered = feature.Without(d.snap.Protocol(), c.Name)
	truncate, _ := json.Marshal(c.TruncateHistory)
	d.describe("DROP FEATURE", map[string]json.RawMessage{"featureName": text(c.Name), "truncateHistory": truncate})
	return nil
}
