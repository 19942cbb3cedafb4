package clone

import (
	"maps"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/types"
)

// own are properties that speak of the source's log and history.
var own = []string{"delta.inCommitTimestampEnablementVersion", "delta.inCommitTimestampEnablementTimestamp", "delta.requireCheckpointProtectionBeforeVersion"}

// describe derives protocol and metadata: those of the source under a new id. Row
// ids begin anew, so that they are unique in the clone (PROTOCOL.md, Row Tracking).
func describe(e *env.Env, s *snapshot.Snapshot, spec Spec) (*action.Protocol, *action.Metadata, error) {
	src := spec.Source
	md := *src.Metadata()
	config := maps.Clone(md.Configuration)
	if config == nil {
		config = map[string]string{}
	}
	for _, k := range own {
		delete(config, k)
	}
	given, err := feature.Normalise(spec.Properties)
	if err != nil {
		return nil, nil, err
	}
	maps.Copy(config, given)
	if was, is := feature.ColumnMapping(&md), feature.ColumnMapping(&action.Metadata{Configuration: config}); was != is {
		return nil, nil, refuse("DELTA_UNSUPPORTED_COLUMN_MAPPING_MODE_CHANGE", "the columns of the files are mapped by %s, and a clone has the same files: it cannot be mapped by %s; change that afterwards (ALTER TABLE)", was, is)
	}
	if feature.RowTracking(&action.Metadata{Configuration: config}) {
		feature.NameRowColumns(config, e.NewID)
	}
	schema, err := types.ParseSchema(md.SchemaString)
	if err != nil {
		return nil, nil, err
	}
	before := src.Protocol()
	if s != nil { // a replaced table keeps what its log has needed so far
		before = feature.Union(before, s.Protocol())
	}
	protocol, config, err := feature.Upgrade(before, schema, config)
	if err != nil {
		return nil, nil, err
	}
	now := e.Now().UnixMilli()
	md.ID, md.Configuration, md.CreatedTime, md.Name = e.NewID(), config, &now, nil
	if s != nil {
		md.ID = s.Metadata().ID
	}
	return protocol, &md, feature.CheckWrite(protocol, &md)
}

// domains are those of users and of clustering, as the source has them.
func (w *work) domains() []action.Action {
	var out []action.Action
	want := w.spec.Source.Domains()
	add := func(name, configuration string, removed bool) {
		if !strings.HasPrefix(name, "delta.") || name == feature.ClusteringDomain {
			out = append(out, &action.DomainMetadata{Domain: name, Configuration: configuration, Removed: removed})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		add(name, want[name].Configuration, false)
	}
	if w.Old != nil {
		is := w.Old.Domains()
		for _, name := range slices.Sorted(maps.Keys(is)) {
			if _, stays := want[name]; !stays {
				add(name, is[name].Configuration, true)
			}
		}
	}
	return out
}
