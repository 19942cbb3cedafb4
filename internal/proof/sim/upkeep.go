package sim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/alter"
	"github.com/sluicelake/sluice/internal/verbs/checkpoint"
	"github.com/sluicelake/sluice/internal/verbs/manifest"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/internal/verbs/optimize"
	"github.com/sluicelake/sluice/internal/verbs/repair"
	"github.com/sluicelake/sluice/internal/verbs/vacuum"
	"github.com/sluicelake/sluice/storage/faultstore"
)

// clock is the time of one world, which stands still but for what a run says, and
// while all wait.
type clock struct {
	at    atomic.Int64
	began time.Time
}

func newClock() *clock {
	c := &clock{began: time.Now()}
	c.at.Store(time.Date(2031, 3, 1, 0, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time { return time.Unix(0, c.at.Load()).UTC().Add(time.Since(c.began)) }

func (c *clock) pass(d time.Duration) { c.at.Add(int64(d)) }

// retained is for how long VACUUM keeps files. The statements of a run take less,
// and what was there before them is older.
const retained = time.Hour

// upkeep is a verb that changes no row, among the statements.
type upkeep struct {
	// pauses says that it stops before it publishes as DML does; others begin when
	// they are let go.
	pauses bool
	text   string
	run    func(ctx context.Context, l *txn.Log, before func(context.Context) error) ([]int64, error)
}

// operations are those of the commits that upkeep makes.
var operations = []string{"OPTIMIZE", "REORG", "VACUUM START", "VACUUM END", "SET TBLPROPERTIES", "UNSET TBLPROPERTIES", "UPGRADE PROTOCOL",
	"ROW TRACKING BACKFILL", "DROP FEATURE", "Deletion Vector Tombstones", "Empty Commit", "RESERVE"}

func (t table) randomUpkeep(r *rand.Rand) statement {
	do := func(kind, text string, u *upkeep) statement {
		u.text = text
		return statement{kind: kind, upkeep: u}
	}
	target := []int64{0, 1200, 3000}[r.IntN(3)]
	switch n := r.IntN(22); {
	case n < 10:
		spec := optimize.Spec{TargetSize: target, DeletedRatio: []float64{0, -1}[r.IntN(2)], CommitBytes: int64(r.IntN(2)), Full: r.IntN(3) == 0, WithoutStats: true}
		switch r.IntN(4) {
		case 0:
			spec.Purge = true
		case 1:
			if !t.clustered {
				spec.ZOrderBy = [][]string{{"k"}, {"v", "k"}}[r.IntN(2)]
			}
		}
		if t.clustered {
			spec.LeastCube, spec.LargestCube = 1+r.Int64N(4000), 4000
		}
		if spec.Purge {
			spec.Full, spec.ZOrderBy = false, nil
		}
		if !t.clustered {
			spec.Full = false
		}
		if t.partitioned && r.IntN(3) == 0 {
			where, _ := parsed(cond{"p = 'a' OR p IS NULL", func(row, row) tri { return yes }})
			spec.Where = where
		}
		return do("optimize", fmt.Sprintf("OPTIMIZE %+v", spec), &upkeep{pauses: true, run: func(ctx context.Context, l *txn.Log, before func(context.Context) error) (out []int64, err error) {
			res, err := optimize.Run(ctx, l, spec, optimize.Options{Commit: txn.Options{BeforePublish: before}})
			for _, c := range res.Commits {
				out = append(out, c.Version)
			}
			return out, err
		}})
	case n < 14:
		hold := retained
		spec := vacuum.Spec{Lite: r.IntN(4) == 0, Retain: &hold}
		return do("vacuum", fmt.Sprintf("VACUUM lite=%t", spec.Lite), &upkeep{pauses: true, run: func(ctx context.Context, l *txn.Log, before func(context.Context) error) (out []int64, err error) {
			res, err := vacuum.Run(ctx, l, spec, vacuum.Options{NoRetentionCheck: true, BeforePublish: before})
			if res != nil {
				out = slices.DeleteFunc([]int64{res.Start, res.End}, func(v int64) bool { return v < 0 })
			}
			return out, err
		}})
	case n < 16:
		kind := snapshot.ByPolicy
		return do("checkpoint", "CHECKPOINT", &upkeep{run: func(ctx context.Context, l *txn.Log, _ func(context.Context) error) ([]int64, error) {
			_, err := checkpoint.Run(ctx, l, checkpoint.Spec{Options: snapshot.CheckpointOptions{Kind: kind, Sidecar: 2}})
			return nil, err
		}})
	case n < 17:
		return do("compact", "COMPACT LOG", &upkeep{run: func(ctx context.Context, l *txn.Log, _ func(context.Context) error) ([]int64, error) {
			_, err := checkpoint.Compact(ctx, l, checkpoint.CompactSpec{})
			return nil, err
		}})
	case n < 18:
		return do("clean", "CLEAN LOG", &upkeep{run: func(ctx context.Context, l *txn.Log, _ func(context.Context) error) ([]int64, error) {
			s, err := l.Update(ctx)
			if err == nil {
				_, err = l.CleanLog(ctx, s, snapshot.CleanOptions{Force: true})
			}
			return nil, err
		}})
	case n < 19:
		return do("track", "SET TBLPROPERTIES (delta.enableRowTracking = true)", &upkeep{pauses: true, run: func(ctx context.Context, l *txn.Log, before func(context.Context) error) ([]int64, error) {
			_, err := alter.Run(ctx, l, alter.SetProperties{Properties: map[string]string{"delta.enableRowTracking": "true"}}, alter.Options{Commit: txn.Options{BeforePublish: before}})
			return nil, err
		}})
	case n < 20:
		return do("drop feature", "DROP FEATURE deletionVectors", &upkeep{pauses: true, run: func(ctx context.Context, l *txn.Log, before func(context.Context) error) ([]int64, error) {
			_, err := alter.Run(ctx, l, alter.DropFeature{Name: "deletionVectors"}, alter.Options{Commit: txn.Options{BeforePublish: before}})
			return nil, err
		}})
	case n < 21:
		return do("repair", "FSCK REPAIR TABLE", &upkeep{pauses: true, run: func(ctx context.Context, l *txn.Log, before func(context.Context) error) ([]int64, error) {
			_, err := repair.Run(ctx, l, repair.Spec{}, repair.Options{BeforePublish: before})
			return nil, err
		}})
	}
	return do("manifest", "GENERATE", &upkeep{run: func(ctx context.Context, l *txn.Log, _ func(context.Context) error) ([]int64, error) {
		s, err := l.Update(ctx)
		if err == nil {
			_, err = manifest.Generate(ctx, s)
		}
		return nil, err
	}})
}

// restored says which version a RESTORE brings back: any that is retained, or one
// that VACUUM may take away: that is refused, or it holds, when both are of one
// process.
func (w *world) restored(s statement) statement {
	from := w.past
	if s.lost && len(w.gone) > 0 {
		from = w.gone
	}
	versions := slices.Sorted(maps.Keys(from))
	s.to = versions[s.pick%uint64(len(versions))]
	s.back = from[s.to]
	return s
}

// tend is the part of exec for upkeep.
func (w *world) tend(ctx context.Context, x *writer, l *txn.Log, before func(context.Context) error) {
	if !x.s.upkeep.pauses {
		if x.err = before(ctx); x.err != nil {
			return
		}
	}
	x.made, x.err = x.s.upkeep.run(ctx, l, before)
	if x.err != nil && excusable(x.err, x.trouble != nil) {
		w.g.note("  %s: %v", x.name, x.err)
		x.err = nil
	}
}

// impossible are the classes of errors that say that what is asked for is not possible on this table.
var impossible = []string{"DELTA_CANNOT_VACUUM_LITE", "DELTA_FEATURE_DROP_CONFLICT_REVALIDATION_FAIL", "DELTA_FEATURE_DROP_FEATURE_NOT_PRESENT",
	"DELTA_UNSUPPORTED_GENERATE_WITH_DELETION_VECTORS"}

// tooOld reports a RESTORE of a version that VACUUM or the cleaning of the log has
// taken away.
func (w *world) tooOld(x *writer) bool {
	var stated *merge.StatementError
	var version *snapshot.VersionError
	return x.s.kind == "restore" && x.s.to < w.oldest && (errors.As(x.err, &version) || errors.As(x.err, &stated) && stated.Class == "DELTA_RESTORE_MISSING_FILES")
}

func excusable(err error, trouble bool) bool {
	var unknown *txn.UnknownError
	if trouble && (errors.Is(err, faultstore.ErrInjected) || errors.As(err, &unknown)) {
		return true
	}
	var stated *merge.StatementError
	var vac *vacuum.Error
	switch {
	case errors.As(err, &stated):
		return slices.Contains(impossible, stated.Class)
	case errors.As(err, &vac):
		return slices.Contains(impossible, vac.Class)
	}
	return false
}

// remember reads versions that a RESTORE may name.
func (w *world) remember(ctx context.Context, from, to int64) (map[int64][]row, error) {
	out := map[int64][]row{}
	for v := from; v <= to; v++ {
		s, err := w.kit.Snapshot(ctx, snapshot.Version(v))
		if err != nil {
			return nil, err
		}
		lines, err := tablekit.Rows(ctx, s)
		if err != nil {
			return nil, err
		}
		if out[v], err = fromTexts(lines); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// tended reports whether a version that nobody of the writers has acknowledged is
// one of upkeep, which leaves the rows as they are.
func (w *world) tended(ctx context.Context, v int64) (bool, error) {
	data, _, err := deltalog.ReadCommit(ctx, w.kit.Bucket, v)
	if err != nil {
		return false, err
	}
	op := ""
	err = action.Scan(data, deltalog.CommitPath(v), &action.Handler{CommitInfo: func(c *action.CommitInfo) error {
		op = c.Operation
		return nil
	}})
	if op == "RESERVE" {
		w.reserved++
	}
	return slices.Contains(operations, op), err
}

// kept checks what a version of upkeep did not change: the ids of rows, and that
// it has no change rows.
func (w *world) kept(ctx context.Context, v int64) error {
	before, err := w.kit.Snapshot(ctx, snapshot.Version(v-1))
	if err != nil {
		return err
	}
	after, err := w.kit.Snapshot(ctx, snapshot.Version(v))
	if err != nil || !feature.RowTracking(before.Metadata()) || !feature.RowTracking(after.Metadata()) {
		return err
	}
	a, err := identities(ctx, before)
	if err != nil {
		return err
	}
	b, err := identities(ctx, after)
	if err == nil && !slices.Equal(a, b) {
		err = fmt.Errorf("version %d keeps rows, but not their ids: before\n    %s\n  after\n    %s", v, strings.Join(a, "\n    "), strings.Join(b, "\n    "))
	}
	return err
}
