package merge

import (
	"fmt"
	"slices"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/logic/prune"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// linter looks for what a statement's author probably did not mean, and for what
// makes it read or collide more than it has to.
type linter struct {
	x     *Exec
	p     *Plan
	src   *Table
	names Names
	fixed Spec // the statement as it is mended
	mends bool
	reads bool // it only reads: there is nothing to conflict with
	out   *Explanation
}

// ReadFindings are the remarks on a condition of a query: what keeps it from
// leaving files out. The condition is bound to the table's schema.
func ReadFindings(s *snapshot.Snapshot, cond expr.Expr) []Finding {
	l := &linter{x: &Exec{snap: s}, p: &Plan{target: s.Schema()}, reads: true, out: &Explanation{}}
	l.conjuncts("WHERE", expr.Conjuncts(cond))
	return l.out.Findings
}

// replaced puts a condition of ON, or of the only clause, in the place of another
// one that it spells better.
func (l *linter) replaced(c, by expr.Expr) {
	put := func(e expr.Expr) (expr.Expr, bool) {
		var list []expr.Expr
		found := false
		for _, x := range expr.Conjuncts(e) {
			if x.String() == c.String() {
				list, found = append(list, expr.Conjuncts(by)...), true
			} else {
				list = append(list, x)
			}
		}
		return expr.And(list...), found
	}
	found := false
	if l.fixed.On != nil {
		if l.fixed.On, found = put(l.fixed.On); found {
			l.mends = true
		}
	}
	for i, k := range l.fixed.Clauses {
		if k.Kind == NotMatchedBySource && k.Cond != nil {
			if l.fixed.Clauses[i].Cond, found = put(k.Cond); found {
				l.mends = true
			}
		}
	}
}

func (l *linter) add(code, clause, text, suggestion string) {
	l.out.Findings = append(l.out.Findings, NewFinding(code, clause, text, suggestion))
}

func (l *linter) run() error {
	l.fixed.Clauses = slices.Clone(l.fixed.Clauses)
	l.unconditional()
	if err := l.source(); err != nil {
		return err
	}
	if !l.p.probes() {
		l.noWhere()
	} else if len(l.p.keys) == 0 {
		l.noKey()
	}
	where := "ON"
	if !l.p.probes() {
		where = "WHERE"
	}
	l.conjuncts(where, l.p.scope())
	if l.p.probes() {
		for _, c := range l.p.bySource {
			if c.cond != nil {
				l.conjuncts(c.kind.String(), expr.Conjuncts(c.cond))
			}
		}
	}
	if err := l.partition(where); err != nil {
		return err
	}
	l.bySourceOnSpark()
	l.values()
	switch {
	case l.mends && l.p.probes():
		l.out.Rewritten = l.fixed.SQL(l.names)
	case l.mends:
		l.out.Mended = l.fixed.Clauses[0].Cond
		l.out.Rewritten = l.fixed.changeSQL(l.names)
	}
	return nil
}

// unconditional is a by-source clause that reaches beyond what ON speaks of.
func (l *linter) unconditional() {
	if !l.p.probes() || len(l.p.targetConds) == 0 {
		return
	}
	for _, c := range l.p.bySource {
		if c.cond != nil {
			continue
		}
		scope := join(l.p.targetConds)
		verb, infinitive := "deleted", "DELETE"
		if c.action == Update {
			verb, infinitive = "updated", "UPDATE SET ..."
		}
		rows, files, where := l.x.outside()
		suggestion := fmt.Sprintf("WHEN NOT MATCHED BY SOURCE AND %s THEN %s", scope, infinitive)
		text := fmt.Sprintf("%s has no condition: every row that fails ON is %s, in every partition, also those that %s excludes.", c.kind, verb, scope)
		if files > 0 {
			text += fmt.Sprintf("\nOn this table that is %s in %d file(s)%s that ON cannot match.", rowsText(rows), files, where)
		}
		l.add(UnconditionalBySource, c.kind.String(), text+"\nThe clause you probably meant: "+suggestion, suggestion)
		l.fixed.Clauses[c.index].Cond, l.mends = expr.And(l.p.targetConds...), true
	}
}

// noWhere is an UPDATE or DELETE of every row.
func (l *linter) noWhere() {
	if len(l.p.bySource) == 0 || l.p.bySource[0].cond != nil {
		return
	}
	l.add(WholeTable, "WHERE", fmt.Sprintf("There is no WHERE: every row of %d file(s) is taken, and on Spark every concurrent commit makes the statement fail.", l.x.snap.NumFiles()), "")
}

// noKey is a MERGE that compares every row with every row.
func (l *linter) noKey() {
	l.add(NoKey, "ON", fmt.Sprintf("ON has no equality between a column of the table and one of the source: each of the %s of the source is compared with every row of the files that are opened, and no file is left out by keys.",
		rowsText(int64(l.src.Rows))), "")
}

// bySourceOnSpark is a clause whose condition helps sluice, and Spark not.
func (l *linter) bySourceOnSpark() {
	if !l.p.probes() || len(l.p.bySource) == 0 || l.p.everyRow() {
		return
	}
	c := l.p.bySource[0]
	split := l.fixed
	split.Clauses = nil
	for _, k := range l.fixed.Clauses {
		if k.Kind != NotMatchedBySource {
			split.Clauses = append(split.Clauses, k)
		}
	}
	suggestion := ""
	if c.action == Delete && len(l.p.bySource) == 1 && len(split.Clauses) > 0 && l.p.spec.TargetAlias != "" {
		suggestion = fmt.Sprintf("%s;\nDELETE FROM %s AS %s WHERE %s AND NOT EXISTS (SELECT 1 FROM %s AS %s WHERE %s);", split.SQL(l.names),
			l.names.target(), l.p.spec.TargetAlias, c.cond, l.names.source(), l.p.spec.SourceAlias, l.p.spec.On)
	}
	text := fmt.Sprintf("Spark (and delta-rs) read the whole table for %s, whatever its condition says: there, any concurrent commit makes the statement fail. sluice reads only what %s selects.", c.kind, c.cond)
	if suggestion != "" {
		text += "\nFor Spark, split it in two: " + suggestion
	}
	l.add(BySourceOnSpark, c.kind.String(), text, suggestion)
}

// values looks at what is written: values that differ each time they are computed.
func (l *linter) values() {
	for _, c := range l.p.spec.Clauses {
		for _, a := range c.Set {
			if a.Value == nil || expr.Deterministic(a.Value) {
				continue
			}
			l.add(NonDeterministic, c.Kind.String(), fmt.Sprintf("%s is another value each time it is computed. Rows that are computed again, after another writer's commit, get another one; that is a serial result, and not the one that was looked at before.", a.Value), "")
			return
		}
	}
}

// partition asks whether the statement says which partitions it is about.
func (l *linter) partition(where string) error {
	parts := l.x.snap.PartitionColumns()
	if len(parts) == 0 || !l.p.probes() && l.p.everyRow() || l.found(UnboundedOr) || l.p.probes() && len(l.p.bySource) > 0 && len(l.p.targetConds) == 0 && l.p.everyRow() {
		return nil
	}
	scope := l.p.scope()
	if len(scope) > 0 {
		if by, _ := prune.Split(expr.And(scope...), l.x.snap.Schema(), parts); by != nil && l.prunable(by) {
			return nil
		}
	}
	text := fmt.Sprintf("%s names no partition (the table is partitioned by %s): on Spark, a commit in any partition makes the statement fail.", where, quotedList(parts))
	if cond := l.keptPartitions(); !l.p.probes() && cond != nil {
		l.add(MissingPartition, where, text+"\nAt this version only files of these partitions can have such rows; if that is meant to stay so, add: AND "+cond.String(), "AND "+cond.String())
		return nil
	}
	cond, err := l.sourcePartitions()
	if err != nil || cond == nil {
		l.add(MissingPartition, where, text+" Add a condition with constants on a partition column.", "")
		return err
	}
	l.add(MissingPartition, where, text+"\nBy the source's rows it could be: AND "+cond.String(), "AND "+cond.String())
	l.fixed.On, l.mends = expr.And(l.fixed.On, cond), true
	return nil
}

func (l *linter) found(code string) bool {
	return slices.ContainsFunc(l.out.Findings, func(f Finding) bool { return f.Code == code })
}
