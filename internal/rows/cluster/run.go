package cluster

import (
	"context"
	"slices"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/rows/write"
	"github.com/sluicelake/sluice/internal/table/feature"
)

// Run writes the rows of the job's files again. After an error nothing is left
// behind.
func Run(ctx context.Context, j Job) (*Result, error) {
	t, err := newTask(j)
	if err != nil {
		return nil, err
	}
	res := &Result{Outputs: []*write.Output{}}
	var from []uint64
	for _, files := range t.partitions() {
		p := newPart(t, files)
		outs, err := p.run(ctx)
		if err != nil {
			for _, o := range res.Outputs {
				write.Discard(context.WithoutCancel(ctx), j.Snapshot.Bucket(), o)
			}
			return nil, err
		}
		for _, o := range outs {
			res.Outputs = append(res.Outputs, o)
			res.Rows += o.Rows
		}
		from = append(from, p.from...)
	}
	if j.Place {
		res.Place = &Placement{outputs: res.Outputs, from: from}
	}
	return res, nil
}

// task is a job and what all its partitions share.
type task struct {
	Job
	src    scan.Source
	spec   write.Spec
	by     []keyColumn
	memory budget
	told   progress
}

func newTask(j Job) (*task, error) {
	t := &task{Job: j, src: scan.SourceOf(j.Snapshot), spec: write.SpecOf(j.Snapshot), memory: budgetOf(j.Env)}
	t.spec.Rearranged, t.spec.Optimized = true, false // files are written side by side
	if t.Target <= 0 {
		t.Target = feature.TargetFileSize(j.Snapshot.Metadata())
	}
	if t.Target <= 0 {
		t.Target = 128 << 20
	}
	if t.spec.RowIDs {
		t.src.Columns = t.src.Columns.WithRowColumns(j.Snapshot.Metadata())
	}
	var err error
	if t.by, err = keyColumns(j.Snapshot.Schema(), j.By); err != nil {
		return nil, err
	}
	t.told = progress{tell: j.Progress}
	for _, a := range j.Files {
		t.told.bytes += a.Size
	}
	return t, nil
}

// partitions groups the files, by index, in the order in which partitions come up.
func (t *task) partitions() (out [][]int) {
	numbers := map[string]int{}
	for i, a := range t.Files {
		key := partitionKey(a)
		n, ok := numbers[key]
		if !ok {
			n = len(out)
			numbers[key], out = n, append(out, nil)
		}
		out[n] = append(out[n], i)
	}
	return out
}

// partitionKey is equal for the files of one partition.
func partitionKey(a *action.Add) string {
	names := make([]string, 0, len(a.PartitionValues))
	for name := range a.PartitionValues {
		names = append(names, name)
	}
	slices.Sort(names)
	var key []byte
	for _, name := range names {
		key = append(append(key, name...), 0)
		if v := a.PartitionValues[name]; v != nil {
			key = append(append(key, 1), *v...)
		}
		key = append(key, 0)
	}
	return string(key)
}
