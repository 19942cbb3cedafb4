package insert

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/internal/rows/derive"
	"github.com/sluicelake/sluice/internal/rows/source"
	"github.com/sluicelake/sluice/internal/rows/write"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/merge"
)

// replaceWhere deletes the rows that the condition selects and adds the new
// ones in the same commit: a DELETE with files to add.
func replaceWhere(ctx context.Context, l *txn.Log, src source.Source, o Options) (Result, error) {
	var res Result
	none := merge.NoSource()
	st := merge.Statement{
		Plan: func(s *snapshot.Snapshot) (*merge.Plan, error) {
			c := merge.Clause{Kind: merge.NotMatchedBySource, Cond: o.Where, Action: merge.Delete}
			to := s.Schema()
			if o.MergeSchema {
				var err error
				if to, err = feature.Evolve(to, src.Schema(), feature.TypeWidening(s.Metadata())); err != nil {
					return nil, err
				}
			}
			return merge.NewPlan(merge.Spec{Clauses: []merge.Clause{c}}, s.Schema(), none.Schema, o.Expr, to)
		},
		Source:     none,
		Rearranges: o.Rearranges,
		Adds: func(ctx context.Context, s *snapshot.Snapshot, ids *derive.Identities) ([]action.Action, func(), error) {
			if res.Runs++; res.Runs > 1 {
				if r, ok := src.(rerunnable); !ok || !r.Rewindable() {
					return nil, nil, fmt.Errorf("[DELTA_METADATA_CHANGED] the metadata of %s changed while rows were written, and the source cannot be read twice; nothing was committed: run it again", l.Bucket().URL())
				}
			}
			check, err := satisfies(o.Where, s, o.Expr)
			if err != nil {
				return nil, nil, err
			}
			if o.Unchecked {
				check = nil
			}
			spec := write.SpecOf(s)
			o.Writing(&spec)
			outs, rows, err := writeWith(ctx, l, spec, src, o.Expr, ids, check)
			if err != nil {
				return nil, nil, err
			}
			res.Rows, res.FilesAdded, res.BytesAdded = rows, int64(len(outs)), 0
			adds := make([]action.Action, len(outs))
			for i, out := range outs {
				adds[i] = out.Add
				res.BytesAdded += out.Add.Size
			}
			return adds, func() { write.Discard(context.WithoutCancel(ctx), l.Bucket(), outs...) }, nil
		},
		Describe: func(_ *merge.Plan, m merge.Metrics) txn.Operation {
			text := func(s string) json.RawMessage { b, _ := json.Marshal(s); return b }
			n := func(v int64) string { return strconv.FormatInt(v, 10) }
			return txn.Operation{Name: "WRITE", ChangesData: true, UserMetadata: o.UserMetadata,
				Parameters: map[string]json.RawMessage{"mode": text("Overwrite"), "partitionBy": text("[]"), "predicate": text(o.Where.String())},
				Metrics: map[string]string{"numFiles": n(res.FilesAdded), "numOutputRows": n(res.Rows), "numOutputBytes": n(res.BytesAdded),
					"numRemovedFiles": n(m.FilesRemoved), "numRemovedBytes": n(m.BytesRemoved), "numDeletedRows": n(m.Deleted()),
					"numCopiedRows": n(m.Copied), "numAddedChangeFiles": n(m.ChangeFiles)}}
		},
	}
	done, err := merge.Execute(ctx, l, st, o.Options)
	res.Commit, res.Skipped, res.Winners = done.Commit, done.Skipped, done.Winners
	res.Runs = done.Runs
	res.FilesRemoved, res.BytesRemoved = done.Metrics.FilesRemoved, done.Metrics.BytesRemoved
	res.FilesAdded += done.Metrics.FilesAdded
	return res, err
}

// satisfies makes the check that every new row is one that the condition selects.
func satisfies(where expr.Expr, s *snapshot.Snapshot, o expr.Options) (func([]arrow.Array, int) error, error) {
	bound, err := expr.Bind(where, expr.Scope{Tables: []expr.Table{{Name: "target", Schema: s.Schema()}}, Options: o})
	if err != nil {
		return nil, fmt.Errorf("replace where: %w", err)
	}
	if l, ok := expr.Fold(bound, eval.Literal).(*expr.Literal); ok && l.Value == false {
		return nil, nil // no row is replaced, and, as in the reference, none has to satisfy it
	}
	return func(cols []arrow.Array, rows int) error {
		sel, err := eval.Filter(bound, eval.Input{Columns: cols, Rows: rows})
		if err != nil {
			return err
		}
		if len(sel) == rows {
			return nil
		}
		bad := int32(0)
		for i, row := range sel {
			if row != int32(i) {
				break
			}
			bad++
		}
		return &merge.StatementError{Class: "DELTA_REPLACE_WHERE_MISMATCH", Message: fmt.Sprintf(
			"a new row does not satisfy %s, the condition of the overwrite: %s", where, columns.AppendCanonicalRow(nil, cols, s.Schema(), int(bad)))}
	}, nil
}
