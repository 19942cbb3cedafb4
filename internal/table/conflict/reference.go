package conflict

import (
	"maps"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/logic/prune"
	"github.com/sluicelake/sluice/types"
)

// checkReference follows delta-spark's ConflictChecker check by check, in its order.
func checkReference(f *Facts, w *Winner) Verdict {
	v := Verdict{Kind: Independent}
	for _, step := range []func(*Facts, *Winner, *Verdict){
		refProtocol, refMetadata, refDomains, refApps, refAdded, refDeletedRead, refDeletedDeleted,
	} {
		step(f, w, &v)
		if v.Kind == Conflict {
			return v
		}
	}
	return v
}

func (v *Verdict) fail(class string, e Evidence) {
	if v.Kind == Conflict {
		return
	}
	v.Kind, v.Class = Conflict, class
	v.Evidence = append(v.Evidence, e)
}

func refProtocol(f *Facts, w *Winner, v *Verdict) {
	for _, a := range w.Actions {
		p, ok := a.(*action.Protocol)
		if !ok {
			continue
		}
		for _, own := range f.Actions {
			if _, ok := own.(*action.Protocol); ok {
				v.fail(ClassProtocol, Evidence{Kind: "protocol", Detail: "both change the protocol", Strength: ByName})
			}
		}
		if lost := lostFeatures(f.Protocol, p); len(lost) > 0 {
			v.fail(ClassProtocol, Evidence{Kind: "protocol", Detail: "the winner dropped " + strings.Join(lost, ", "), Strength: ByName})
		}
		v.Protocol = p
	}
}

func refMetadata(f *Facts, w *Winner, v *Verdict) {
	for _, a := range w.Actions {
		md, ok := a.(*action.Metadata)
		if !ok {
			continue
		}
		if f.changesMetadata() {
			v.fail(ClassMetadata, Evidence{Kind: "metadata", Detail: "both change the metadata", Strength: ByName})
			return
		}
		if w.Info().Tags["delta.identityColumns.highWaterMarkOnly"] == "true" || w.Info().Tags["IdentityHWMOnly"] == "true" {
			continue
		}
		if why := refUnlike(f.Metadata, md, adopted(f, v)); why != "" {
			v.fail(ClassMetadata, Evidence{Kind: "metadata", Detail: why, Strength: ByName})
			return
		}
		v.Metadata = md
	}
}

// adopted is the protocol in force: the winner's when it wrote one.
func adopted(f *Facts, v *Verdict) *action.Protocol {
	if v.Protocol != nil {
		return v.Protocol
	}
	return f.Protocol
}

// refNeeds names the table feature without which a property's change is not
// let pass.
var refNeeds = map[string]string{
	"delta.enableRowTracking": "rowTracking", "delta.enableDeletionVectors": "deletionVectors", "delta.checkpointPolicy": "v2Checkpoint",
	"delta.enableInCommitTimestamps": "inCommitTimestamp", "io.unitycatalog.tableId": "catalogManaged",
}

// passes reports whether a property may change under a transaction.
func passes(key, before, after string, existed bool, p *action.Protocol) bool {
	allowed := refAllowed[key]
	if allowed == nil || !allowed(before, after, existed) {
		return false
	}
	need, ok := refNeeds[key]
	return !ok || p != nil && slices.Contains(p.WriterFeatures, need)
}

// refAllowed lists the properties whose change alone conflicts with nobody.
var refAllowed = map[string]func(before, after string, existed bool) bool{
	"delta.enableRowTracking":                                  func(_, after string, _ bool) bool { return after == "true" },
	"delta.rowTracking.materializedRowIdColumnName":            func(_, _ string, existed bool) bool { return !existed },
	"delta.rowTracking.materializedRowCommitVersionColumnName": func(_, _ string, existed bool) bool { return !existed },
	"delta.columnMapping.mode": func(before, after string, existed bool) bool {
		return after == "name" && (!existed || before == "none")
	},
	"delta.columnMapping.maxColumnId":            func(_, _ string, _ bool) bool { return true },
	"delta.enableDeletionVectors":                func(_, after string, _ bool) bool { return after == "true" },
	"delta.checkpointPolicy":                     func(_, after string, _ bool) bool { return after == "v2" },
	"delta.enableInCommitTimestamps":             func(_, after string, _ bool) bool { return after == "true" },
	"delta.inCommitTimestampEnablementVersion":   func(_, _ string, existed bool) bool { return !existed },
	"delta.inCommitTimestampEnablementTimestamp": func(_, _ string, existed bool) bool { return !existed },
	"io.unitycatalog.tableId":                    func(_, _ string, existed bool) bool { return !existed },
}

