package clone

import (
	"context"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/table/clones"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/read"
)

// register enters a shallow clone at its source, before its commit as pending, and
// after it. A source that cannot be written to still can be cloned: its owner has to
// know of the clone then.
func (w *work) register(ctx context.Context, pending bool) error {
	return clones.Register(ctx, w.spec.Source.Bucket(), clones.Entry{Clone: w.Log.Bucket().URL(), TableID: w.metadata.ID,
		Source: w.spec.Source.Version(), Created: w.Log.Env().Now().UnixMilli(), Pending: pending})
}

// there looks for those files of an older version that VACUUM may have deleted, or
// may be deleting: those that are live, or were removed within the retention, are
// safe.
func (w *work) there(ctx context.Context) error {
	src := w.spec.Source
	now, err := snapshot.Load(ctx, src.Env(), src.Bucket(), snapshot.Latest())
	if err != nil || now.Version() == src.Version() {
		return err
	}
	files := src.Files()
	all := make([]*action.Add, 0, files.Len())
	for i := range files.All() {
		all = append(all, files.Add(i))
	}
	loose := read.Unguarded(now, all)
	if len(loose) == 0 {
		return nil
	}
	at, running, err := read.Sweeping(ctx, now, true)
	switch {
	case err != nil:
		return err
	case running:
		return refuse("SLUICE_CLONE_DURING_VACUUM", "version %d of %s has files that are older than the retention, and a VACUUM that began at version %d may be deleting them: "+
			"wait for its VACUUM END, or clone a newer version", src.Version(), src.Bucket().URL(), at)
	}
	missing, err := read.Absent(ctx, src, loose)
	if err == nil && len(missing) > 0 {
		err = refuse("SLUICE_CLONE_MISSING_FILES", "version %d of %s cannot be cloned: %d of its data files are gone (VACUUM deletes those of old versions), for example %s; clone a newer version",
			src.Version(), src.Bucket().URL(), len(missing), missing[0])
	}
	return err
}
