package session

import (
	"context"

	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/sql/query"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/restore"
)

// moment is the version or time that a statement names.
func (x *execution) moment(m parse.Moment) (snapshot.At, error) {
	at, err := query.Moment(m.Version, m.Timestamp, x.options)
	if err != nil {
		return snapshot.At{}, err
	}
	switch {
	case at.Version != nil:
		return snapshot.Version(*at.Version), nil
	case at.Timestamp != nil:
		t, err := instant(at.Timestamp)
		return snapshot.Time(t), err
	}
	return snapshot.Latest(), nil
}

// restore is RESTORE.
func (x *execution) restore(ctx context.Context, st *parse.Restore) (*Result, error) {
	l, err := x.target(ctx, st.Table)
	if err != nil {
		return nil, err
	}
	to, err := x.moment(st.To)
	if err != nil {
		if st.To.Timestamp != nil {
			return nil, refuse("DELTA_TIMESTAMP_INVALID", "the time of RESTORE cannot be read: %v", err)
		}
		return nil, err
	}
	res, err := restore.Run(ctx, l, restore.Spec{To: to, UserMetadata: x.note,
		IgnoreMissing: x.conf.on("spark.sql.files.ignoreMissingFiles"), Downgrade: x.conf.on("spark.databricks.delta.restore.protocolDowngradeAllowed")}, x.commit)
	if err != nil {
		return nil, err
	}
	p := res.Plan
	return counted(x.done(res.Commit, "RESTORE"), []string{"table_size_after_restore", "num_of_files_after_restore", "num_removed_files", "num_restored_files",
		"removed_files_size", "restored_files_size"}, p.Bytes, int64(p.Files), int64(len(p.Removed)), int64(len(p.Restored)), p.RemovedBytes(), p.RestoredBytes())
}
