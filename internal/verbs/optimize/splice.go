package optimize

import (
	"context"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/rows/write"
)

// Row groups that are smaller have pages that are too small to be kept: copying them
// saves work once and costs each reader more.
const (
	leastGroupRows  = 8192
	leastGroupBytes = 256 << 10
)

// splice joins the files of a bin without decoding their rows. It reports false,
// having done nothing, when one of them does not allow it.
func (m *mover) splice(ctx context.Context, j *job) (done bool, err error) {
	if !worthCopying(j.bin.Files) {
		return false, nil
	}
	w, err := write.NewJoiner(ctx, m.env, m.snap.Bucket(), m.spec, j.inputs[0].file)
	if err != nil {
		return false, err
	}
	o := &output{}
	told := int64(0)
	for _, in := range j.inputs {
		ok, err := m.spliceFile(ctx, w, in, o)
		if err != nil || !ok {
			w.Abort()
			for _, in := range j.inputs {
				in.runs = nil
			}
			if m.done != nil {
				m.done(-told)
			}
			return false, err
		}
		if m.done != nil {
			m.done(in.file.Size)
			told += in.file.Size
		}
	}
	if o.file, err = w.Close(ctx); err != nil {
		return false, err
	}
	j.outputs = append(j.outputs, o)
	return true, nil
}

// worthCopying judges by what the log says of the files.
func worthCopying(files []*action.Add) bool {
	var rows, bytes int64
	for _, a := range files {
		n, ok := colstats.NumRecords(a.Stats)
		if !ok || a.DeletionVector != nil {
			return false
		}
		rows += n
		bytes += a.Size
	}
	n := int64(len(files))
	return rows/n >= leastGroupRows || bytes/n >= leastGroupBytes
}

func (m *mover) spliceFile(ctx context.Context, w *write.Joiner, in *input, o *output) (ok bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	f, closer, err := scan.Open(ctx, m.src, in.file)
	if err != nil {
		return false, err
	}
	defer closer()
	if groups := int64(f.RowGroups()); groups > 1 && f.Rows()/groups < leastGroupRows && in.file.Size/groups < leastGroupBytes {
		return false, nil
	}
	if w.Fits(f, in.file) != nil {
		return false, nil
	}
	at, err := w.Add(ctx, f, in.file)
	if err != nil {
		return false, err
	}
	in.written(o, at, f.Rows())
	return true, nil
}
