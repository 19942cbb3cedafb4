package optimize

import (
	"context"
	"fmt"
	"slices"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/internal/rows/rewrite"
	"github.com/sluicelake/sluice/internal/rows/write"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/inflight"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
)

// work is the jobs of one commit as the commit loop sees them.
type work struct {
	m         *mover
	plan      *Plan
	note      string
	predicate expr.Expr // bound; nil: none
	jobs      []*job
	written   []*write.Output  // every file, wanted or not
	vectors   map[string]int64 // every file of deletion vectors, with its bytes
	sum       Summary
}

// Depends states the images that are replaced. A new file is of no concern: the
// next OPTIMIZE takes it.
func (w *work) Depends() txn.Dependencies {
	d := txn.Dependencies{Files: map[conflict.FileID]*action.Add{}, Repairable: true, Rebindable: true, Reference: w.reference}
	for _, j := range w.jobs {
		for _, in := range j.inputs {
			d.Files[in.id()] = in.file
		}
	}
	return d
}

// reference states the reads as delta-spark records them.
func (w *work) reference(*conflict.Winner) txn.Recorded {
	return txn.Recorded{Reads: []conflict.Read{{Clause: "the statement", Predicate: w.predicate}}, Files: w.Depends().Files}
}

// Effects derives the commit.
func (w *work) Effects(ctx context.Context) (txn.Effects, error) {
	if err := w.settle(ctx); err != nil {
		return txn.Effects{}, err
	}
	now := w.m.env.Now().UnixMilli()
	var removes, adds []action.Action
	w.sum = Summary{}
	for _, j := range w.jobs {
		for _, in := range j.inputs {
			r := rewrite.RemoveOf(in.file, now)
			r.DataChange = false
			removes = append(removes, r)
			w.sum.removed(in.file)
		}
		for _, o := range j.outputs {
			if o.add != nil {
				adds = append(adds, o.add)
				w.sum.added(o.add)
			}
		}
	}
	return txn.Effects{Actions: append(adds, removes...), Operation: w.operation()}, nil
}

// settle decides how each output goes into the commit. Rows that winners deleted
// are marked; the marks of all outputs go into one file.
func (w *work) settle(ctx context.Context) error {
	var rows []*roaring64.Bitmap
	var marked []*output
	for _, j := range w.jobs {
		for _, o := range j.outputs {
			switch {
			case o.settled:
			case o.live() == o.file.Rows:
				o.add, o.settled = o.file.Add, true
			case o.live() <= 0:
				o.add, o.settled = nil, true
			default:
				rows, marked = append(rows, o.dropped), append(marked, o)
			}
		}
	}
	if len(rows) == 0 {
		return nil
	}
	bucket := w.m.snap.Bucket()
	stored, err := dv.StoreWith(ctx, bucket, dv.StoreOptions{NewID: w.m.env.NewID, Prefix: w.m.env.Letters(feature.RandomPrefix(w.m.snap.Metadata()))}, rows)
	for i, key := range stored.Keys {
		if w.vectors == nil {
			w.vectors = map[string]int64{}
		}
		w.vectors[key] = stored.Sizes[i]
	}
	inflight.Wrote(bucket.URL(), stored.Keys...)
	if err != nil {
		return fmt.Errorf("writing deletion vectors: %w", err)
	}
	for i, o := range marked {
		a := *o.file.Add
		a.DeletionVector = stored.Vectors[i]
		a.Stats = colstats.Loosen(a.Stats, o.file.Rows)
		o.add, o.settled = &a, true
	}
	return nil
}

// Repair fits the jobs behind a winner: rows that it deleted are deleted in the
// outputs, files that it removed are no inputs any more.
func (w *work) Repair(ctx context.Context, v conflict.Verdict, at *snapshot.Snapshot) (txn.Repaired, error) {
	var r txn.Repaired
	if _, err := w.plan.Spec.sorting(at); err != nil { // the winner clustered the table
		return r, err
	}
	w.m.snap = at
	again := map[*job]bool{}
	for _, id := range v.Dropped {
		if j, in := w.find(id); in != nil {
			r.Dropped++
			n, err := w.lose(ctx, j, in, again)
			if err != nil {
				return r, err
			}
			r.Rows += n
		}
	}
	for _, m := range v.Remarked {
		j, in := w.find(m.Before)
		if in == nil {
			continue
		}
		r.Dropped++
		n, err := w.remark(ctx, j, in, m.After, again)
		if err != nil {
			return r, err
		}
		r.Rows += n
	}
	for _, j := range slices.Clone(w.jobs) {
		if len(j.inputs) == 0 || again[j] && !w.worth(j) {
			w.jobs = slices.DeleteFunc(w.jobs, func(x *job) bool { return x == j })
			continue
		}
		if !again[j] {
			continue
		}
		n, err := w.redo(ctx, j)
		if err != nil {
			return r, err
		}
		r.Computed += n
	}
	return r, nil
}

