package restore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/internal/rows/derive"
	"github.com/sluicelake/sluice/internal/rows/rewrite"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/inflight"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/read"
	"github.com/sluicelake/sluice/types"
)

// newPlan says what leads from one version to an older one. Files are the same
// when path and deletion vector are.
func newPlan(now, then *snapshot.Snapshot, spec Spec) (*Plan, error) {
	p := &Plan{From: now.Version(), To: then.Version(), Time: then.Timestamp()}
	if then.Version() > now.Version() {
		return nil, refuse("DELTA_CANNOT_RESTORE_TABLE_VERSION", "version %d is newer than the newest, %d", then.Version(), now.Version())
	}
	md, err := p.describe(now, then, spec)
	if err != nil {
		return nil, err
	}
	millis := now.Env().Now().UnixMilli()
	old, live := then.Files(), now.Files()
	for i := range live.All() {
		if _, kept := old.Find(live.Path(i), dvID(live.DV(i))); kept {
			continue
		}
		a := live.Add(i)
		p.Removed = append(p.Removed, a)
		p.acts = append(p.acts, rewrite.RemoveOf(a, millis))
	}
	for i := range old.All() {
		p.Files++
		p.Bytes += old.Size(i)
		if _, there := live.Find(old.Path(i), dvID(old.DV(i))); there {
			continue
		}
		a := *old.Add(i)
		a.DataChange = true
		p.Restored = append(p.Restored, &a)
		p.acts = append(p.acts, &a)
	}
	// A version from before the property came may be restored, as in the reference.
	if feature.AppendOnly(md) && len(p.Removed) > 0 {
		return nil, refuse("DELTA_CANNOT_MODIFY_APPEND_ONLY", "the table %s takes appends only (delta.appendOnly), and did at version %d: it cannot be restored", now.Bucket().URL(), then.Version())
	}
	return p, nil
}

func dvID(d *action.DeletionVector) string {
	if d == nil {
		return ""
	}
	return d.ID()
}

// describe derives protocol, metadata and domains.
func (p *Plan) describe(now, then *snapshot.Snapshot, spec Spec) (*action.Metadata, error) {
	md, err := restored(now, then)
	if err != nil {
		return nil, err
	}
	protocol := feature.Union(now.Protocol(), then.Protocol())
	if spec.Downgrade {
		protocol = then.Protocol()
	}
	if err := feature.CheckWrite(protocol, md); err != nil {
		return nil, err
	}
	if !feature.SameProtocol(protocol, now.Protocol()) {
		p.acts = append(p.acts, protocol)
		p.Changes = append(p.Changes, "protocol")
	}
	if what := differs(now.Metadata(), md); len(what) > 0 {
		p.acts = append(p.acts, md)
		p.Changes = append(p.Changes, what...)
	}
	for _, d := range domains(now, then) {
		p.acts = append(p.acts, d)
		p.Changes = append(p.Changes, "domain "+d.Domain)
	}
	return md, nil
}

// kept are properties that describe the log, and not a version of the table.
var kept = []string{"delta.enableInCommitTimestamps", "delta.inCommitTimestampEnablementVersion", "delta.inCommitTimestampEnablementTimestamp",
	"delta.requireCheckpointProtectionBeforeVersion"}

const highestColumn = "delta.columnMapping.maxColumnId"

// restored is the metadata of the older version, with what must not go back:
// the marks of identity columns, the highest column id, and how commits are timed.
func restored(now, then *snapshot.Snapshot) (*action.Metadata, error) {
	md := *then.Metadata()
	schema, err := types.ParseSchema(md.SchemaString)
	if err != nil {
		return nil, err
	}
	latest, err := types.ParseSchema(now.Metadata().SchemaString)
	if err != nil {
		return nil, err
	}
	if marked, changed := derive.KeepMarks(schema, latest); changed {
		md.SchemaString = types.JSON(marked)
	}
	config := maps.Clone(md.Configuration)
	if config == nil {
		config = map[string]string{}
	}
	current := now.Metadata().Configuration
	for _, k := range kept {
		delete(config, k)
		if v, ok := current[k]; ok {
			config[k] = v
		}
	}
	mapped := feature.ColumnMapping(&action.Metadata{Configuration: config}) != feature.MappingNone
	if a, b := current[highestColumn], config[highestColumn]; mapped && (len(a) > len(b) || len(a) == len(b) && a > b) {
		config[highestColumn] = a
	}
	md.Configuration = config
	return &md, nil
}

// differs names what of the metadata changes.
func differs(a, b *action.Metadata) (out []string) {
	if a.SchemaString != b.SchemaString {
		out = append(out, "schema")
	}
	if !slices.Equal(a.PartitionColumns, b.PartitionColumns) {
		out = append(out, "partition columns")
	}
	if !maps.Equal(a.Configuration, b.Configuration) {
		out = append(out, "properties")
	}
	if a.ID != b.ID || text(a.Name) != text(b.Name) || text(a.Description) != text(b.Description) {
		out = append(out, "name and description")
	}
	return out
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// domains brings the domains of users and of clustering back; those of the
// system count on (PROTOCOL.md, Domain Metadata, Row Tracking).
func domains(now, then *snapshot.Snapshot) (out []*action.DomainMetadata) {
	was, is := then.Domains(), now.Domains()
	goesBack := func(name string) bool { return !strings.HasPrefix(name, "delta.") || name == feature.ClusteringDomain }
	for name, d := range was {
		if has, ok := is[name]; goesBack(name) && (!ok || has.Configuration != d.Configuration) {
			out = append(out, &action.DomainMetadata{Domain: name, Configuration: d.Configuration})
		}
	}
	for name, d := range is {
		if _, ok := was[name]; goesBack(name) && !ok {
			out = append(out, &action.DomainMetadata{Domain: name, Configuration: d.Configuration, Removed: true})
		}
	}
	slices.SortFunc(out, func(a, b *action.DomainMetadata) int { return strings.Compare(a.Domain, b.Domain) })
	return out
}

// hold says that the transaction needs the files that come back, so that no VACUUM
// of this process takes them away under it.
func (p *Plan) hold(then *snapshot.Snapshot) {
	src, url := scan.SourceOf(then), then.Bucket().URL()
	for _, a := range p.Restored {
		if key, err := src.Locate(a.Path); err == nil {
			inflight.Wrote(url, key)
		}
		if a.DeletionVector == nil {
			continue
		}
		if at, err := dv.Locate(a.DeletionVector, url); err == nil && at.Key != "" {
			inflight.Wrote(url, at.Key)
		}
	}
}

// mostNamed bounds the files that an error lists.
const mostNamed = 3

// check looks for the files that come back: VACUUM may have deleted them.
func (p *Plan) check(ctx context.Context, then *snapshot.Snapshot, spec Spec) error {
	if spec.IgnoreMissing {
		return nil
	}
	missing, err := read.Absent(ctx, then, p.Restored)
	if err != nil || len(missing) == 0 {
		return err
	}
	list := missing[:min(len(missing), mostNamed)]
	more := ""
	if n := len(missing) - len(list); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return refuse("DELTA_RESTORE_MISSING_FILES", "version %d of %s cannot be restored: %d of its data files are gone (VACUUM deletes those of old versions): %s%s; "+
		"restore a newer version, or ignore missing files if the rest of the rows is wanted", p.To, then.Bucket().URL(), len(missing), strings.Join(list, ", "), more)
}