func refUnlike(old, md *action.Metadata, p *action.Protocol) string {
	if old == nil {
		return "the table was created meanwhile"
	}
	text := func(p *string) string {
		if p == nil {
			return ""
		}
		return *p
	}
	if old.ID != md.ID || text(old.Name) != text(md.Name) || text(old.Description) != text(md.Description) ||
		old.Format.Provider != md.Format.Provider || !slices.Equal(old.PartitionColumns, md.PartitionColumns) {
		return "more than schema and configuration changed"
	}
	for key, before := range old.Configuration {
		after, ok := md.Configuration[key]
		if !ok {
			return "the property " + key + " was removed"
		}
		if after != before && !passes(key, before, after, true, p) {
			return "the property " + key + " changed"
		}
	}
	for key, after := range md.Configuration {
		if _, ok := old.Configuration[key]; !ok && !passes(key, "", after, false, p) {
			return "the property " + key + " was added"
		}
	}
	if old.SchemaString != md.SchemaString {
		a, err1 := types.ParseSchema(old.SchemaString)
		b, err2 := types.ParseSchema(md.SchemaString)
		if err1 != nil || err2 != nil {
			return "the schema changed"
		}
		mapped := old.Configuration["delta.columnMapping.mode"] != md.Configuration["delta.columnMapping.mode"]
		if !types.Equal(a, b) || (!mapped && types.JSON(a) != types.JSON(b)) {
			return "the schema changed"
		}
	}
	return ""
}

func refDomains(f *Facts, w *Winner, v *Verdict) {
	for _, a := range w.Actions {
		d, ok := a.(*action.DomainMetadata)
		if !ok || d.Domain == "delta.rowTracking" {
			continue
		}
		for _, own := range f.Actions {
			if o, ok := own.(*action.DomainMetadata); ok && o.Domain == d.Domain {
				v.fail(ClassTransaction, Evidence{Kind: "domain", Detail: "both write the metadata domain " + d.Domain, Strength: ByName})
			}
		}
	}
}

func refApps(f *Facts, w *Winner, v *Verdict) {
	for _, a := range w.Actions {
		if t, ok := a.(*action.Txn); ok {
			if _, read := f.ReadApps[t.AppID]; read {
				v.fail(ClassTransaction, Evidence{Kind: "application", Detail: "application " + t.AppID + " committed", Strength: ByName})
			}
		}
	}
}

const (
	withHint    = ".WITH_PARTITION_HINT"
	withoutHint = ".WITHOUT_HINT"
)

// hint is the subclass that the reference picks by whether the table is partitioned.
func (f *Facts) hint() string {
	if len(f.PartitionColumns) > 0 {
		return withHint
	}
	return withoutHint
}

func refAdded(f *Facts, w *Winner, v *Verdict) {
	switch {
	case f.Isolation == SnapshotIsolation, f.BlindAppend():
		return
	case f.Isolation == WriteSerializable && w.blindAppend() && !f.changesMetadata():
		return
	}
	for _, a := range w.Actions {
		add, ok := a.(*action.Add)
		if !ok {
			continue
		}
		e := Evidence{Kind: "added", File: add.Path, Partition: PartitionText(add.PartitionValues), Strength: ByPartition}
		if f.WholeTable || len(f.PartitionColumns) == 0 {
			e.Clause = "the whole table"
			v.fail(ClassAppend+f.hint(), e)
			return
		}
		file := prune.FileOf(&action.Add{Path: add.Path, PartitionValues: add.PartitionValues}, f.Schema, f.PartitionColumns)
		for _, r := range f.Reads {
			part := partitionPart(r.Predicate, f)
			if part == nil || prune.New(part, f.Schema, f.PartitionColumns).Keep(file).Keep {
				e.Clause, e.Predicate = r.Clause, r.SQL()
				v.fail(ClassAppend+f.hint(), e)
				return
			}
		}
	}
}

// partitionPart keeps the conjuncts that speak of partition columns only; nil
// (everything) when there are none.
func partitionPart(e expr.Expr, f *Facts) expr.Expr {
	if e == nil {
		return nil
	}
	var keep []expr.Expr
	for _, c := range expr.Conjuncts(e) {
		only := expr.Deterministic(c)
		for _, ref := range expr.Refs(c) {
			name := f.Schema.Fields[ref].Name
			if !slices.ContainsFunc(f.PartitionColumns, func(p string) bool { return strings.EqualFold(p, name) }) {
				only = false
			}
		}
		if only {
			keep = append(keep, c)
		}
	}
	if len(keep) == 0 {
		return nil
	}
	return expr.And(keep...)
}

func refDeletedRead(f *Facts, w *Winner, v *Verdict) {
	paths := map[string]bool{}
	for id := range maps.Keys(f.ReadFiles) {
		paths[id.Path] = true
	}
	for _, a := range w.Actions {
		r, ok := a.(*action.Remove)
		if !ok || !(paths[r.Path] || f.WholeTable) {
			continue
		}
		hint := f.hint()
		if !paths[r.Path] {
			hint = withoutHint // no file that a scan returned: there is no partition to name
		}
		v.fail(ClassDeleteRead+hint, Evidence{Kind: "removed", File: r.Path, Partition: PartitionText(r.PartitionValues), Strength: ByName})
		return
	}
}

func refDeletedDeleted(f *Facts, w *Winner, v *Verdict) {
	for _, a := range w.Actions {
		r, ok := a.(*action.Remove)
		if ok && f.ownRemove(r.Path) != nil {
			v.fail(ClassDeleteDelete+f.hint(), Evidence{Kind: "removed by both", File: r.Path, Partition: PartitionText(r.PartitionValues), Strength: ByName})
			return
		}
	}
}
