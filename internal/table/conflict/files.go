package conflict

import (
	"sort"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/logic/prune"
)

// preciseFiles compares the winner's file actions with what was read.
func preciseFiles(f *Facts, w *Winner, v *Verdict) {
	removed := map[string][]*action.Remove{} // by path
	relocation := true
	for _, a := range w.Actions {
		switch x := a.(type) {
		case *action.Remove:
			removed[x.Path] = append(removed[x.Path], x)
			relocation = relocation && !x.DataChange
		case *action.Add:
			relocation = relocation && !x.DataChange
		}
	}
	remarked := map[FileID]bool{}
	for _, a := range w.Actions {
		x, ok := a.(*action.Add)
		if !ok {
			continue
		}
		if before, ok := remarkOf(x, removed[x.Path], w); ok {
			remarked[before] = true
			if f.reads(before) {
				v.remark(f, before, x, "more of its rows were deleted")
			}
			continue
		}
		if id := IDOf(x); f.Repairable && len(removed[x.Path]) == 0 && f.reads(id) {
			v.remark(f, id, x, "the same rows, described anew") // statistics, tags, row ids
			continue
		}
		if !relocation || f.Repairable {
			v.added(f, w, x)
		}
	}
	for _, a := range w.Actions {
		x, ok := a.(*action.Remove)
		if !ok {
			continue
		}
		id := IDOfRemove(x)
		if !remarked[id] {
			v.removed(f, x, id, relocation)
		}
	}
}

// remarkOf recognises an add that only gives more deleted rows to a file that
// is live: the winner removes the same path with another vector. A RESTORE, or
// anything that leaves fewer rows deleted, may bring rows back, so there the two
// actions count for themselves.
func remarkOf(a *action.Add, removed []*action.Remove, w *Winner) (FileID, bool) {
	if len(removed) != 1 || a.DeletionVector == nil || strings.HasPrefix(w.Info().Operation, "RESTORE") {
		return FileID{}, false
	}
	before := removed[0]
	if d := before.DeletionVector; d != nil && d.Cardinality >= a.DeletionVector.Cardinality {
		return FileID{}, false
	}
	return IDOfRemove(before), true
}

// reads reports whether the transaction depends on the image.
func (f *Facts) reads(id FileID) bool {
	if f.WholeTable {
		return true
	}
	_, ok := f.ReadFiles[id]
	return ok
}

// ownRemove finds the transaction's own remove of a path.
func (f *Facts) ownRemove(path string) *action.Remove {
	for _, a := range f.Actions {
		if r, ok := a.(*action.Remove); ok && r.Path == path {
			return r
		}
	}
	return nil
}

func (v *Verdict) remark(f *Facts, before FileID, after *action.Add, detail string) {
	e := Evidence{Kind: "re-marked", File: after.Path, Partition: PartitionText(after.PartitionValues), Strength: ByName,
		Detail: detail}
	if f.Repairable {
		v.Evidence = append(v.Evidence, e)
		v.Remarked = append(v.Remarked, Remark{before, after})
		v.Kind = max(v.Kind, Repair)
		return
	}
	class := ClassDeleteRead
	if f.ownRemove(before.Path) != nil {
		class = ClassDeleteDelete
	}
	v.hit(f, class, e)
}

// added asks every read whether it would have seen the new file.
func (v *Verdict) added(f *Facts, w *Winner, a *action.Add) {
	switch {
	case f.Isolation == SnapshotIsolation:
		return
	case f.Isolation == WriteSerializable && w.blindAppend() && !f.changesMetadata() && !f.Repairable:
		return
	}
	file := prune.FileOf(a, f.Schema, f.PartitionColumns)
	for _, r := range f.Reads {
		verdict := r.judge(f, file)
		if !verdict.Keep {
			continue
		}
		e := Evidence{Kind: "added", File: a.Path, Partition: PartitionText(a.PartitionValues), Clause: r.Clause,
			Predicate: r.SQL(), Strength: ByPartition}
		if a.Stats != "" {
			e.Strength = ByStatistics
		}
		if f.Repairable {
			v.Evidence = append(v.Evidence, e)
			v.Added = append(v.Added, a)
			v.Kind = max(v.Kind, Repair)
			return
		}
		v.Added = append(v.Added, a)
		v.hit(f, ClassAppend, e)
		return
	}
}

func (r Read) judge(f *Facts, file prune.File) prune.Verdict {
	if r.Keep != nil {
		return r.Keep(file)
	}
	if r.Predicate == nil {
		return prune.Verdict{Keep: true}
	}
	return prune.New(r.Predicate, f.Schema, f.PartitionColumns).Keep(file)
}

func (v *Verdict) removed(f *Facts, x *action.Remove, id FileID, relocation bool) {
	e := Evidence{Kind: "removed", File: x.Path, Partition: PartitionText(x.PartitionValues), Strength: ByName}
	if f.Repairable {
		if f.reads(id) {
			v.Evidence = append(v.Evidence, e)
			v.Dropped = append(v.Dropped, id)
			v.Kind = max(v.Kind, Repair)
		}
		return
	}
	if f.ownRemove(x.Path) != nil {
		e.Kind = "removed by both"
		v.hit(f, ClassDeleteDelete, e)
		return
	}
	if f.reads(id) && !relocation && x.DataChange {
		v.hit(f, ClassDeleteRead, e)
	}
}

// PartitionText spells partition values as people write them: a=1, b=null.
func PartitionText(pv action.PartitionValues) string {
	names := make([]string, 0, len(pv))
	for name := range pv {
		names = append(names, name)
	}
	sort.Strings(names)
	parts := make([]string, len(names))
	for i, name := range names {
		value := "null"
		if pv[name] != nil {
			value = *pv[name]
		}
		parts[i] = name + "=" + value
	}
	return strings.Join(parts, ", ")
}
