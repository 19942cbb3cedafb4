package rewrite

import (
	"context"
	"fmt"
	"sort"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/rows/write"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/inflight"
)

// mark is how a touched file goes into the commit when rows are marked.
type mark struct {
	add *action.Add // nil when no row is left
}

// settled is how an output goes into the commit: as it is, with a deletion
// vector, as files written in its place, or not at all.
type settled struct{ adds []*action.Add }

// Summary counts what the actions do.
type Summary struct {
	FilesAdded, FilesRemoved                     int64
	BytesAdded, BytesRemoved                     int64
	VectorsAdded, VectorsRemoved, VectorsUpdated int64
	RowsCopied                                   int64
	ChangeFiles, ChangeBytes                     int64
}

// Actions settles the ledger and derives the actions: a remove (and, with
// deletion vectors, a re-add) for each touched file, an add for each output,
// and the change data files, which tell of the files added beside, too.
func (l *Ledger) Actions(ctx context.Context, beside ...*action.Add) ([]action.Action, Summary, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.settle(ctx); err != nil {
		return nil, Summary{}, err
	}
	var (
		acts []action.Action
		sum  Summary
	)
	now := l.env.Now().UnixMilli()
	for _, e := range l.touched() {
		acts = append(acts, RemoveOf(e.File, now))
		if !e.Rewritten && !e.Whole && e.mark.add != nil {
			acts = append(acts, e.mark.add)
			if e.File.DeletionVector == nil {
				sum.VectorsAdded++
			} else {
				sum.VectorsUpdated++
			}
			continue
		}
		sum.FilesRemoved++
		sum.BytesRemoved += e.File.Size
		if e.File.DeletionVector != nil {
			sum.VectorsRemoved++
		}
		for _, r := range e.Copied {
			sum.RowsCopied += r.Rows
		}
	}
	for _, o := range l.outputs {
		for _, a := range o.settled.adds {
			acts = append(acts, a)
			sum.FilesAdded++
			sum.BytesAdded += a.Size
		}
	}
	changes, err := l.changeData(ctx, beside)
	if err != nil {
		return nil, Summary{}, err
	}
	for _, f := range changes {
		acts = append(acts, &action.AddCDC{Path: f.Add.Path, PartitionValues: f.Add.PartitionValues, Size: f.Add.Size})
		sum.ChangeFiles++
		sum.ChangeBytes += f.Add.Size
	}
	return acts, sum, nil
}

// touched lists the effects that change their file, by path.
func (l *Ledger) touched() []*Effect {
	var out []*Effect
	for _, e := range l.effects {
		if e.Touched() {
			out = append(out, e)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].File.Path < out[j].File.Path })
	return out
}

// RemoveOf is the remove action for a live file.
func RemoveOf(a *action.Add, deletionTimestamp int64) *action.Remove {
	extended, size := true, a.Size
	return &action.Remove{Path: a.Path, DeletionTimestamp: &deletionTimestamp, DataChange: true, ExtendedFileMetadata: &extended,
		PartitionValues: a.PartitionValues, Size: &size, Stats: a.Stats, Tags: a.Tags, DeletionVector: a.DeletionVector,
		BaseRowID: a.BaseRowID, DefaultRowCommitVersion: a.DefaultRowCommitVersion}
}

// settle brings every mark and every output up to date. The vectors that are
// new go into one file.
func (l *Ledger) settle(ctx context.Context) error {
	var rows []*roaring64.Bitmap
	var done []func(*action.DeletionVector)
	for _, e := range l.touched() {
		if e.Rewritten || e.Whole || e.mark != nil {
			continue
		}
		old, err := l.load(ctx, e.File)
		if err != nil {
			return err
		}
		all := roaring64.Or(old, e.positions())
		if int64(all.GetCardinality()) >= e.Physical {
			e.mark = &mark{}
			continue
		}
		rows = append(rows, all)
		done = append(done, func(d *action.DeletionVector) {
			e.mark = &mark{add: marked(e.File, d, e.Physical)}
		})
	}
	for _, o := range l.outputs {
		switch {
		case o.settled != nil:
		case o.live() == o.file.Rows:
			o.settled = &settled{adds: []*action.Add{o.file.Add}}
		case o.live() == 0:
			o.settled = &settled{}
		case l.marks:
			rows = append(rows, o.dropped)
			done = append(done, func(d *action.DeletionVector) {
				o.settled = &settled{adds: []*action.Add{marked(o.file.Add, d, o.file.Rows)}}
			})
		default:
			s, err := l.without(ctx, o)
			if err != nil {
				return err
			}
			o.settled = s
		}
	}
	if len(rows) == 0 {
		return nil
	}
	stored, err := dv.StoreWith(ctx, l.bucket, dv.StoreOptions{NewID: l.env.NewID, Prefix: l.env.Letters(feature.RandomPrefix(l.spec.Metadata))}, rows)
	for i, key := range stored.Keys {
		l.vectors = append(l.vectors, vectorFile{key, stored.Sizes[i]})
	}
	inflight.Wrote(l.bucket.URL(), stored.Keys...)
	if err != nil {
		return fmt.Errorf("writing deletion vectors: %w", err)
	}
	for i, d := range stored.Vectors {
		done[i](d)
	}
	return nil
}

