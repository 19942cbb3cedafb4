package optimize

import (
	"context"

	"github.com/sluicelake/sluice/internal/rows/cluster"
	"github.com/sluicelake/sluice/internal/table/feature"
)

// sort writes the rows along a curve. Where each row went is remembered only
// where rows can be marked as deleted: otherwise the work is done again when a
// winner has deleted some.
func (m *mover) sort(ctx context.Context, j *job) error {
	told := int64(0)
	c := cluster.Job{Snapshot: m.snap, Env: m.env.Share(m.share), Files: j.bin.Files, By: j.bin.Sort.By, Curve: j.bin.Sort.Curve, Target: m.target,
		Place: feature.DeletionVectorsEnabled(m.snap.Protocol(), m.snap.Metadata())}
	if m.done != nil {
		c.Progress = func(_, bytes int64) {
			m.done(bytes - told)
			told = bytes
		}
	}
	r, err := cluster.Run(ctx, c)
	if err != nil {
		return err
	}
	j.place = r.Place
	for _, o := range r.Outputs {
		if j.bin.Cube != nil {
			j.bin.Cube.mark(o.Add)
		}
		j.outputs = append(j.outputs, &output{file: o})
	}
	if m.done != nil {
		m.done(j.bin.Bytes - told)
	}
	return nil
}
