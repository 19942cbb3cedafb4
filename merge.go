package sluice

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/verbs/merge"
)

// MergeBuilder collects the clauses of a MERGE. Clauses apply in the order in
// which they are added. Errors of any step come from Exec.
type MergeBuilder struct {
	t    *Table
	src  Source
	spec merge.Spec
	o    CommitOptions
	err  error
	// names are those of target and source in the text that the MERGE comes from.
	names merge.Names
}

// Merge starts a MERGE of a source into the table. The condition says when a
// row of the target (t) and one of the source (s) match; As gives other names.
func (t *Table) Merge(src Source, on string) *MergeBuilder {
	m := &MergeBuilder{t: t, src: src, spec: merge.Spec{TargetAlias: "t", SourceAlias: "s"}}
	m.spec.On = m.parse("ON", on)
	return m
}

// As names the target and the source in the expressions of this MERGE.
func (m *MergeBuilder) As(target, source string) *MergeBuilder {
	m.spec.TargetAlias, m.spec.SourceAlias = target, source
	return m
}

// WithSchemaEvolution adds columns and fields that only the source has to the
// table, as far as clauses write them: those that they name, and all where a
// clause takes all columns. It is MERGE WITH SCHEMA EVOLUTION.
func (m *MergeBuilder) WithSchemaEvolution() *MergeBuilder {
	m.spec.Evolve = true
	return m
}

// With sets the options of the commit.
func (m *MergeBuilder) With(o CommitOptions) *MergeBuilder {
	m.o = o
	return m
}

func (m *MergeBuilder) parse(where, text string) expr.Expr {
	e, err := expr.Parse(text)
	if err != nil && m.err == nil {
		m.err = fmt.Errorf("%s: %w", where, err)
	}
	return e
}

// clause starts a clause; several conditions are joined by AND.
func (m *MergeBuilder) clause(kind merge.Kind, conds []string) *MergeClause {
	c := merge.Clause{Kind: kind}
	var parts []expr.Expr
	for _, text := range conds {
		if e := m.parse(kind.String(), text); e != nil {
			parts = append(parts, e)
		}
	}
	if len(parts) > 0 {
		c.Cond = expr.And(parts...)
	}
	return &MergeClause{m: m, c: c}
}

// WhenMatched is for target rows that match a source row, and the condition.
func (m *MergeBuilder) WhenMatched(cond ...string) *MergeClause { return m.clause(merge.Matched, cond) }

// WhenNotMatched is for source rows that match no target row.
func (m *MergeBuilder) WhenNotMatched(cond ...string) *MergeInsert {
	return &MergeInsert{*m.clause(merge.NotMatched, cond)}
}

// WhenNotMatchedBySource is for target rows that match no source row. Without a
// condition it concerns every row of the table: a row that fails ON for
// whatever reason matches nothing.
func (m *MergeBuilder) WhenNotMatchedBySource(cond ...string) *MergeBySource {
	return &MergeBySource{*m.clause(merge.NotMatchedBySource, cond)}
}

// Clause adds a clause in SQL, as the command line takes it: the kind's words
// are left out, for example "AND s.gone THEN DELETE".
func (m *MergeBuilder) Clause(kind ClauseKind, text string) *MergeBuilder {
	c, err := parse.Clause(merge.Kind(kind), text)
	if err != nil && m.err == nil {
		m.err = err
	}
	m.spec.Clauses = append(m.spec.Clauses, c)
	return m
}

// ClauseKind says which rows a clause is for.
type ClauseKind int

// The kinds of clauses.
const (
	Matched            = ClauseKind(merge.Matched)
	NotMatched         = ClauseKind(merge.NotMatched)
	NotMatchedBySource = ClauseKind(merge.NotMatchedBySource)
)

// MergeClause says what a clause for matched rows does.
type MergeClause struct {
	m *MergeBuilder
	c merge.Clause
}

func (c *MergeClause) add(a merge.Action, set map[string]string) *MergeBuilder {
	c.c.Action = a
	var err error
	if c.c.Set, err = assignments(set); err != nil && c.m.err == nil {
		c.m.err = fmt.Errorf("%s: %w", c.c.Kind, err)
	}
	c.m.spec.Clauses = append(c.m.spec.Clauses, c.c)
	return c.m
}

// UpdateAll is UPDATE SET *: every column from the source column of its name.
func (c *MergeClause) UpdateAll() *MergeBuilder { return c.add(merge.UpdateAll, nil) }

// Update sets columns to SQL expressions.
func (c *MergeClause) Update(set map[string]string) *MergeBuilder { return c.add(merge.Update, set) }

// Delete removes the rows.
func (c *MergeClause) Delete() *MergeBuilder { return c.add(merge.Delete, nil) }

// MergeInsert says what a clause for unmatched source rows inserts.
type MergeInsert struct{ c MergeClause }

// InsertAll is INSERT *: every column from the source column of its name.
func (c *MergeInsert) InsertAll() *MergeBuilder { return c.c.add(merge.InsertAll, nil) }

// Insert gives columns values by SQL expressions; the others are NULL.
func (c *MergeInsert) Insert(values map[string]string) *MergeBuilder {
	return c.c.add(merge.Insert, values)
}

// MergeBySource says what a clause for target rows without a source row does.
type MergeBySource struct{ c MergeClause }

// Update sets columns to SQL expressions over the target.
func (c *MergeBySource) Update(set map[string]string) *MergeBuilder {
	return c.c.add(merge.Update, set)
}

// Delete removes the rows.
func (c *MergeBySource) Delete() *MergeBuilder { return c.c.add(merge.Delete, nil) }

// Exec runs the MERGE and commits it.
func (m *MergeBuilder) Exec(ctx context.Context) (*MergeResult, error) {
	if err := m.t.use(); err != nil {
		return nil, err
	}
	src, err := m.ready(ctx)
	if err != nil {
		return nil, err
	}
	res, err := merge.Run(ctx, m.t.log, m.spec, src, m.o.internal())
	if err != nil {
		return nil, m.t.fail("MERGE into", err)
	}
	return &MergeResult{SourceRows: res.Metrics.SourceRows, Inserted: res.Metrics.Inserted, Updated: res.Metrics.Updated(), Deleted: res.Metrics.Deleted(),
		Copied: res.Metrics.Copied, FilesAdded: res.Metrics.FilesAdded, FilesRemoved: res.Metrics.FilesRemoved,
		DeletionVectors: res.Metrics.VectorsAdded + res.Metrics.VectorsUpdated, Commit: commitOf(res.Commit, res.Winners, res.Skipped, res.Runs)}, nil
}

// ready checks the builder and reads the source into memory.
func (m *MergeBuilder) ready(ctx context.Context) (*merge.Table, error) {
	if m.err != nil {
		return nil, m.t.fail("MERGE into", m.err)
	}
	if m.src == nil {
		return nil, m.t.fail("MERGE into", errors.New("the source is nil"))
	}
	src, err := merge.Materialise(ctx, m.src, m.t.config.env.Memory)
	return src, m.t.fail("MERGE into", err)
}

// MergeResult is what a MERGE did.
type MergeResult struct {
	SourceRows                 int64
	Inserted, Updated, Deleted int64
	Copied                     int64 // unchanged rows that were written again
	FilesAdded, FilesRemoved   int64
	DeletionVectors            int64 // files whose rows were marked
	Commit                     Commit
}
