package session

import (
	"context"

	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/optimize"
	"github.com/sluicelake/sluice/types"
)

// sizes is the type of the counts of files in the result of OPTIMIZE.
var sizes = types.NewStruct(field("min", types.Long), field("max", types.Long), field("avg", types.Double), field("totalFiles", types.Long), field("totalSize", types.Long))

// optimized is the result of OPTIMIZE, a part of the reference's.
var optimized = types.NewStruct(field("path", types.String), field("metrics", types.NewStruct(
	field("numFilesAdded", types.Long), field("numFilesRemoved", types.Long), field("filesAdded", sizes), field("filesRemoved", sizes),
	field("partitionsOptimized", types.Long), field("numBatches", types.Long), field("totalConsideredFiles", types.Long), field("totalFilesSkipped", types.Long),
	field("deletionVectorStats", types.NewStruct(field("numDeletionVectorsRemoved", types.Long))))))

// optimize is OPTIMIZE and REORG.
func (x *execution) optimize(ctx context.Context, st *parse.Optimize) (*Result, error) {
	l, _, err := x.existing(ctx, st.Table)
	if err != nil {
		return nil, err
	}
	res, err := optimize.Run(ctx, l, st.Spec, optimize.Options{Expr: x.options, Commit: x.commit, UserMetadata: x.note})
	if err != nil {
		return nil, err
	}
	name := "OPTIMIZE"
	if st.Spec.Purge {
		name = "REORG"
	}
	count := func(t optimize.Totals, s optimize.Spread) any {
		if t.Files == 0 {
			return []any{nil, nil, 0.0, int64(0), int64(0)}
		}
		return []any{s.Min, s.Max, float64(t.Bytes) / float64(t.Files), t.Files, t.Bytes}
	}
	sum, chosen := res.Summary, res.Plan.Chosen()
	out, err := rows(name, optimized, []any{l.Bucket().URL(), []any{sum.Added.Files, sum.Removed.Files, count(sum.Added, sum.AddedSizes()), count(sum.Removed, sum.RemovedSizes()),
		int64(res.Plan.Partitions()), int64(len(res.Commits)), res.Plan.Before.Files, res.Plan.Before.Files - chosen.Files, []any{sum.Vectors}}})
	if err != nil {
		return nil, err
	}
	var last txn.Result = res.Last()
	done := committed(name, last)
	out.Commit, out.Metrics = done.Commit, done.Metrics
	return out, nil
}