// marks reports whether rows may be marked in deletion vectors.
func (w *work) marks() bool {
	return feature.DeletionVectorsEnabled(w.m.snap.Protocol(), w.m.snap.Metadata())
}

// lose takes an input away that is no longer in the table. Its rows are marked in
// the outputs when they are few; otherwise the job is done again without it.
func (w *work) lose(ctx context.Context, j *job, in *input, again map[*job]bool) (n int64, err error) {
	j.inputs = slices.DeleteFunc(slices.Clone(j.inputs), func(x *input) bool { return x == in })
	lost, all := in.live(), int64(0)
	for _, o := range j.outputs {
		all += o.live()
	}
	if j.place == nil && w.marks() && lost*4 <= all && len(j.inputs) > 1 {
		in.forget()
	} else {
		again[j] = true
	}
	return lost, nil
}

// remark fits an input to the same file with more rows deleted.
func (w *work) remark(ctx context.Context, j *job, in *input, after *action.Add, again map[*job]bool) (int64, error) {
	is, err := w.vector(ctx, after)
	if err != nil {
		return 0, err
	}
	was, err := w.vector(ctx, in.file)
	if err != nil {
		return 0, err
	}
	in.file = after
	if roaring64.AndNot(was, is).GetCardinality() > 0 { // rows came back
		again[j] = true
		return 0, nil
	}
	gone := roaring64.AndNot(is, was)
	if gone.IsEmpty() {
		return 0, nil
	}
	if !w.marks() {
		again[j] = true
		return int64(gone.GetCardinality()), nil
	}
	return j.delete(ctx, in, gone)
}

func (w *work) vector(ctx context.Context, a *action.Add) (*roaring64.Bitmap, error) {
	if a.DeletionVector == nil {
		return roaring64.New(), nil
	}
	return w.m.src.Vector(ctx, a, a.DeletionVector)
}

// worth reports whether what is left of a job is still to be done.
func (w *work) worth(j *job) bool {
	if len(j.inputs) > 1 {
		return true
	}
	a := j.inputs[0].file
	if j.bin.Sort != nil || a.DeletionVector != nil {
		return true
	}
	return w.plan.Spec.Purge
}

// redo carries a job out again for the inputs that are left.
func (w *work) redo(ctx context.Context, j *job) (files int, err error) {
	b := *j.bin
	b.Files, b.Bytes = nil, 0
	for _, in := range j.inputs {
		b.add(in.file)
	}
	m := newMover(w.m.env, w.m.snap, w.m.target, nil)
	next, err := m.move(ctx, &b)
	if err != nil {
		return 0, err
	}
	w.written = append(w.written, next.files()...)
	*j = *next
	return len(b.Files), nil
}

func (w *work) find(id conflict.FileID) (*job, *input) {
	for _, j := range w.jobs {
		for _, in := range j.inputs {
			if in.id() == id {
				return j, in
			}
		}
	}
	return nil, nil
}

// wanted names the files that are part of the commit as last derived.
func (w *work) wanted() map[string]bool {
	wanted := map[string]bool{}
	for _, j := range w.jobs {
		for _, o := range j.outputs {
			if o.add == nil {
				continue
			}
			wanted[o.add.Path] = true
			if o.add.DeletionVector != nil {
				if at, err := dv.Locate(o.add.DeletionVector, w.m.snap.Bucket().URL()); err == nil {
					wanted[at.Key] = true
				}
			}
		}
	}
	return wanted
}

// Written counts the bytes that were written, and those in files that the commit
// does not have.
func (w *work) Written() (all, superseded int64) {
	wanted := w.wanted()
	for _, f := range w.written {
		all += f.Bytes
		if f.Add == nil || !wanted[f.Add.Path] {
			superseded += f.Bytes
		}
	}
	for key, bytes := range w.vectors {
		all += bytes
		if !wanted[key] {
			superseded += bytes
		}
	}
	return all, superseded
}

// discard deletes what was written and is not part of the commit. It does what it
// can; what remains is VACUUM's.
func (w *work) discard(ctx context.Context, committed bool) {
	bucket, wanted := w.m.snap.Bucket(), map[string]bool{}
	if committed {
		wanted = w.wanted()
	}
	for _, f := range w.written {
		if f.Add == nil || !wanted[f.Add.Path] {
			write.Discard(ctx, bucket, f)
		}
	}
	for key := range w.vectors {
		if !wanted[key] {
			_ = bucket.Delete(ctx, key)
		}
	}
}
