package alter

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/rows/derive"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/types"
)

// Properties that features leave behind.
const (
	checkpointPolicyKey = "delta.checkpointPolicy"
	protectionKey       = "delta.requireCheckpointProtectionBeforeVersion"
	vectorsKey          = "delta.enableDeletionVectors"
	wideningKey         = "delta.enableTypeWidening"
	changeFeedKey       = "delta.enableChangeDataFeed"
	timestampsKey       = "delta.enableInCommitTimestamps"
	timestampStart      = "delta.inCommitTimestampEnablement"
	materializeKey      = "delta.enableMaterializePartitionColumnsFeature"
	partitionColumnsKey = "delta.writePartitionColumnsToParquet"
	suspendedKey        = "delta.rowTrackingSuspended"
	rowTrackingDomain   = "delta.rowTracking"
)

var rowTrackingTraces = []string{rowTrackingKey, suspendedKey, "delta.rowTracking.materializedRowIdColumnName", "delta.rowTracking.materializedRowCommitVersionColumnName"}

// changeBy removes traces by an ordinary change, when there are any.
func changeBy(c Change, used func(s *snapshot.Snapshot) bool) func(context.Context, *txn.Log, Options) (bool, error) {
	return func(ctx context.Context, l *txn.Log, o Options) (bool, error) {
		s, err := l.Update(ctx)
		if err != nil || used != nil && !used(s) {
			return false, err
		}
		_, err = Run(ctx, l, c, o)
		return true, err
	}
}

func usedByMetadata(used func(md *action.Metadata) bool) func(s *snapshot.Snapshot) bool {
	return func(s *snapshot.Snapshot) bool { return used(s.Metadata()) }
}

func usesByMetadata(used func(md *action.Metadata) bool) func(a action.Action) bool {
	return func(a action.Action) bool {
		md, ok := a.(*action.Metadata)
		return ok && used(md)
	}
}

func isTrue(md *action.Metadata, key string) bool {
	return strings.EqualFold(md.Configuration[key], "true")
}

func mapped(md *action.Metadata) bool { return feature.ColumnMapping(md) != feature.MappingNone }

func v2Checkpoints(md *action.Metadata) bool {
	return strings.EqualFold(md.Configuration[checkpointPolicyKey], "v2")
}

func usesV2(a action.Action) bool {
	switch a.(type) {
	case *action.Sidecar, *action.CheckpointMetadata:
		return true
	}
	return usesByMetadata(v2Checkpoints)(a)
}

func typesChanged(md *action.Metadata) bool {
	return strings.Contains(md.SchemaString, `"delta.typeChanges"`)
}

func widened(md *action.Metadata) bool { return typesChanged(md) || isTrue(md, wideningKey) }

func defaulted(md *action.Metadata) bool {
	return strings.Contains(md.SchemaString, `"`+derive.KeyDefault+`"`)
}

func materialized(md *action.Metadata) bool {
	return isTrue(md, materializeKey) || isTrue(md, partitionColumnsKey)
}

func clustered(s *snapshot.Snapshot) bool {
	configuration, _ := s.Domain(feature.ClusteringDomain)
	return len(feature.Clustering(configuration, s.Columns())) > 0
}

func timestamped(md *action.Metadata) bool {
	if isTrue(md, timestampsKey) {
		return true
	}
	for k := range md.Configuration {
		if strings.HasPrefix(k, timestampStart) {
			return true
		}
	}
	return false
}

// noTimestamps switches in-commit timestamps off and forgets since when they
// were on.
type noTimestamps struct{}

func (noTimestamps) apply(_ context.Context, d *draft) error {
	keys := []string{}
	for k := range d.md.Configuration {
		if strings.HasPrefix(k, timestampStart) {
			keys = append(keys, k)
			delete(d.md.Configuration, k)
		}
	}
	slices.Sort(keys)
	if isTrue(&d.md, timestampsKey) {
		keys = append(keys, timestampsKey)
		d.md.Configuration[timestampsKey] = "false"
	}
	d.unset(keys, true)
	return nil
}

// noDefaults takes the defaults of all columns away.
type noDefaults struct{}

