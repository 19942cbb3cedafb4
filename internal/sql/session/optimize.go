package session

import (
	"context"
	"strconv"
	"strings"

	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/optimize"
	"github.com/sluicelake/sluice/types"
)

// sizes is the type of the counts of files in the result of OPTIMIZE.
var sizes = types.NewStruct(field("min", types.Long), field("max", types.Long), field("avg", types.Double), field("totalFiles", types.Long), field("totalSize", types.Long))

// The settings of OPTIMIZE, by Spark's names.
const (
	zorderStats   = "spark.databricks.delta.optimize.zorder.checkStatsCollection.enabled"
	leastCube     = "spark.databricks.delta.optimize.clustering.mergeStrategy.minCubeSize.threshold"
	largestCube   = "spark.databricks.delta.optimize.clustering.mergeStrategy.minCubeSize.targetCubeSize"
	optimizeSize  = "spark.databricks.delta.optimize.maxFileSize"
	optimizeSmall = "spark.databricks.delta.optimize.minFileSize"
	optimizeBatch = "spark.databricks.delta.optimize.batchSize"
)

// Statistics of sorting, as the reference names them.
var (
	zorderFiles  = types.NewStruct(field("num", types.Long), field("size", types.Long))
	clusterFiles = types.NewStruct(field("numFiles", types.Long), field("size", types.Long))
	zorderResult = types.NewStruct(field("strategyName", types.String), field("inputCubeFiles", zorderFiles), field("inputOtherFiles", zorderFiles),
		field("inputNumCubes", types.Long), field("mergedFiles", zorderFiles), field("numOutputCubes", types.Long), field("mergedNumCubes", types.Long))
	clusterResult = types.NewStruct(field("inputZCubeFiles", clusterFiles), field("inputOtherFiles", clusterFiles), field("inputNumZCubes", types.Long),
		field("mergedFiles", clusterFiles), field("numOutputZCubes", types.Long))
)

// optimized is the result of OPTIMIZE.
var optimized = types.NewStruct(field("path", types.String), field("metrics", types.NewStruct(
	field("numFilesAdded", types.Long), field("numFilesRemoved", types.Long), field("filesAdded", sizes), field("filesRemoved", sizes),
	field("partitionsOptimized", types.Long), field("zOrderStats", zorderResult), field("clusteringStats", clusterResult), field("numBins", types.Long), field("numBatches", types.Long), field("totalConsideredFiles", types.Long), field("totalFilesSkipped", types.Long),
	field("preserveInsertionOrder", types.Boolean), field("numFilesSkippedToReduceWriteAmplification", types.Long), field("numBytesSkippedToReduceWriteAmplification", types.Long),
	field("startTimeMs", types.Long), field("endTimeMs", types.Long), field("totalClusterParallelism", types.Long), field("totalScheduledTasks", types.Long),
	field("autoCompactParallelismStats", types.NewStruct(field("maxClusterActiveParallelism", types.Long), field("minClusterActiveParallelism", types.Long),
		field("maxSessionActiveParallelism", types.Long), field("minSessionActiveParallelism", types.Long))),
	field("deletionVectorStats", types.NewStruct(field("numDeletionVectorsRemoved", types.Long), field("numDeletionVectorRowsRemoved", types.Long))),
	field("numTableColumns", types.Long), field("numTableColumnsWithStats", types.Long))))

// optimize is OPTIMIZE and REORG.
func (x *execution) optimize(ctx context.Context, st *parse.Optimize) (*Result, error) {
	l, _, err := x.existing(ctx, st.Table)
	if err != nil {
		class := noTable
		if st.Spec.Purge {
			class = "DELTA_ONLY_OPERATION"
		}
		return nil, notDelta(err, class)
	}
	spec := st.Spec
	spec.WithoutStats = strings.EqualFold(x.conf.get(zorderStats), "false")
	for _, c := range []struct {
		name string
		to   *int64
	}{{leastCube, &spec.LeastCube}, {largestCube, &spec.LargestCube}, {optimizeSize, &spec.TargetSize}, {optimizeSmall, &spec.MinSize}} {
		if err := x.conf.size(c.name, c.to); err != nil {
			return nil, err
		}
	}
	if text := x.conf.get(optimizeBatch); text != "" {
		n, ok := mebibytes(text)
		if bytes, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64); err == nil {
			n, ok = bytes, bytes > 0
		}
		if !ok {
			return nil, refuse("INVALID_CONF_VALUE.TYPE_MISMATCH", "the setting %s is %q, want a size, such as 10g", optimizeBatch, text)
		}
		spec.CommitBytes = n
	}
	began := l.Env().Now().UnixMilli()
	res, err := optimize.Run(ctx, l, spec, optimize.Options{Expr: x.options, Commit: x.commit, UserMetadata: x.note})
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
	var vectors any
	if sum.Vectors > 0 {
		vectors = []any{sum.Vectors, sum.Deleted}
	}
	width, indexed := res.Plan.Columns()
	out, err := rows(name, optimized, []any{spelled(l.Bucket().URL()), []any{sum.Added.Files, sum.Removed.Files, count(sum.Added, sum.AddedSizes()), count(sum.Removed, sum.RemovedSizes()),
		int64(res.Plan.Partitions()), zorderStatsOf(res), clusterStatsOf(res), int64(len(res.Plan.Bins)), int64(max(1, len(res.Commits))), res.Plan.Before.Files, res.Plan.Before.Files - chosen.Files,
		false, int64(0), int64(0), began, l.Env().Now().UnixMilli(), int64(l.Env().Workers), int64(0), nil, vectors, int64(width), int64(indexed)}})
	if err != nil {
		return nil, err
	}
	var last txn.Result = res.Last()
	done := committed(name, last)
	out.Commit, out.Metrics = done.Commit, done.Metrics
	return out, nil
}

// zorderStatsOf tells of ZORDER BY what the reference does: it takes every file,
// and makes one cube of each partition.
func zorderStatsOf(res optimize.Result) any {
	if res.Plan.Cubes != nil || len(res.Plan.Spec.ZOrderBy) == 0 {
		return nil
	}
	in := []any{res.Summary.Removed.Files, res.Summary.Removed.Bytes}
	return []any{"all", []any{int64(0), int64(0)}, in, int64(0), in, int64(res.Plan.Partitions()), nil}
}

func clusterStatsOf(res optimize.Result) any {
	c := res.Plan.Cubes
	if c == nil {
		return nil
	}
	count := func(t optimize.Totals) any { return []any{t.Files, t.Bytes} }
	return []any{count(c.InCubes), count(c.Other), c.Found, count(c.Merged), c.Written}
}

// size reads a setting that is a number, mostly of bytes; one that is not set changes nothing.
func (c settings) size(name string, to *int64) error {
	text := c.get(name)
	if text == "" {
		return nil
	}
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n <= 0 {
		return refuse("INVALID_CONF_VALUE.TYPE_MISMATCH", "the setting %s is %q, want a number above 0", name, text)
	}
	*to = n
	return nil
}
