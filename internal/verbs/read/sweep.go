package read

import (
	"context"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/inflight"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// The operations by which a VACUUM tells the log that it deletes files, and that it
// is done.
const (
	vacuumStart = "VACUUM START"
	vacuumEnd   = "VACUUM END"
)

const (
	// abandoned is the age from which a VACUUM without an end counts as dead.
	abandoned = 24 * time.Hour
	// firstLook is how many commits are read at first; more when they are all young.
	firstLook = 64
)

type image struct{ path, vector string }

func imageOf(path string, d *action.DeletionVector) image {
	if d == nil {
		return image{path: path}
	}
	return image{path, d.ID()}
}

// Unguarded are those of the files of an older version that VACUUM may delete at
// any time: they are not live, and nothing says that they were removed within the
// retention.
func Unguarded(now *snapshot.Snapshot, files []*action.Add) (out []*action.Add) {
	if len(files) == 0 {
		return nil
	}
	limit := now.Env().Now().Add(-feature.DeletedFileRetention(now.Metadata())).UnixMilli()
	guarded := map[image]bool{}
	for r := range now.Tombstones() {
		if r.DeletionTimestamp != nil && *r.DeletionTimestamp >= limit {
			guarded[imageOf(r.Path, r.DeletionVector)] = true
		}
	}
	live := now.Files()
	for _, a := range files {
		id := imageOf(a.Path, a.DeletionVector)
		if _, ok := live.Find(id.path, id.vector); !ok && !guarded[id] {
			out = append(out, a)
		}
	}
	return out
}

// Sweeps says whether a version is the VACUUM START of another process. A VACUUM of
// this process spares what is under way here.
func Sweeps(s *snapshot.Snapshot, info *action.CommitInfo) bool {
	return info != nil && info.Operation == vacuumStart && (info.TxnID == nil || !inflight.Announced(s.Bucket().URL(), *info.TxnID))
}

// Sweeping looks for a VACUUM that began within a day and has not ended, and says at
// which version it began. What it deletes it has decided by that version. One of this
// process counts if own is set.
func Sweeping(ctx context.Context, now *snapshot.Snapshot, own bool) (version int64, running bool, err error) {
	young := now.Env().Now().Add(-abandoned)
	for n := firstLook; ; n *= 8 {
		list, err := History(ctx, now.Bucket(), n)
		if err != nil {
			return 0, false, err
		}
		ended := 0
		for _, c := range list { // the newest first
			switch {
			case c.Timestamp.Before(young):
				return 0, false, nil
			case c.Err != nil || c.Version > now.Version():
			case c.Info.Operation == vacuumEnd:
				ended++
			case c.Info.Operation == vacuumStart && ended > 0:
				ended--
			case c.Info.Operation == vacuumStart && (own || Sweeps(now, c.Info)):
				return c.Version, true, nil
			}
		}
		if len(list) < n {
			return 0, false, nil
		}
	}
}
