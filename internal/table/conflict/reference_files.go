package conflict

import (
	"slices"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/format/partition"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/internal/logic/prune"
	"github.com/sluicelake/sluice/types"
)

const (
	withHint    = ".WITH_PARTITION_HINT"
	withoutHint = ".WITHOUT_HINT"
)

// hint is the subclass that the reference picks: with a partition when the table
// has partition columns and the action says its values.
func (f *Facts) hint(values action.PartitionValues) string {
	if len(f.PartitionColumns) > 0 && len(values) > 0 {
		return withHint
	}
	return withoutHint
}

// refAdded: files that the winner added and the transaction would have read. Only
// partition values are looked at.
func refAdded(f *Facts, w *Winner, v *Verdict) {
	switch {
	case moves(f.Operation), moves(w.Info().Operation):
		return // the same files are written again, with other row ids
	case f.Isolation == SnapshotIsolation, f.BlindAppend():
		return
	case f.Isolation == WriteSerializable && w.blindAppend() && !f.changesMetadata():
		return
	}
	scans := make([]expr.Expr, len(f.Reads))
	for i, r := range f.Reads {
		scans[i] = partitionPart(r, f)
	}
	for _, a := range w.Actions {
		add, ok := a.(*action.Add)
		if !ok {
			continue
		}
		e := Evidence{Kind: "added", File: add.Path, Partition: PartitionText(add.PartitionValues), Strength: ByPartition}
		if f.WholeTable || len(f.PartitionColumns) == 0 {
			e.Clause = "the whole table"
			v.fail(ClassAppend+f.hint(add.PartitionValues), e)
			return
		}
		for i, r := range f.Reads {
			if scans[i] == nil || f.selects(scans[i], add) {
				e.Clause, e.Predicate = r.Clause, r.SQL()
				v.fail(ClassAppend+f.hint(add.PartitionValues), e)
				return
			}
		}
	}
}

// partitionPart keeps the conditions that speak of partition columns only, without
// what gives another value each time; nil (everything) when there are none.
func partitionPart(r Read, f *Facts) expr.Expr {
	var keep []expr.Expr
	list := r.Filters
	if list == nil {
		list = expr.Conjuncts(r.Predicate)
	}
	for _, c := range list {
		only := !slices.ContainsFunc(expr.Refs(c), func(ref int) bool {
			name := f.Schema.Fields[ref].Name
			return !slices.ContainsFunc(f.PartitionColumns, func(p string) bool { return strings.EqualFold(p, name) })
		})
		if c = widened(c); only && c != nil {
			keep = append(keep, c)
		}
	}
	return expr.And(keep...)
}

// widened takes out of a condition what is not deterministic, as if it were true;
// nil when that is all of it.
func widened(e expr.Expr) expr.Expr {
	c, ok := e.(*expr.Call)
	if !ok || len(c.Args) != 2 || c.Fn != "and" && c.Fn != "or" {
		if expr.Deterministic(e) {
			return e
		}
		return nil
	}
	a, b := widened(c.Args[0]), widened(c.Args[1])
	switch {
	case c.Fn == "and":
		return expr.And(a, b)
	case a == nil || b == nil:
		return nil
	}
	return expr.Or(a, b)
}

// selects computes a condition over partition columns for one file. What cannot
// be computed selects it.
func (f *Facts) selects(cond expr.Expr, add *action.Add) bool {
	file := prune.FileOf(&action.Add{Path: add.Path, PartitionValues: add.PartitionValues}, f.Schema, f.PartitionColumns)
	known := true
	e := expr.Rewrite(cond, func(e expr.Expr) expr.Expr {
		c, ok := e.(*expr.Column)
		if !ok {
			return e
		}
		lit := &expr.Literal{T: c.T}
		i := slices.IndexFunc(f.PartitionColumns, func(p string) bool { return strings.EqualFold(p, f.Schema.Fields[c.Ref].Name) })
		if text, null := file.Partition(i); !null {
			var err error
			lit.Value, err = partition.Parse(text, c.T)
			known = known && err == nil
		}
		return lit
	})
	if !known {
		return true
	}
	out, err := eval.Literal(e)
	return err != nil || out.T.Kind() != types.KindBoolean || out.Value == true
}

// readPaths are the files that scans returned, by path alone.
func (f *Facts) readPaths(w *Winner) map[string]action.PartitionValues {
	paths := map[string]action.PartitionValues{}
	for id, add := range f.ReadFiles {
		if paths[id.Path] = nil; add != nil {
			paths[id.Path] = add.PartitionValues
		}
	}
	if moves(f.Operation) { // it leaves the winner's files alone
		for _, a := range w.Actions {
			if r, ok := a.(*action.Remove); ok {
				delete(paths, r.Path)
			}
		}
	}
	return paths
}

func refDeletedRead(f *Facts, w *Winner, v *Verdict) {
	paths := f.readPaths(w)
	for _, a := range w.Actions {
		r, ok := a.(*action.Remove)
		if !ok {
			continue
		}
		values, read := paths[r.Path]
		if read || f.WholeTable { // without a file that a scan returned there is no partition to name
			v.fail(ClassDeleteRead+f.hint(values), Evidence{Kind: "removed", File: r.Path, Partition: PartitionText(r.PartitionValues), Strength: ByName})
			return
		}
	}
}

func refDeletedDeleted(f *Facts, w *Winner, v *Verdict) {
	for _, a := range w.Actions {
		r, ok := a.(*action.Remove)
		if !ok {
			continue
		}
		if own := f.ownRemove(r.Path); own != nil {
			v.fail(ClassDeleteDelete+f.hint(own.PartitionValues), Evidence{Kind: "removed by both", File: r.Path, Partition: PartitionText(r.PartitionValues), Strength: ByName})
			return
		}
	}
}
