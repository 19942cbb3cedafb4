package sluice

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/verbs/dml"
	"github.com/sluicelake/sluice/internal/verbs/merge"
)

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
	Copied                   int64 // unchanged rows that were written again
	FilesAdded, FilesRemoved int64
	DeletionVectors          int64 // files whose rows were marked
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
	if err := t.use(); err != nil {
		return nil, err
	}
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
	if err := t.use(); err != nil {
		return nil, err
	}
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
