package merge

import (
	"fmt"
	"sort"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/logic/prune"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// Explanation says what a statement reads before it runs.
type Explanation struct {
	Operation  string // MERGE, UPDATE, DELETE, WRITE, OPTIMIZE, SELECT
	Version    int64
	Clauses    []ClauseReading
	FilesTotal int
	FilesRead  int // opened; a file that one clause deletes as a whole is not
	FilesWhole int // removed without being opened
	BytesRead  int64
	RowsTotal  int64 // by statistics; -1 when a file has none
	SourceRows int64
	Reference  ReferenceReading
	Findings   []Finding
	// Rewritten is the statement with what can be mended by rewriting; "" when
	// there is nothing.
	Rewritten string
	// Mended is the condition of an UPDATE or DELETE in Rewritten; nil when it is
	// as it was.
	Mended expr.Expr
	// Tables are those that a SELECT reads.
	Tables []TableReading
}

// ClauseReading is the part of the table that one part of the statement looks at.
type ClauseReading struct {
	Clause    string
	Condition string // what selects its rows, "" is every row
	Files     int
}

// ReferenceReading is what delta-spark would read and record for the same statement.
type ReferenceReading struct {
	WholeTable bool
	Predicate  string
	Files      int
	// Collides says which concurrent commits would make it fail there.
	Collides string
}

// Names are what the statement calls its target and source.
type Names struct{ Target, Source string }

// Explain states what a plan reads on a snapshot. It reads no data file.
func Explain(e *env.Env, s *snapshot.Snapshot, p *Plan, src *Table, n Names) (*Explanation, error) {
	x, err := NewExec(e, s, p, src)
	if err != nil {
		return nil, err
	}
	out := &Explanation{Operation: "MERGE", Version: s.Version(), FilesTotal: s.NumFiles(), SourceRows: int64(src.Rows), RowsTotal: -1}
	if rows, ok := s.NumRecords(); ok {
		out.RowsTotal = rows
	}
	on := ClauseReading{Clause: "ON", Condition: join(p.targetConds)}
	if len(x.keySets) > 0 {
		on.Condition = strings.TrimPrefix(on.Condition+" and the keys of the source", " and ")
	}
	by := make([]ClauseReading, len(p.bySource))
	pruners := make([]*prune.Pruner, len(p.bySource))
	for i, c := range p.bySource {
		by[i] = ClauseReading{Clause: c.kind.String()}
		if !p.probes() {
			out.Operation, by[i].Clause = "UPDATE", "WHERE"
			if c.action == Delete {
				out.Operation = "DELETE"
			}
		}
		if c.cond != nil {
			by[i].Condition = c.cond.String()
			pruners[i] = prune.New(c.cond, s.Schema(), s.PartitionColumns())
		}
	}
	files := s.Files()
	for i := range files.All() {
		f := files.Ref(i)
		j := x.judge(f)
		if j.probe {
			on.Files++
		}
		for k := range by {
			if pruners[k] == nil || pruners[k].Keep(f).Keep {
				by[k].Files++
			}
		}
		switch {
		case j.whole:
			out.FilesWhole++
		case j.probe || j.bySource:
			out.FilesRead++
			out.BytesRead += files.Size(i)
		}
	}
	if p.probes() {
		out.Clauses = append(out.Clauses, on)
	}
	out.Clauses = append(out.Clauses, by...)
	out.Reference = x.referenceReading()
	l := &linter{x: x, p: p, src: src, names: n, fixed: p.spec, out: out}
	if err := l.run(); err != nil {
		return nil, err
	}
	return out, nil
}

func join(es []expr.Expr) string {
	parts := make([]string, len(es))
	for i, e := range es {
		parts[i] = e.String()
	}
	return strings.Join(parts, " AND ")
}

// scope are the conditions over the table alone that the reference records.
func (p *Plan) scope() []expr.Expr {
	if p.probes() {
		return p.targetConds
	}
	if len(p.bySource) > 0 && p.bySource[0].cond != nil {
		return expr.Conjuncts(p.bySource[0].cond)
	}
	return nil
}

// referenceReading follows delta-spark: the condition's part over partition
// columns is recorded, and for a MERGE a by-source clause makes it read the whole
// table, whatever the clause's condition says.
func (x *Exec) referenceReading() ReferenceReading {
	r := ReferenceReading{Files: x.snap.NumFiles()}
	scope := x.p.scope()
	if x.p.probes() && len(x.p.bySource) > 0 || len(scope) == 0 {
		r.WholeTable = true
		r.Collides = "any commit that adds or removes a file, in any partition"
		return r
	}
	r.Predicate = join(scope)
	byPartition, _ := prune.Split(expr.And(scope...), x.snap.Schema(), x.snap.PartitionColumns())
	switch {
	case len(x.snap.PartitionColumns()) == 0:
		r.Collides = "any commit that adds a file, since the table has no partitions, or that removes one of these files"
	case byPartition == nil:
		r.Collides = "any commit that adds a file, in any partition, or that removes one of these files"
	default:
		r.Collides = "any commit that adds a file where " + byPartition.String() + ", or that removes one of these files"
	}
	r.Files = 0
	pruner := prune.New(expr.And(scope...), x.snap.Schema(), x.snap.PartitionColumns())
	files := x.snap.Files()
	for i := range files.All() {
		if pruner.Keep(files.Ref(i)).Keep {
			r.Files++
		}
	}
	return r
}

func rowsText(n int64) string {
	switch {
	case n < 0:
		return "an unknown number of rows"
	case n == 1:
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}

// outside counts what lies outside of the conjuncts of ON over the target.
func (x *Exec) outside() (rows int64, files int, where string) {
	partitions := map[string]bool{}
	set := x.snap.Files()
	for i := range set.All() {
		if x.onFiles.Keep(set.Ref(i)).Keep {
			continue
		}
		files++
		a := set.Add(i)
		if n, ok := colstats.NumRecords(a.Stats); ok && rows >= 0 {
			rows += n
			if a.DeletionVector != nil {
				rows -= a.DeletionVector.Cardinality
			}
		} else {
			rows = -1
		}
		partitions[x.shortPartition(a)] = true
	}
	names := make([]string, 0, len(partitions))
	for name := range partitions {
		if name != "" {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	if len(names) > 3 {
		names = append(names[:3], fmt.Sprintf("and %d more", len(names)-3))
	}
	if len(names) > 0 {
		where = " of " + strings.Join(names, ", ")
	}
	return rows, files, where
}

// shortPartition names the partition of a file by the columns that ON limits.
func (x *Exec) shortPartition(a *action.Add) string {
	limited := map[int]bool{}
	for _, e := range x.p.targetConds {
		for _, ref := range expr.Refs(e) {
			limited[ref] = true
		}
	}
	f := prune.FileOf(a, x.snap.Schema(), x.snap.PartitionColumns())
	var parts []string
	for i, name := range x.snap.PartitionColumns() {
		if !limited[x.snap.Schema().Index(name)] {
			continue
		}
		value, null := f.Partition(i)
		if null {
			value = "NULL"
		}
		parts = append(parts, name+"="+value)
	}
	return strings.Join(parts, ", ")
}
