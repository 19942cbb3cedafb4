package session

import (
	"context"
	"errors"
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/clone"
	"github.com/sluicelake/sluice/internal/verbs/convert"
	"github.com/sluicelake/sluice/internal/verbs/create"
	"github.com/sluicelake/sluice/internal/verbs/manifest"
)

// clone is CREATE TABLE ... CLONE.
func (x *execution) clone(ctx context.Context, st *parse.Clone) (*Result, error) {
	address, err := x.place(ctx, st.Table, st.Location, st.Replace || st.IfNotExists)
	if err != nil {
		return nil, err
	}
	from, s, err := x.existing(ctx, st.Source)
	if err != nil {
		return nil, err
	}
	at, err := x.moment(st.At)
	if err != nil {
		return nil, err
	}
	if at != snapshot.Latest() {
		if s, err = snapshot.Load(ctx, from.Env(), from.Bucket(), at); err != nil {
			return nil, err
		}
	}
	l, err := x.s.log(ctx, address)
	if err != nil {
		return nil, err
	}
	if _, err := l.Update(ctx); st.Replace && !st.OrCreate && errors.Is(err, snapshot.ErrNotTable) {
		return nil, refuse("DELTA_CANNOT_REPLACE_MISSING_TABLE", "there is no table at %s to replace: use CREATE OR REPLACE TABLE", l.Bucket().URL())
	}
	res, err := clone.Run(ctx, l, clone.Spec{Source: s, Deep: st.Deep, Properties: st.Properties, IfNotExists: st.IfNotExists, Replace: st.Replace, UserMetadata: x.note}, x.commit)
	var there *create.ExistsError
	if errors.As(err, &there) {
		return nil, existing(st.Table)
	}
	if err != nil {
		return nil, err
	}
	if name := bare(st.Table); len(name) == 1 {
		x.s.AddTable(name[0], address)
	}
	return counted(x.done(res.Commit, "CLONE"), []string{"source_table_size", "source_num_of_files", "num_removed_files", "num_copied_files", "removed_files_size", "copied_files_size"},
		res.Bytes, res.Files, res.Removed, res.Copied+res.AlreadyThere, res.BytesRemoved, res.BytesCopied)
}

// convert is CONVERT TO DELTA.
func (x *execution) convert(ctx context.Context, st *parse.Convert) (*Result, error) {
	name := bare(st.Source)
	if len(name) != 2 || !strings.EqualFold(name[0], "parquet") {
		if len(name) == 2 && strings.EqualFold(name[0], "delta") {
			return none("CONVERT"), nil
		}
		return nil, refuse("DELTA_CONVERT_NON_PARQUET_TABLE", "CONVERT TO DELTA takes a folder of Parquet files: parquet.`url`, not %s", expr.NewColumn(st.Source...))
	}
	l, err := x.s.log(ctx, name[1])
	if err != nil {
		return nil, err
	}
	res, err := convert.Run(ctx, l, convert.Spec{PartitionBy: st.PartitionBy, NoStatistics: st.NoStatistics, Properties: x.conf.tableDefaults(), UserMetadata: x.note}, x.commit)
	if err != nil {
		return nil, err
	}
	return x.done(res.Commit, "CONVERT"), nil
}

// generate is GENERATE.
func (x *execution) generate(ctx context.Context, st *parse.Generate) (*Result, error) {
	if !strings.EqualFold(st.Mode, "symlink_format_manifest") {
		return nil, refuse("DELTA_MODE_NOT_SUPPORTED", "what can be generated is symlink_format_manifest, not %s", st.Mode)
	}
	_, s, err := x.existing(ctx, st.Table)
	if err != nil {
		return nil, notDelta(err, noTable)
	}
	if _, err := manifest.Generate(ctx, s); err != nil {
		return nil, err
	}
	return none("GENERATE"), nil
}
