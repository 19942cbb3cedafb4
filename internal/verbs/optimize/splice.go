package optimize

import (
	"bytes"
	"context"

	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/format/parquetio"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/rows/write"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
)

// Row groups that are smaller have pages that are too small to be kept: copying them
// saves work once and costs each reader more.
const (
	leastGroupRows  = 8192
	leastGroupBytes = 256 << 10
)

// Files that cannot be copied are written again in memory, so many bytes at a time,
// and may be that part of a bin.
const (
	misfitBytes = 32 << 20
	misfitShare = 3
)

// splicer joins the files of one bin.
type splicer struct {
	m       *mover
	j       *job
	w       *write.Joiner
	out     *output
	misfits []*input // that wait to be written again, together
	waiting int64    // bytes of these
	again   int64    // bytes of all that were written again
	told    int64    // to the progress
	stuck   bool     // what was written again does not fit either
}

// splice joins the files of a bin without decoding their rows, save for a few that
// do not allow it. It reports false, having done nothing, when these are too many.
func (m *mover) splice(ctx context.Context, j *job) (done bool, err error) {
	if !worthCopying(j.bin) {
		return false, nil
	}
	s := &splicer{m: m, j: j, out: &output{}}
	if s.w, err = write.NewJoiner(ctx, m.env, m.snap.Bucket(), m.spec, j.inputs[0].file); err != nil {
		return false, err
	}
	if done, err = s.all(ctx); err != nil || !done {
		s.w.Abort()
		for _, in := range j.inputs {
			in.runs = nil
		}
		if m.done != nil {
			m.done(-s.told)
		}
		return false, err
	}
	if s.out.file, err = s.w.Close(ctx); err != nil {
		return false, err
	}
	j.outputs = append(j.outputs, s.out)
	return true, nil
}

// worthCopying judges by what the log says of the files.
func worthCopying(b *Bin) bool {
	var rows, misfits int64
	for _, a := range b.Files {
		n, ok := colstats.NumRecords(a.Stats)
		if !ok || a.DeletionVector != nil {
			misfits += a.Size
		}
		rows += n
	}
	n := int64(len(b.Files))
	return misfits*misfitShare <= b.Bytes && (rows/n >= leastGroupRows || b.Bytes/n >= leastGroupBytes)
}

// all joins the files in their order.
func (s *splicer) all(ctx context.Context) (ok bool, err error) {
	for _, in := range s.j.inputs {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		fits, err := s.copy(ctx, in)
		if err != nil || s.stuck {
			return false, err
		}
		if fits {
			continue
		}
		s.misfits = append(s.misfits, in)
		s.waiting += in.file.Size
		if s.again += in.file.Size; s.again*misfitShare > s.j.bin.Bytes {
			return false, nil
		}
		if s.waiting >= misfitBytes {
			if ok, err := s.encode(ctx); err != nil || !ok {
				return false, err
			}
		}
	}
	return s.encode(ctx)
}

// copy joins one file, behind those that wait, if it fits.
func (s *splicer) copy(ctx context.Context, in *input) (fits bool, err error) {
	if in.file.DeletionVector != nil {
		return false, nil
	}
	f, closer, err := scan.Open(ctx, s.m.src, in.file)
	if err != nil {
		return false, err
	}
	defer closer()
	if groups := int64(f.RowGroups()); groups > 1 && f.Rows()/groups < leastGroupRows && in.file.Size/groups < leastGroupBytes {
		return false, nil
	}
	if s.w.Fits(f, in.file) != nil {
		return false, nil
	}
	if ok, err := s.encode(ctx); err != nil || !ok {
		return false, err
	}
	at, err := s.w.Add(ctx, f, in.file)
	if err != nil {
		return false, err
	}
	in.written(s.out, at, f.Rows())
	if s.m.done != nil {
		s.m.done(in.file.Size)
	}
	s.told += in.file.Size
	return true, nil
}

// encode writes the files that wait again, in memory, and joins the result.
func (s *splicer) encode(ctx context.Context) (ok bool, err error) {
	if len(s.misfits) == 0 {
		return true, nil
	}
	b := storage.NewBucket(memory.New())
	spec := s.m.spec
	spec.TargetSize = 1 << 40 // all of it becomes one file, memory permitting
	w, err := write.New(ctx, s.m.env, b, spec)
	if err != nil {
		return false, err
	}
	aside, byFile := &job{bin: s.j.bin}, map[*write.Output]*output{}
	for _, in := range s.misfits {
		copied := &input{file: in.file, dead: in.dead}
		aside.inputs = append(aside.inputs, copied)
		if err := s.m.copyFile(ctx, w, aside, copied, byFile); err != nil {
			w.Abort()
			return false, err
		}
		s.told += in.file.Size
	}
	if _, err := w.Close(); err != nil {
		w.Abort()
		return false, err
	}
	places := map[*output]int64{}
	for _, o := range aside.outputs {
		data, _, err := b.Get(ctx, o.file.Path)
		if err != nil {
			return false, err
		}
		f, err := parquetio.Open(bytes.NewReader(data), int64(len(data)), parquetio.OpenOptions{Name: o.file.Path})
		if err != nil {
			return false, err
		}
		if s.w.Fits(f, o.file.Add) != nil {
			s.stuck = true
			return false, nil
		}
		if places[o], err = s.w.Add(ctx, f, o.file.Add); err != nil {
			return false, err
		}
	}
	for i, in := range s.misfits {
		for _, r := range aside.inputs[i].runs {
			in.written(s.out, places[r.to]+r.at, r.rows)
		}
	}
	s.misfits, s.waiting = nil, 0
	return true, nil
}
