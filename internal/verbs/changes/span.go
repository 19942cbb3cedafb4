package changes

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// span is the range of versions to read, both ends included. It is empty when
// end is start-1.
type span struct{ start, end int64 }

// resolve finds the range that a spec asks for (delta-spark's CDCReader,
// getCDCRelation): a time at the start means the first version that is not older,
// one at the end the last that is not younger, and an end behind the newest
// version is the newest version.
func resolve(ctx context.Context, e *env.Env, latest *snapshot.Snapshot, spec Spec, after *place) (span, error) {
	newest := latest.Version()
	r := span{start: newest, end: newest}
	from, fromTime := spec.From.Instant()
	switch v, byNumber := spec.From.Number(); {
	case after != nil:
		r.start, fromTime = after.version, false
		if r.start > newest+1 {
			return r, &CursorError{spec.After, fmt.Sprintf("it lies behind version %d, the table is at version %d: it was restored from a copy, or the cursor is of another table", r.start-1, newest)}
		}
	case byNumber:
		if r.start = v; v > newest || v < 0 {
			return r, notFound(ctx, latest, fmt.Sprintf("version %d", v), classAfterLatest, "changes cannot begin behind the newest version")
		}
	case fromTime:
		var err error
		if r.start, err = firstSince(ctx, e, latest, from); err != nil {
			return r, err
		}
	}
	to, toTime := spec.To.Instant()
	switch v, byNumber := spec.To.Number(); {
	case byNumber:
		r.end = min(v, newest)
	case toTime:
		var err error
		if r.end, err = snapshot.VersionAt(ctx, e, latest.Bucket(), to); err != nil {
			return r, err
		}
	}
	switch {
	case after != nil && r.end < r.start:
		r.end = r.start - 1 // the consumer is there already
	case r.end == r.start-1 && fromTime && toTime && !from.After(to):
		// No commit lies between the two times.
	case r.end < r.start:
		return r, &Error{Class: classRange, Table: latest.Bucket().URL(), From: r.start, To: r.end, Version: r.start,
			Why: "the range ends before it begins"}
	}
	return r, nil
}

// firstSince is the first version committed at or after a time, to the millisecond.
func firstSince(ctx context.Context, e *env.Env, latest *snapshot.Snapshot, t time.Time) (int64, error) {
	v, err := snapshot.VersionAt(ctx, e, latest.Bucket(), t.Truncate(time.Millisecond).Add(-time.Millisecond))
	var none *snapshot.VersionError
	switch {
	case errors.As(err, &none) && none.Class == "DELTA_TIMESTAMP_EARLIER_THAN_COMMIT_RETENTION":
		return none.Earliest, nil
	case err != nil && !errors.As(err, &none):
		return 0, err
	case err != nil || v >= latest.Version():
		return 0, notFound(ctx, latest, "the version at "+t.UTC().Format(time.RFC3339Nano), "DELTA_TIMESTAMP_GREATER_THAN_COMMIT",
			"no version was committed at or after that time; the newest is of "+latest.Timestamp().UTC().Format(time.RFC3339Nano))
	}
	return v + 1, nil
}

// notFound tells which versions there are.
func notFound(ctx context.Context, latest *snapshot.Snapshot, wanted, class, why string) error {
	out := &snapshot.VersionError{Table: latest.Bucket().URL(), Wanted: wanted, Earliest: latest.Version(), Latest: latest.Version(), Class: class, Why: why}
	for f, err := range deltalog.List(ctx, latest.Bucket(), 0) {
		if err != nil {
			return errors.Join(out, err)
		}
		if f.Kind == deltalog.Commit {
			out.Earliest = f.Version
			break
		}
	}
	return out
}
