package conflict

import (
	"maps"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/types"
)

// identityTag marks a commit whose metadata only carries new high water marks of
// identity columns.
const identityTag = "delta.identity.schemaUpdate"

// refMetadata: a winner's metadata is adopted when it only switches on what
// prepared files comply with anyway.
func refMetadata(f *Facts, w *Winner, v *Verdict) {
	var md *action.Metadata
	for _, a := range w.Actions {
		if x, ok := a.(*action.Metadata); ok {
			md = x
			break
		}
	}
	switch {
	case md == nil:
		return
	case f.changesMetadata():
		v.fail(ClassMetadata, Evidence{Kind: "metadata", Detail: "both change the metadata", Strength: ByName})
		return
	case strings.EqualFold(w.Info().Tags[identityTag], "true"):
		return
	}
	if why := refUnlike(f.Metadata, md, adopted(f, v)); why != "" {
		v.fail(ClassMetadata, Evidence{Kind: "metadata", Detail: why, Strength: ByName})
		return
	}
	v.Metadata = md
}

// change is one property that a winner added or gave another value.
type change struct {
	before, after string
	existed       bool
	md            *action.Metadata // the winner's
	p             *action.Protocol // in force
}

func (c change) on(name string) bool {
	return strings.EqualFold(c.after, "true") && supports(c.p, name)
}

func (c change) isNew() bool { return !c.existed }

// refAllowed lists the properties whose change alone conflicts with nobody, and
// which changes of them.
var refAllowed = map[string]func(c change) bool{
	"delta.enableRowTracking":                                  func(c change) bool { return c.on(rowTrackingFeature) },
	"delta.rowTracking.materializedRowIdColumnName":            change.tracked,
	"delta.rowTracking.materializedRowCommitVersionColumnName": change.tracked,
	"delta.columnMapping.mode":                                 change.named,
	"delta.columnMapping.maxColumnId":                          func(change) bool { return true },
	"delta.enableDeletionVectors":                              func(c change) bool { return c.on("deletionVectors") },
	"delta.checkpointPolicy":                                   func(c change) bool { return c.after == "v2" && supports(c.p, "v2Checkpoint") },
	"delta.enableInCommitTimestamps":                           func(c change) bool { return c.on("inCommitTimestamp") },
	"delta.inCommitTimestampEnablementVersion":                 change.isNew,
	"delta.inCommitTimestampEnablementTimestamp":               change.isNew,
	"io.unitycatalog.tableId":                                  change.isNew,
}

// tracked: the columns for row ids are named when row tracking is switched on.
func (c change) tracked() bool {
	return strings.EqualFold(c.md.Configuration["delta.enableRowTracking"], "true")
}

// named: column mapping goes from none to names, and by nothing else.
func (c change) named() bool {
	return (c.before == "" || c.before == "none") && c.after == "name" && supports(c.p, "columnMapping")
}

// refUnlike says what in a winner's metadata is more than that; "" when it is not.
func refUnlike(old, md *action.Metadata, p *action.Protocol) string {
	if old == nil {
		return "the table was created meanwhile"
	}
	if !sameText(old.Name, md.Name) || !sameText(old.Description, md.Description) || old.ID != md.ID || !sameNumber(old.CreatedTime, md.CreatedTime) ||
		old.Format.Provider != md.Format.Provider || !maps.Equal(old.Format.Options, md.Format.Options) || !slices.Equal(old.PartitionColumns, md.PartitionColumns) {
		return "more than schema and configuration changed"
	}
	for key := range old.Configuration {
		if _, ok := md.Configuration[key]; !ok {
			return "the property " + key + " was removed"
		}
	}
	for key, after := range md.Configuration {
		before, existed := old.Configuration[key]
		if existed && before == after {
			continue
		}
		if allowed := refAllowed[key]; allowed == nil || !allowed(change{before, after, existed, md, p}) {
			return map[bool]string{true: "the property " + key + " changed", false: "the property " + key + " was added"}[existed]
		}
	}
	if old.SchemaString != md.SchemaString && !onlyMapped(old, md) {
		return "the schema changed"
	}
	return ""
}

func sameText(a, b *string) bool  { return a == b || a != nil && b != nil && *a == *b }
func sameNumber(a, b *int64) bool { return a == b || a != nil && b != nil && *a == *b }

// onlyMapped reports whether the columns are the same ones, and have only been
// given the ids and physical names of column mapping.
func onlyMapped(old, md *action.Metadata) bool {
	if feature.ColumnMapping(old) != feature.MappingNone || feature.ColumnMapping(md) != feature.MappingName {
		return false
	}
	a, err1 := types.ParseSchema(old.SchemaString)
	b, err2 := types.ParseSchema(md.SchemaString)
	if err1 != nil || err2 != nil || len(a.Fields) != len(b.Fields) {
		return false
	}
	for i, x := range a.Fields {
		y := b.Fields[i]
		if x.Name != y.Name || x.Nullable != y.Nullable || types.JSON(x.Type) != types.JSON(y.Type) || !maps.Equal(unmapped(x.Metadata), unmapped(y.Metadata)) {
			return false
		}
	}
	return true
}

// unmapped is what a column's metadata says beside column mapping.
func unmapped(m types.Metadata) map[string]string {
	out := map[string]string{}
	for _, key := range m.Keys() {
		if !strings.HasPrefix(key, "delta.columnMapping.") {
			raw, _ := m.Raw(key)
			out[key] = strings.Join(strings.Fields(string(raw)), " ")
		}
	}
	return out
}
