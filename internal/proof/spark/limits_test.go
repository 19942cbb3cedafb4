package spark

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/dml"
)

// limits are errors of the reference that are no results: a defect of its MERGE
// with deletion vectors, and conditions of REPLACE WHERE that it cannot push down.
var limits = map[string]bool{"USER_RAISED_EXCEPTION": true, "_LEGACY_ERROR_TEMP_2245": true, "_LEGACY_ERROR_TEMP_1109": true}

// limited judges what the reference cannot do by what it means otherwise. rows and
// failure are what the statement gave.
func limited(ctx context.Context, c *dmlCase, rows []string, failure error) error {
	st, err := parse.One(c.SQL)
	if err != nil {
		return err
	}
	switch x := st.(type) {
	case *parse.Merge:
		if failure != nil {
			return failure
		}
		plain := *c
		plain.Target = withoutVectors(c.Target)
		return same(ctx, rows, &plain, st)
	case *parse.Insert:
		added := *x
		added.Where = nil
		if failure == nil {
			return same(ctx, rows, c, deleting(x, x.Where), &added)
		}
		if !strings.Contains(failure.Error(), "DELTA_REPLACE_WHERE_MISMATCH") {
			return failure
		}
		outside := same(ctx, nil, c, deleting(x, nil), &added, deleting(x, x.Where))
		if outside == nil {
			return fmt.Errorf("refused although each new row satisfies the condition: %w", failure)
		}
		return nil
	}
	return fmt.Errorf("no meaning for %T", st)
}

func deleting(st *parse.Insert, where expr.Expr) *parse.Change {
	return &parse.Change{Target: parse.Relation{Parts: st.Target}, Spec: dml.Statement{Delete: true, Where: where}}
}

// same says how the rows after some statements on the table of a case differ.
func same(ctx context.Context, rows []string, c *dmlCase, list ...parse.Statement) error {
	l, err := build(ctx, &c.Target)
	if err != nil {
		return err
	}
	defer l.Close(ctx)
	got, err := after(ctx, l, c, list...)
	if err != nil {
		return err
	}
	if !slices.Equal(rows, got) {
		return fmt.Errorf("rows\n   %s\nwant\n   %s", strings.Join(rows, "\n   "), strings.Join(got, "\n   "))
	}
	return nil
}

func after(ctx context.Context, l *txn.Log, c *dmlCase, list ...parse.Statement) ([]string, error) {
	for _, st := range list {
		if err := runStatement(ctx, l, c, st); err != nil {
			return nil, err
		}
	}
	s, err := snapshot.Load(ctx, l.Env(), l.Bucket(), snapshot.Latest())
	if err != nil {
		return nil, err
	}
	return tablekit.Rows(ctx, s)
}

// withoutVectors is the same table with its rows in files without deletion vectors.
func withoutVectors(r relation) relation {
	properties := map[string]string{}
	for k, v := range r.Properties {
		if k != "delta.enableDeletionVectors" {
			properties[k] = v
		}
	}
	files := slices.Clone(r.Files)
	for i, f := range files {
		files[i].Rows = nil
		for at, row := range f.Rows {
			if !slices.Contains(f.Deleted, int64(at)) {
				files[i].Rows = append(files[i].Rows, row)
			}
		}
		files[i].Deleted = nil
	}
	r.Properties, r.Files = properties, files
	return r
}
