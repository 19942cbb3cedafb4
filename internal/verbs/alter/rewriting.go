package alter

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/rows/rewrite"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/rows/write"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/types"
)

// rewriting is data files to be written again, with the same rows.
type rewriting struct {
	pick      func(a *action.Add) (bool, error) // which files; nil: all
	after     *snapshot.Snapshot                // how the new files are written; nil: as the old ones
	actions   []action.Action                   // that go with them
	operation txn.Operation
	always    bool // commit even when there is no file
}

// rewriteFiles writes files of the newest version again. Behind a winner it
// begins anew.
func rewriteFiles(ctx context.Context, l *txn.Log, o Options, plan func(s *snapshot.Snapshot) (rewriting, error)) error {
	return commitWork(ctx, l, func(s *snapshot.Snapshot) (txn.Work, error) {
		r, err := plan(s)
		if err != nil {
			return nil, err
		}
		return newRewritten(ctx, l, s, r)
	})
}

// commitWork commits the work that make derives from the newest version, once
// more from the start whenever a winner is in the way.
func commitWork(ctx context.Context, l *txn.Log, derive func(s *snapshot.Snapshot) (txn.Work, error)) error {
	var last error
	for range maxRuns {
		t, err := l.Begin(ctx)
		if err != nil {
			return err
		}
		w, err := derive(t.Snapshot())
		if err != nil {
			t.Abandon()
			return err
		}
		res, err := t.CommitWork(ctx, w, txn.Options{})
		var unknown *txn.UnknownError
		if d, ok := w.(interface{ discard(context.Context) }); ok && !res.Committed && !errors.As(err, &unknown) {
			d.discard(context.WithoutCancel(ctx))
		}
		var lost *conflict.Error
		if last = err; err == nil && !res.Again || err != nil && !errors.As(err, &lost) {
			return err
		}
	}
	if last == nil {
		last = refuse("DELTA_METADATA_CHANGED", "the metadata of %s changed %d times while its files were written again", l.Bucket().URL(), maxRuns)
	}
	return last
}

// rewritten is files that have been written again, as the commit loop sees them.
type rewritten struct {
	r       rewriting
	log     *txn.Log
	outs    []*write.Output
	read    map[conflict.FileID]*action.Add
	metrics map[string]string
	acts    []action.Action
}

func newRewritten(ctx context.Context, l *txn.Log, s *snapshot.Snapshot, r rewriting) (*rewritten, error) {
	if r.after == nil {
		r.after = s
	}
	w := &rewritten{r: r, log: l, read: map[conflict.FileID]*action.Add{}}
	spec := write.SpecOf(r.after)
	spec.Rearranged = true
	out, err := write.New(ctx, l.Env(), l.Bucket(), spec)
	if err != nil {
		return nil, err
	}
	src := scan.SourceOf(s)
	if spec.RowIDs {
		src.Columns = src.Columns.WithRowColumns(s.Metadata())
	}
	if err := w.copy(ctx, s, src, spec.RowIDs, out); err != nil {
		out.Abort()
		return nil, err
	}
	if w.outs, err = out.Close(); err != nil {
		return nil, err
	}
	w.finish()
	return w, nil
}

// copy writes the live rows of the files.
func (w *rewritten) copy(ctx context.Context, s *snapshot.Snapshot, src scan.Source, ids bool, out *write.Writer) error {
	files := s.Files()
	n := len(s.Schema().Fields)
	for i := range files.All() {
		a := files.Add(i)
		if w.r.pick != nil {
			if wanted, err := w.r.pick(a); err != nil || !wanted {
				if err != nil {
					return err
				}
				continue
			}
		}
		w.read[conflict.IDOf(a)] = a
		for b, err := range scan.File(ctx, w.log.Env(), src, a, scan.Options{Positions: ids}) {
			if err != nil {
				return err
			}
			cols := b.Columns
			if ids {
				cols = append(b.Columns[:n:n], scan.RowIDs(b, b.Columns[n]), scan.RowVersions(b, b.Columns[n+1]))
			}
			if _, err := out.Write(cols, b.Rows); err != nil {
				return err
			}
		}
	}
	return nil
}

