package session

import (
	"context"
	"errors"
	"iter"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/internal/base/address"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/rows/source"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/internal/verbs/repair"
	"github.com/sluicelake/sluice/internal/verbs/vacuum"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/types"
)

// The settings of VACUUM, by Spark's names.
const (
	retentionCheck = "spark.databricks.delta.retentionDurationCheck.enabled"
	vacuumLogging  = "spark.databricks.delta.vacuum.logging.enabled"
	retainIgnored  = "spark.databricks.delta.vacuum.retentionWindowIgnore.enabled"
	vacuumLite     = "spark.databricks.delta.vacuum.lite.enabled"
)

// is reports whether a setting that is unset otherwise has a value.
func (c settings) is(name, value string) bool {
	for k, v := range c {
		if strings.EqualFold(k, name) {
			return strings.EqualFold(strings.TrimSpace(v), value)
		}
	}
	return false
}

// noTable is the class of an address that upkeep finds no table at.
const noTable = "DELTA_MISSING_DELTA_TABLE"

// notDelta gives the error of an address without a table the class that the
// reference has for the statement.
func notDelta(err error, class string) error {
	if !errors.Is(err, snapshot.ErrNotTable) {
		return err
	}
	_, text, ok := strings.Cut(err.Error(), "] ")
	if !ok {
		text = err.Error()
	}
	return &merge.StatementError{Class: class, Message: text}
}

// spelled is an address as the reference prints it: without escapes, a local one
// with a single slash.
func spelled(url string) string {
	plain := strings.TrimRight(address.Plain(url), "/")
	if strings.HasPrefix(plain, "/") {
		return "file:" + plain
	}
	return plain
}

var pathSchema = types.NewStruct(field("path", types.String))

// vacuum is VACUUM. A dry run yields the files that would go, otherwise the table's
// address comes back, as from the reference.
func (x *execution) vacuum(ctx context.Context, st *parse.Vacuum) (*Result, error) {
	l, err := x.target(ctx, st.Table)
	if err != nil {
		return nil, notDelta(err, noTable)
	}
	spec := st.Spec
	if spec.Retain != nil && *spec.Retain != 0 && x.conf.is(retainIgnored, "true") {
		spec.Retain = nil
	}
	spec.Lite = spec.Lite || st.Inventory == nil && x.conf.is(vacuumLite, "true")
	if st.Inventory != nil {
		rows, err := x.queried(ctx, st.Inventory)
		if err != nil {
			return nil, notDelta(err, noTable)
		}
		spec.Inventory = rows
	}
	res, err := vacuum.Run(ctx, l, spec, vacuum.Options{NoRetentionCheck: x.conf.is(retentionCheck, "false"), NoLog: x.conf.is(vacuumLogging, "false"),
		UserMetadata: x.note, BeforePublish: x.commit.BeforePublish, Open: x.neighbour})
	if err != nil {
		return nil, notDelta(err, noTable)
	}
	x.forget()
	root := spelled(l.Bucket().URL())
	if !spec.DryRun {
		out, err := rows("VACUUM", pathSchema, []any{root})
		if err == nil {
			out.Metrics = map[string]string{"numDeletedFiles": strconv.FormatInt(res.Deleted, 10), "numVacuumedDirectories": strconv.FormatInt(res.Directories, 10)}
		}
		return out, err
	}
	out := none("VACUUM DRY RUN")
	out.Schema = pathSchema
	out.Rows = paths(root, res)
	return out, nil
}

// paths yields the files of a dry run, some at a time.
func paths(root string, res *vacuum.Result) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		as, err := columns.ArrowSchema(pathSchema)
		if err != nil {
			yield(nil, err)
			return
		}
		var some []any
		send := func() bool {
			col, err := columns.FromValues(types.String, some...)
			if err != nil {
				yield(nil, err)
				return false
			}
			n := int64(len(some))
			some = nil
			return yield(array.NewRecordBatch(as, []arrow.Array{col}, n), nil)
		}
		for key := range res.Files() {
			if some = append(some, root+"/"+key); len(some) == 4096 && !send() {
				return
			}
		}
		if len(some) > 0 {
			send()
		}
	}
}

// neighbour opens another table; the session closes it.
func (x *execution) neighbour(ctx context.Context, url string) (*storage.Bucket, error) {
	l, err := x.s.log(ctx, url)
	if err != nil {
		return nil, err
	}
	return l.Bucket().Sub(""), nil
}

var _ source.Source = (*assigned)(nil)

var fsckSchema = types.NewStruct(types.Field{Name: "dataFilePath", Type: types.String}, types.Field{Name: "dataFileMissing", Type: types.Boolean},
	field("deletionVectorPath", types.String), types.Field{Name: "deletionVectorFileMissing", Type: types.Boolean})

// fsck is FSCK REPAIR TABLE.
func (x *execution) fsck(ctx context.Context, st *parse.Fsck) (*Result, error) {
	l, err := x.target(ctx, st.Table)
	if err != nil {
		return nil, err
	}
	res, err := repair.Run(ctx, l, st.Spec, repair.Options{UserMetadata: x.note, BeforePublish: x.commit.BeforePublish})
	if err != nil {
		return nil, err
	}
	x.forget()
	var list [][]any
	for _, m := range res.Missing {
		var vector any
		if m.Vector != "" {
			vector = m.Vector
		}
		list = append(list, []any{m.Path, m.DataMissing, vector, m.VectorMissing})
	}
	out, err := rows("FSCK", fsckSchema, list...)
	if err == nil && res.Commit.Committed {
		c := committed("FSCK", res.Commit)
		out.Commit, out.Metrics = c.Commit, c.Metrics
	}
	return out, err
}
