// Package dml is UPDATE and DELETE: one condition over the table's own rows.
//
// Both are a MERGE without a source: rows that no source row matches, taken by
// one clause. So they share its pruning, its ledger and its repair.
package dml

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/merge"
)

// Statement is an UPDATE or a DELETE as a value; text and library make one.
type Statement struct {
	// Alias names the table in the expressions; "" leaves it without a name.
	Alias string
	// Delete tells a DELETE from an UPDATE, which sets columns by Set.
	Delete bool
	Set    []merge.Assignment
	Where  expr.Expr // nil takes all rows
}

// Delete removes the rows for which where is true; nil removes all.
func Delete(ctx context.Context, l *txn.Log, where expr.Expr, o merge.Options) (merge.Result, error) {
	return Run(ctx, l, Statement{Delete: true, Where: where}, o)
}

// Update sets columns in the rows for which where is true; nil takes all rows.
func Update(ctx context.Context, l *txn.Log, set []merge.Assignment, where expr.Expr, o merge.Options) (merge.Result, error) {
	return Run(ctx, l, Statement{Set: set, Where: where}, o)
}

// Run executes a statement until it is committed.
func Run(ctx context.Context, l *txn.Log, st Statement, o merge.Options) (merge.Result, error) {
	name, c := "UPDATE", merge.Clause{Kind: merge.NotMatchedBySource, Cond: st.Where, Action: merge.Update, Set: st.Set}
	if st.Delete {
		name, c.Action = "DELETE", merge.Delete
	}
	src := merge.NoSource()
	o.Expr = o.Expr.At(l.Env().Now())
	return merge.Execute(ctx, l, merge.Statement{
		Plan: func(s *snapshot.Snapshot) (*merge.Plan, error) {
			if feature.AppendOnly(s.Metadata()) { // even when no row would change
				return nil, txn.AppendOnly(l.Bucket().URL())
			}
			return merge.NewPlan(merge.Spec{TargetAlias: st.Alias, Clauses: []merge.Clause{c}}, s.Schema(), src.Schema, o.Expr)
		},
		Source: src,
		Describe: func(_ *merge.Plan, m merge.Metrics) txn.Operation {
			list := []string{}
			if c.Cond != nil {
				list = append(list, c.Cond.String())
			} else if name == "DELETE" {
				list = append(list, "true")
			}
			return txn.Operation{Name: name, Parameters: map[string]json.RawMessage{"predicate": merge.Encoded(list)},
				Metrics: metrics(name, m), UserMetadata: o.UserMetadata, ChangesData: true}
		},
	}, o)
}

// metrics gives the counts the names that the reference records.
func metrics(name string, m merge.Metrics) map[string]string {
	out := map[string]string{}
	put := func(key string, n int64) { out[key] = strconv.FormatInt(n, 10) }
	if name == "DELETE" {
		put("numDeletedRows", m.Deleted())
	} else {
		put("numUpdatedRows", m.Updated())
	}
	put("numCopiedRows", m.Copied)
	put("numAddedFiles", m.FilesAdded)
	put("numRemovedFiles", m.FilesRemoved)
	put("numAddedBytes", m.BytesAdded)
	put("numRemovedBytes", m.BytesRemoved)
	put("numAddedChangeFiles", m.ChangeFiles)
	put("numDeletionVectorsAdded", m.VectorsAdded+m.VectorsUpdated)
	put("numDeletionVectorsRemoved", m.VectorsRemoved+m.VectorsUpdated)
	put("numDeletionVectorsUpdated", m.VectorsUpdated)
	put("executionTimeMs", m.Total.Milliseconds())
	put("scanTimeMs", m.Scan.Milliseconds())
	put("rewriteTimeMs", m.Rewrite.Milliseconds())
	return out
}