func (noDefaults) apply(_ context.Context, d *draft) error {
	s := &types.Struct{Fields: slices.Clone(d.schema.Fields)}
	for i := range s.Fields {
		s.Fields[i].Metadata = s.Fields[i].Metadata.Without(derive.KeyDefault)
	}
	d.schema = s
	d.describe("CHANGE COLUMNS", map[string]json.RawMessage{"columns": text("[]")})
	return nil
}

// noDomains removes the domain metadata of the table.
type noDomains struct{}

func (noDomains) apply(_ context.Context, d *draft) error {
	d.kept = true
	for name, x := range d.snap.Domains() {
		d.domains = append(d.domains, &action.DomainMetadata{Domain: name, Configuration: x.Configuration, Removed: true})
	}
	d.describe("DOMAIN METADATA CLEANUP", nil)
	return nil
}

// noTypeChanges forgets which types columns had. No file may have one of these.
type noTypeChanges struct{}

func (noTypeChanges) apply(_ context.Context, d *draft) error {
	changed := []fieldOfHistory{}
	for _, f := range d.schema.Fields {
		if old := types.NewStruct(f); types.JSON(old) != types.JSON(withoutFieldKeys(old, typeChangesKey)) {
			changed = append(changed, shownField(f))
		}
	}
	d.schema = withoutFieldKeys(d.schema, typeChangesKey).(*types.Struct)
	d.describe("DROP FEATURE", map[string]json.RawMessage{"columns": merge.Encoded(changed)})
	return nil
}

const typeChangesKey = "delta.typeChanges"

// withoutFieldKeys is a type whose fields, at every depth, lack keys of metadata.
func withoutFieldKeys(t types.Type, keys ...string) types.Type {
	switch x := t.(type) {
	case *types.Struct:
		out := &types.Struct{Fields: slices.Clone(x.Fields)}
		for i := range out.Fields {
			for _, k := range keys {
				out.Fields[i].Metadata = out.Fields[i].Metadata.Without(k)
			}
			out.Fields[i].Type = withoutFieldKeys(out.Fields[i].Type, keys...)
		}
		return out
	case *types.Array:
		return &types.Array{Element: withoutFieldKeys(x.Element, keys...), ContainsNull: x.ContainsNull}
	case *types.Map:
		return &types.Map{Key: withoutFieldKeys(x.Key, keys...), Value: withoutFieldKeys(x.Value, keys...), ValueContainsNull: x.ValueContainsNull}
	}
	return t
}

// removeTypeChanges writes the files again that have older types, and forgets
// these types.
func removeTypeChanges(ctx context.Context, l *txn.Log, o Options) (bool, error) {
	s, err := l.Update(ctx)
	if err != nil || !widened(s.Metadata()) {
		return false, err
	}
	if _, set := s.Metadata().Configuration[wideningKey]; set {
		if _, err := Run(ctx, l, UnsetProperties{Keys: []string{wideningKey}, IfExists: true}, o); err != nil {
			return false, err
		}
	}
	if !typesChanged(s.Metadata()) {
		return false, nil
	}
	err = rewriteFiles(ctx, l, o, func(s *snapshot.Snapshot) (rewriting, error) {
		narrow := func(a *action.Add) (bool, error) { return hasOldTypes(ctx, s, a) }
		return rewriting{pick: narrow, operation: reorg(true, o)}, nil
	})
	if err != nil {
		return true, err
	}
	_, err = Run(ctx, l, noTypeChanges{}, o)
	return true, err
}

// removeRowTracking suspends the handing out of row ids, and takes them from the
// files (PROTOCOL.md, Row Tracking).
func removeRowTracking(ctx context.Context, l *txn.Log, o Options) (bool, error) {
	s, err := l.Update(ctx)
	if err != nil {
		return false, err
	}
	if feature.RowTracking(s.Metadata()) || !isTrue(s.Metadata(), suspendedKey) {
		if _, err := Run(ctx, l, SetProperties{map[string]string{rowTrackingKey: "false", suspendedKey: "true"}}, o); err != nil {
			return false, err
		}
	}
	return true, commitWork(ctx, l, func(s *snapshot.Snapshot) (txn.Work, error) { return &unbackfill{at: s}, nil })
}

// unset describes properties that are taken away.
func (d *draft) unset(keys []string, ifExists bool) {
	d.describe("UNSET TBLPROPERTIES", map[string]json.RawMessage{"properties": merge.Encoded(keys), "ifExists": json.RawMessage(strconv.FormatBool(ifExists))})
}