// finish derives the actions and counts what they do.
func (w *rewritten) finish() {
	now := w.log.Env().Now().UnixMilli()
	var added, removed, vectors int64
	w.acts = slices.Clone(w.r.actions)
	for _, id := range sortedIDs(w.read) {
		a := w.read[id]
		r := rewrite.RemoveOf(a, now)
		r.DataChange = false
		w.acts = append(w.acts, r)
		removed += a.Size
		if a.DeletionVector != nil {
			vectors++
		}
	}
	for _, o := range w.outs {
		w.acts = append(w.acts, o.Add)
		added += o.Add.Size
	}
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	sizes := make([]int64, len(w.outs))
	for i, o := range w.outs {
		sizes[i] = o.Add.Size
	}
	slices.Sort(sizes)
	w.metrics = map[string]string{"numRemovedFiles": n(int64(len(w.read))), "numRemovedBytes": n(removed), "numAddedFiles": n(int64(len(w.outs))),
		"numAddedBytes": n(added), "numDeletionVectorsRemoved": n(vectors)}
	for name, share := range map[string]int{"minFileSize": 0, "p25FileSize": 25, "p50FileSize": 50, "p75FileSize": 75, "maxFileSize": 100} {
		if len(sizes) > 0 {
			w.metrics[name] = n(sizes[min(len(sizes)*share/100, len(sizes)-1)])
		}
	}
}

func sortedIDs(m map[conflict.FileID]*action.Add) []conflict.FileID {
	out := make([]conflict.FileID, 0, len(m))
	for id := range m {
		out = append(out, id)
	}
	slices.SortFunc(out, func(a, b conflict.FileID) int {
		switch {
		case a.Path < b.Path || a.Path == b.Path && a.DV < b.DV:
			return -1
		case a == b:
			return 0
		}
		return 1
	})
	return out
}

// Depends: on the files, and when the schema of files changes on all of them,
// those that a winner adds included.
func (w *rewritten) Depends() txn.Dependencies {
	d := txn.Dependencies{Files: w.read, Reads: []conflict.Read{{Clause: "rewrite"}}, Rebindable: true}
	d.Whole = w.r.pick == nil
	if !d.Whole && len(w.read) == 0 {
		d.Reads = nil
	}
	return d
}

func (w *rewritten) Effects(context.Context) (txn.Effects, error) {
	op := w.r.operation
	op.Metrics = w.metrics
	if op.Name == removesMapping { // of which the reference tells this alone
		op.Metrics = map[string]string{"numOutputBytes": w.metrics["numAddedBytes"]}
	}
	return txn.Effects{Actions: w.acts, Operation: op, Always: w.r.always}, nil
}

func (w *rewritten) Repair(context.Context, conflict.Verdict, *snapshot.Snapshot) (txn.Repaired, error) {
	return txn.Repaired{}, nil
}

func (w *rewritten) discard(ctx context.Context) { write.Discard(ctx, w.log.Bucket(), w.outs...) }

// reorg names a commit that writes files again.
func reorg(purge bool, o Options) txn.Operation {
	return txn.Operation{Name: "REORG", Parameters: map[string]json.RawMessage{"predicate": text("[]"), "applyPurge": json.RawMessage(strconv.FormatBool(purge))},
		UserMetadata: o.UserMetadata}
}

// hasOldTypes reports whether a file has values in other types than the table.
func hasOldTypes(ctx context.Context, s *snapshot.Snapshot, a *action.Add) (bool, error) {
	have, err := scan.FileSchema(ctx, scan.SourceOf(s), a)
	if err != nil {
		return false, err
	}
	return differs(have, s.Columns().Physical), nil
}

// differs reports whether a type in a file is another than in the table; what the
// file lacks does not differ.
func differs(have, want types.Type) bool {
	switch w := want.(type) {
	case *types.Struct:
		h, ok := have.(*types.Struct)
		if !ok {
			return true
		}
		for _, f := range h.Fields {
			if x, ok := w.Field(f.Name); ok && differs(f.Type, x.Type) {
				return true
			}
		}
		return false
	case *types.Array:
		h, ok := have.(*types.Array)
		return !ok || differs(h.Element, w.Element)
	case *types.Map:
		h, ok := have.(*types.Map)
		return !ok || differs(h.Key, w.Key) || differs(h.Value, w.Value)
	}
	return !types.Equal(have, want)
}
