package optimize

import (
	"context"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/rows/cluster"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/rows/write"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// job is a bin that is carried out.
type job struct {
	bin     *Bin
	inputs  []*input
	outputs []*output
	place   *cluster.Placement // of a sorted bin, in place of the runs of its inputs
}

// mover rewrites bins on one version of a table.
type mover struct {
	env    *env.Env
	snap   *snapshot.Snapshot
	src    scan.Source
	spec   write.Spec
	target int64
	done   func(bytes int64)
	share  int // bins that are carried out side by side
}

func newMover(e *env.Env, s *snapshot.Snapshot, target int64, done func(int64)) *mover {
	m := &mover{env: e, snap: s, src: scan.SourceOf(s), spec: write.SpecOf(s), target: target, done: done}
	m.spec.Rearranged, m.spec.Optimized = true, false // bins are written side by side
	m.spec.TargetSize = target + target/2             // sizes are estimates: one bin is to become one file
	if m.spec.RowIDs {
		m.src.Columns = m.src.Columns.WithRowColumns(s.Metadata())
	}
	return m
}

// move writes the rows of a bin again. After an error nothing is left behind.
func (m *mover) move(ctx context.Context, b *Bin) (*job, error) {
	j := &job{bin: b}
	for _, a := range b.Files {
		in := &input{file: a}
		if a.DeletionVector != nil {
			var err error
			if in.dead, err = m.src.Vector(ctx, a, a.DeletionVector); err != nil {
				return nil, err
			}
		}
		j.inputs = append(j.inputs, in)
	}
	if b.Sort != nil {
		return j, m.sort(ctx, j)
	}
	ok, err := m.splice(ctx, j)
	if !ok && err == nil {
		err = m.encode(ctx, j)
	}
	if err == nil && b.Cube != nil {
		for _, o := range j.outputs {
			b.Cube.mark(o.file.Add)
		}
	}
	return j, err
}

// encode reads the rows and writes them.
func (m *mover) encode(ctx context.Context, j *job) error {
	w, err := write.New(ctx, m.env, m.snap.Bucket(), m.spec)
	if err != nil {
		return err
	}
	byFile := map[*write.Output]*output{}
	for _, in := range j.inputs {
		if err := m.copyFile(ctx, w, j, in, byFile); err != nil {
			w.Abort()
			return err
		}
	}
	if _, err := w.Close(); err != nil {
		w.Abort()
		return err
	}
	return nil
}

func (m *mover) copyFile(ctx context.Context, w *write.Writer, j *job, in *input, byFile map[*write.Output]*output) error {
	n := len(m.snap.Schema().Fields)
	rows, told := int64(0), int64(0)
	total := max(1, in.file.Size)
	for b, err := range scan.File(ctx, m.env, m.src, in.file, scan.Options{Positions: m.spec.RowIDs}) {
		if err != nil {
			return err
		}
		cols := b.Columns
		if m.spec.RowIDs {
			cols = append(b.Columns[:n:n], scan.RowIDs(b, b.Columns[n]), scan.RowVersions(b, b.Columns[n+1]))
		}
		places, err := w.Write(cols, b.Rows)
		if err != nil {
			return err
		}
		for _, p := range places { // one partition: in the order of the input
			o := byFile[p.File]
			if o == nil {
				o = &output{file: p.File}
				byFile[p.File] = o
				j.outputs = append(j.outputs, o)
			}
			in.written(o, p.FileRow, int64(p.Rows))
		}
		rows += int64(b.Rows)
		if all := liveRows(in.file); all > 0 && m.done != nil {
			at := min(total, total*rows/all)
			m.done(at - told)
			told = at
		}
	}
	if m.done != nil {
		m.done(in.file.Size - told)
	}
	return nil
}

// delete takes rows of inputs out of the outputs.
func (j *job) delete(ctx context.Context, in *input, rows *roaring64.Bitmap) (n int64, err error) {
	if j.place == nil {
		return in.delete(rows), nil
	}
	for i, x := range j.inputs {
		if x != in {
			continue
		}
		found, err := j.place.Find(ctx, map[int]*roaring64.Bitmap{i: rows})
		if err != nil {
			return 0, err
		}
		for _, o := range j.outputs {
			if b := found[o.file]; b != nil {
				if o.dropped == nil {
					o.dropped = roaring64.New()
				}
				o.dropped.Or(b)
				o.settled = false
				n += int64(b.GetCardinality())
			}
		}
	}
	return n, nil
}

// files are those that the job wrote.
func (j *job) files() []*write.Output {
	out := make([]*write.Output, len(j.outputs))
	for i, o := range j.outputs {
		out[i] = o.file
	}
	return out
}

// liveRows is what the statistics say, 0 when they do not.
func liveRows(a *action.Add) int64 {
	n, ok := colstats.NumRecords(a.Stats)
	if !ok {
		return 0
	}
	if a.DeletionVector != nil {
		n -= a.DeletionVector.Cardinality
	}
	return n
}
