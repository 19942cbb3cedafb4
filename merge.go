package sluice

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/dml"
	"github.com/sluicelake/sluice/internal/verbs/insert"
	"github.com/sluicelake/sluice/internal/verbs/merge"
)

// CommitOptions are what every statement that changes rows takes. The zero value is
// right for most.
type CommitOptions struct {
	// AppID and AppVersion make the operation idempotent: it is skipped when
	// the application has committed that version or a later one already.
	AppID      string
	AppVersion int64
	// UserMetadata is recorded in the commit.
	UserMetadata string
	// BeforePublish runs once, after the work is prepared and before the first
	// try to publish it. An error gives the operation up.
	BeforePublish func(ctx context.Context) error
}

func (o CommitOptions) internal() merge.Options {
	return merge.Options{AppID: o.AppID, AppVersion: o.AppVersion, UserMetadata: o.UserMetadata,
		Commit: txn.Options{BeforePublish: o.BeforePublish}}
}

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

// UpdateOptions say which rows are updated.
type UpdateOptions struct {
	Where string // "" is all rows
	CommitOptions
}

// DeleteOptions say which rows are deleted.
type DeleteOptions struct {
	Where string // "" is all rows
	CommitOptions
}

// ChangeResult is what an UPDATE or a DELETE did.
type ChangeResult struct {
	Rows                     int64 // updated or deleted
	Copied                   int64
	FilesAdded, FilesRemoved int64
	DeletionVectors          int64
	Commit                   Commit
}

// Update sets columns to SQL expressions in the rows that Where selects.
func (t *Table) Update(ctx context.Context, set map[string]string, o UpdateOptions) (*ChangeResult, error) {
	list, err := assignments(set)
	if err != nil {
		return nil, t.fail("UPDATE of", err)
	}
	return t.UpdateSet(ctx, list, o)
}

// Assignment gives a column the value of an expression.
type Assignment = merge.Assignment

// ParseAssignments reads "a = expr, b = expr".
func ParseAssignments(text string) ([]Assignment, error) { return parse.Assignments(text) }

// UpdateSet is Update with assignments that were parsed already.
func (t *Table) UpdateSet(ctx context.Context, set []Assignment, o UpdateOptions) (*ChangeResult, error) {
	if len(set) == 0 {
		return nil, t.fail("UPDATE of", errors.New("nothing is set"))
	}
	where, err := condition(o.Where)
	if err != nil {
		return nil, t.fail("UPDATE of", err)
	}
	res, err := dml.Update(ctx, t.log, set, where, o.internal())
	return changed(res, res.Metrics.Updated(), t.fail("UPDATE of", err))
}

// Delete removes the rows that Where selects.
func (t *Table) Delete(ctx context.Context, o DeleteOptions) (*ChangeResult, error) {
	where, err := condition(o.Where)
	if err != nil {
		return nil, t.fail("DELETE from", err)
	}
	res, err := dml.Delete(ctx, t.log, where, o.internal())
	return changed(res, res.Metrics.Deleted(), t.fail("DELETE from", err))
}

func changed(res merge.Result, rows int64, err error) (*ChangeResult, error) {
	if err != nil {
		return nil, err
	}
	return &ChangeResult{Rows: rows, Copied: res.Metrics.Copied, FilesAdded: res.Metrics.FilesAdded, FilesRemoved: res.Metrics.FilesRemoved,
		DeletionVectors: res.Metrics.VectorsAdded + res.Metrics.VectorsUpdated, Commit: commitOf(res.Commit, res.Winners, res.Skipped, res.Runs)}, nil
}

func condition(text string) (expr.Expr, error) {
	if text == "" {
		return nil, nil
	}
	e, err := expr.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("WHERE: %w", err)
	}
	return e, nil
}

// assignments parses a map of columns to expressions, in the order of the names.
func assignments(set map[string]string) ([]merge.Assignment, error) {
	out := make([]merge.Assignment, 0, len(set))
	for _, name := range sortedKeys(set) {
		e, err := expr.Parse(set[name])
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", name, err)
		}
		out = append(out, merge.Assignment{Column: []string{name}, Value: e})
	}
	return out, nil
}

// AppendOptions say how rows are inserted.
type AppendOptions struct {
	// MergeSchema adds columns and fields that only the source has to the table.
	MergeSchema bool
	// NoDataChange says that the rows were in the table before, in other files that
	// are removed in another way: readers of changes pass over the commit.
	NoDataChange bool
	CommitOptions
}

// OverwriteOptions say which rows give way to the new ones.
type OverwriteOptions struct {
	// Where limits the overwrite to the rows that it selects; every new row
	// must satisfy it. "" is all rows.
	Where string
	// Dynamic replaces just the partitions that receive rows.
	Dynamic bool
	// MergeSchema adds columns and fields that only the source has to the table.
	MergeSchema bool
	// OverwriteSchema makes the source's columns those of the table; all rows go.
	// Properties and constraints stay.
	OverwriteSchema bool
	// PartitionBy has the new partition columns, with OverwriteSchema; nil keeps
	// them, and an empty list makes a table without.
	PartitionBy []string
	// NoDataChange says that the new rows are those that go, in other files: readers
	// of changes pass over the commit. Nobody checks that it is true.
	NoDataChange bool
	CommitOptions
}

// WriteResult is what an append or overwrite did.
type WriteResult struct {
	Rows                     int64
	FilesAdded, FilesRemoved int64
	BytesAdded               int64
	Commit                   Commit
}

// Append adds the rows of a source, by column name.
func (t *Table) Append(ctx context.Context, src Source, o AppendOptions) (*WriteResult, error) {
	return t.insert(ctx, "append to", src, insert.Options{Options: o.internal(), Mode: insert.Append, MergeSchema: o.MergeSchema, Rearranges: o.NoDataChange})
}

// Overwrite replaces rows of the table with those of a source.
func (t *Table) Overwrite(ctx context.Context, src Source, o OverwriteOptions) (*WriteResult, error) {
	where, err := condition(o.Where)
	if err != nil {
		return nil, t.fail("overwrite of", err)
	}
	in := insert.Options{Options: o.internal(), Mode: insert.Overwrite, Where: where, MergeSchema: o.MergeSchema,
		OverwriteSchema: o.OverwriteSchema, PartitionBy: o.PartitionBy, Rearranges: o.NoDataChange}
	switch {
	case o.Dynamic && where != nil:
		return nil, t.fail("overwrite of", errors.New("Where and Dynamic exclude each other"))
	case o.Dynamic:
		in.Mode = insert.Dynamic
	case where != nil:
		in.Mode = insert.ReplaceWhere
	}
	return t.insert(ctx, "overwrite of", src, in)
}

func (t *Table) insert(ctx context.Context, op string, src Source, o insert.Options) (*WriteResult, error) {
	if src == nil {
		return nil, t.fail(op, errors.New("the source is nil"))
	}
	res, err := insert.Run(ctx, t.log, src, o)
	if err != nil {
		return nil, t.fail(op, err)
	}
	return &WriteResult{Rows: res.Rows, FilesAdded: res.FilesAdded, FilesRemoved: res.FilesRemoved, BytesAdded: res.BytesAdded,
		Commit: commitOf(res.Commit, res.Winners, res.Skipped, res.Runs)}, nil
}
