package write

import (
	"context"
	"fmt"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/format/parquetio"
	"github.com/sluicelake/sluice/internal/format/partition"
	"github.com/sluicelake/sluice/storage"
)

// Joiner writes one data file that holds the rows of others of its partition,
// whose pages are copied where that is possible.
type Joiner struct {
	env     *env.Env
	bucket  *storage.Bucket
	layout  *layout
	out     *Output
	values  action.PartitionValues
	sink    *sink
	splicer *parquetio.Splicer
	stats   []string
}

// NewJoiner prepares a file for the partition of another. Nothing is stored before
// there are rows.
func NewJoiner(ctx context.Context, e *env.Env, b *storage.Bucket, spec Spec, like *action.Add) (*Joiner, error) {
	l, err := newLayout(e, spec)
	if err != nil {
		return nil, err
	}
	j := &Joiner{env: e, bucket: b, layout: l, values: like.PartitionValues, out: &Output{}}
	if j.values == nil {
		j.values = action.PartitionValues{}
	}
	w := &Writer{env: e, layout: l}
	var folders []string
	for _, c := range l.partitions {
		text := ""
		if v := j.values[c.physical]; v != nil {
			text = *v
		}
		folders = append(folders, partition.Folder(c.logical, text, text == ""))
	}
	j.out.Path = w.path(strings.Join(folders, "/"), 0)
	j.sink = &sink{ctx: ctx, b: b, key: j.out.Path, small: l.small}
	j.splicer, err = parquetio.NewSplicer(j.sink, l.file, l.options)
	return j, err
}

// Fits says why a file cannot be joined to others; nil when it can be.
func (j *Joiner) Fits(f *parquetio.File, a *action.Add) error {
	if a.DeletionVector != nil {
		return fmt.Errorf("rows of it are deleted")
	}
	if n, ok := colstats.NumRecords(a.Stats); !ok || n != f.Rows() {
		return fmt.Errorf("its statistics do not say how many rows it has")
	}
	if _, ok := colstats.Merge(j.layout.leaves, j.layout.tightBounds, a.Stats); !ok {
		return fmt.Errorf("its statistics are not exact")
	}
	if err := j.splicer.Fits(f); err != nil {
		return err
	}
	n := len(j.layout.file.Fields)
	for _, c := range j.layout.file.Fields[n-j.layout.optional:] { // ids that are not stored would change with the place
		if !f.NoNulls(c.Name) {
			return fmt.Errorf("it does not store the row ids of all rows")
		}
	}
	return nil
}

// Add takes in a file that fits, which may be closed afterwards. It reports where
// its rows begin in the output.
func (j *Joiner) Add(ctx context.Context, f *parquetio.File, a *action.Add) (at int64, err error) {
	at = j.out.Rows
	if err := j.splicer.Add(ctx, f); err != nil {
		return 0, err
	}
	j.out.Rows += f.Rows()
	j.stats = append(j.stats, a.Stats)
	return at, nil
}

// Close completes the file and makes it visible. After an error nothing is left behind.
func (j *Joiner) Close(ctx context.Context) (*Output, error) {
	info, err := j.splicer.Close(ctx)
	if err == nil {
		err = j.sink.commit()
	}
	if err != nil {
		j.Abort()
		return nil, fmt.Errorf("write %s: %w", j.out.Path, err)
	}
	stats, _ := colstats.Merge(j.layout.leaves, j.layout.tightBounds, j.stats...)
	j.out.Bytes = info.Bytes
	j.out.Add = &action.Add{Path: partition.EscapePath(j.out.Path), PartitionValues: j.values, Size: info.Bytes,
		ModificationTime: j.env.Now().UnixMilli(), DataChange: j.layout.dataChange, Stats: stats}
	return j.out, nil
}

// Abort ends the joiner and deletes what is visible of its file.
func (j *Joiner) Abort() {
	j.sink.abort()
	if j.sink.put {
		Discard(context.WithoutCancel(j.sink.ctx), j.bucket, j.out)
	}
}
