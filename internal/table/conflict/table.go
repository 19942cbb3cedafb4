package conflict

import (
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/table/feature"
)

// table is what of a scenario's table is needed behind each winner.
type table struct {
	protocol *action.Protocol
	metadata *action.Metadata
	live     map[string]*action.Add
	domains  map[string]bool
	mark     int64 // the highest row id of version 0
}

// follow applies a commit.
func (t *table) follow(acts []action.Action) {
	for _, a := range acts {
		switch x := a.(type) {
		case *action.Protocol:
			t.protocol = x
		case *action.Metadata:
			t.metadata = x
		case *action.Remove:
			delete(t.live, x.Path)
		case *action.DomainMetadata:
			t.domains[x.Domain] = !x.Removed
		}
	}
	for _, a := range acts { // a commit that removes and adds a path describes it anew
		if x, ok := a.(*action.Add); ok {
			t.live[x.Path] = x
		}
	}
}

// uses reports whether the newest version makes use of a feature, so that it
// cannot be dropped from it.
func (t *table) uses(name string) bool {
	set := func(key, value string) bool { return strings.EqualFold(t.metadata.Configuration[key], value) }
	switch name {
	case "deletionVectors":
		for _, a := range t.live {
			if a.DeletionVector != nil {
				return true
			}
		}
		return set("delta.enableDeletionVectors", "true")
	case "columnMapping":
		return feature.ColumnMapping(t.metadata) != feature.MappingNone || strings.Contains(t.metadata.SchemaString, "delta.columnMapping.")
	case "typeWidening", "typeWidening-preview":
		return set("delta.enableTypeWidening", "true") || strings.Contains(t.metadata.SchemaString, "delta.typeChanges")
	case "v2Checkpoint":
		return set("delta.checkpointPolicy", "v2")
	case "inCommitTimestamp":
		_, since := t.metadata.Configuration["delta.inCommitTimestampEnablementVersion"]
		return since || set("delta.enableInCommitTimestamps", "true")
	case "changeDataFeed":
		return set("delta.enableChangeDataFeed", "true")
	case "appendOnly":
		return set("delta.appendOnly", "true")
	case "checkConstraints":
		for key := range t.metadata.Configuration {
			if strings.HasPrefix(strings.ToLower(key), "delta.constraints.") {
				return true
			}
		}
	case "allowColumnDefaults":
		return strings.Contains(t.metadata.SchemaString, "CURRENT_DEFAULT")
	case "clustering":
		return t.domains["delta.clustering"]
	case "domainMetadata":
		for _, there := range t.domains {
			if there {
				return true
			}
		}
	}
	return false
}