// marked is a file with a new deletion vector. Bounds of its statistics stay
// valid but are no longer tight.
func marked(a *action.Add, d *action.DeletionVector, physical int64) *action.Add {
	out := *a
	out.DeletionVector = d
	out.DataChange = true
	out.Stats = colstats.Loosen(a.Stats, physical)
	return &out
}

// without writes an output again without its dropped rows.
func (l *Ledger) without(ctx context.Context, o *Output) (*settled, error) {
	w, err := write.New(ctx, l.env, l.bucket, l.spec)
	if err != nil {
		return nil, err
	}
	for batch, err := range scan.File(ctx, l.env, l.src, o.file.Add, scan.Options{Positions: true}) {
		if err != nil {
			w.Abort()
			return nil, fmt.Errorf("rewriting %s: %w", o.file.Add.Path, err)
		}
		var keep []int32
		for i, pos := range batch.Positions {
			if !o.dropped.Contains(uint64(pos)) {
				keep = append(keep, int32(i))
			}
		}
		if len(keep) == 0 {
			continue
		}
		if _, err := w.Write(columns.TakeColumns(batch.Columns, keep), len(keep)); err != nil {
			w.Abort()
			return nil, err
		}
	}
	outs, err := w.Close()
	if err != nil {
		return nil, err
	}
	l.written = append(l.written, outs...)
	s := &settled{}
	for _, out := range outs {
		s.adds = append(s.adds, out.Add)
	}
	return s, nil
}

// wanted names the files that are part of the commit as last derived.
func (l *Ledger) wanted() map[string]bool {
	wanted := map[string]bool{}
	keep := func(a *action.Add) {
		wanted[a.Path] = true
		if a.DeletionVector != nil {
			if at, err := dv.Locate(a.DeletionVector, l.bucket.URL()); err == nil {
				wanted[at.Key] = true
			}
		}
	}
	for _, o := range l.outputs {
		if o.settled != nil {
			for _, a := range o.settled.adds {
				keep(a)
			}
		}
	}
	for _, e := range l.effects {
		if e.mark != nil && e.mark.add != nil {
			keep(e.mark.add)
		}
	}
	for _, g := range l.groups {
		for _, f := range g.files {
			keep(f.Add)
		}
	}
	return wanted
}

// Written is what the statement has written: bytes of data, change data and
// deletion vectors, and how many of them are in files that its commit does not
// have because a repair put others in their place.
func (l *Ledger) Written() (all, superseded int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	wanted := l.wanted()
	count := func(bytes int64, wanted bool) {
		all += bytes
		if !wanted {
			superseded += bytes
		}
	}
	for _, f := range l.written {
		count(f.Bytes, f.Add != nil && wanted[f.Add.Path])
	}
	for _, v := range l.vectors {
		count(v.bytes, wanted[v.key])
	}
	return all, superseded
}

// Discard deletes the files that the statement wrote and that are not part of
// its commit: all of them when it was not committed, those that repairs left
// over when it was. It does what it can; what remains is VACUUM's.
func (l *Ledger) Discard(ctx context.Context, committed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	wanted := map[string]bool{}
	if committed {
		wanted = l.wanted()
	}
	var waste []*write.Output
	for _, f := range l.written {
		if f.Add == nil || !wanted[f.Add.Path] {
			waste = append(waste, f)
		}
	}
	write.Discard(ctx, l.bucket, waste...)
	for _, v := range l.vectors {
		if !wanted[v.key] {
			_ = l.bucket.Delete(ctx, v.key) // what remains is VACUUM's
		}
	}
}
