package read

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

// Task is a share of a plan that somebody else can execute, with nothing but the
// data files: the log is not read again. It can be run any number of times.
type Task struct {
	plan  *Plan
	bytes int64
}

const (
	// fileCost is what opening a file costs, in bytes read instead.
	fileCost = 256 << 10
	// taskBytes is the size of a task unless something else is asked for.
	taskBytes = 128 << 20
	// taskFiles bounds a task of empty files.
	taskFiles = 4096
)

// Tasks shares the kept files out, each task about as many bytes of them; 0 is
// 128 MB. A file that is larger is parted by rows when the log says how many it
// has. A limit holds for each task alone.
func (p *Plan) Tasks(bytes int64) iter.Seq[*Task] {
	if bytes <= 0 {
		bytes = taskBytes
	}
	return func(yield func(*Task) bool) {
		var shares []scan.Share
		size := int64(0)
		flush := func() bool {
			if len(shares) == 0 {
				return true
			}
			t := p.task(shares, size)
			shares, size = nil, 0
			return yield(t)
		}
		for share, rows := range p.sized() {
			cost := max(share.Add.Size, 0) + fileCost
			if n := min((cost+bytes-1)/bytes, rows); n > 1 {
				for i := range n {
					part := scan.Share{Add: share.Add, Rows: []scan.Range{{Start: rows / n * i, End: rows / n * (i + 1)}}}
					if i == n-1 { // a file may have more rows than the log says
						part.Rows[0].End = math.MaxInt64
					}
					if !yield(p.task([]scan.Share{part}, cost/n)) {
						return
					}
				}
				continue
			}
			if len(shares) > 0 && size+cost > bytes || len(shares) == taskFiles {
				if !flush() {
					return
				}
			}
			shares, size = append(shares, share), size+cost
		}
		flush()
	}
}

func (p *Plan) task(shares []scan.Share, bytes int64) *Task {
	own := *p
	own.snap, own.pruner, own.shares = nil, nil, shares
	return &Task{&own, bytes}
}

// sized yields the kept files with their numbers of rows, 0 when the log does not say.
func (p *Plan) sized() iter.Seq2[scan.Share, int64] {
	return func(yield func(scan.Share, int64) bool) {
		if p.snap == nil {
			for _, s := range p.shares {
				if !yield(s, 0) {
					return
				}
			}
			return
		}
		files := p.snap.Files()
		for i := range files.Select(p.pruner) {
			add := files.Bare(i)
			if !p.admit(add).Keep {
				continue
			}
			rows, _ := files.NumRecords(i)
			if !yield(scan.Share{Add: add}, rows) {
				return
			}
		}
	}
}

// Table is the address of the table.
func (t *Task) Table() string { return t.plan.t.url }

// Version is the version of the table.
func (t *Task) Version() int64 { return t.plan.t.version }

// Schema is the schema of the rows.
func (t *Task) Schema() *types.Struct { return t.plan.schema }

// Files is the number of data files, and Bytes about what they hold.
func (t *Task) Files() int { return len(t.plan.shares) }

// Bytes estimates what is read.
func (t *Task) Bytes() int64 { return t.bytes }

// Rows executes the task on the table that lies in a bucket. Files elsewhere are
// refused unless the environment allows them.
func (t *Task) Rows(ctx context.Context, e *env.Env, b *storage.Bucket) iter.Seq2[arrow.RecordBatch, error] {
	own, table := *t.plan, *t.plan.t
	table.source.Bucket = b
	if e.Outside != nil {
		table.source.Outside = e.Outside.Find
	}
	own.t = &table
	return own.Rows(ctx, e)
}

// newTask binds what a task says.
func newTask(h header, p *action.Protocol, md *action.Metadata, adds []*action.Add) (*Task, error) {
	if err := feature.CheckRead(p); err != nil {
		return nil, err
	}
	schema, err := feature.Schema(md)
	if err != nil {
		return nil, err
	}
	cols, err := feature.Mapping(md, schema)
	if err != nil {
		return nil, err
	}
	zone, ok := civil.Zone(h.Zone)
	if !ok {
		return nil, fmt.Errorf("task: %q is no time zone here", h.Zone)
	}
	spec := Spec{Columns: h.Columns, Limit: h.Limit, Options: expr.Options{Now: h.Now, Legacy: h.Legacy, TimeZone: zone}}
	if h.Where != "" {
		if spec.Where, err = expr.Parse(h.Where); err != nil {
			return nil, err
		}
	}
	plan, err := newPlan(newTable(h.Table, h.Version, md, p, scan.Source{Columns: cols}), spec)
	if err != nil {
		return nil, err
	}
	for i, a := range adds {
		share := scan.Share{Add: a}
		for _, r := range h.Rows {
			if r.File == i {
				share.Rows = append(share.Rows, scan.Range{Start: r.From, End: r.To})
			}
		}
		plan.shares = append(plan.shares, share)
	}
	return &Task{plan, h.Bytes}, nil
}

// readable keeps of the metadata what reading needs: properties may hold what is
// nobody's business.
func readable(md *action.Metadata) *action.Metadata {
	out := &action.Metadata{ID: md.ID, Format: action.Format{Provider: md.Format.Provider}, SchemaString: md.SchemaString,
		PartitionColumns: slices.Clone(md.PartitionColumns), Configuration: map[string]string{}}
	for k, v := range md.Configuration {
		if strings.HasPrefix(k, "delta.columnMapping.") || strings.HasPrefix(k, "delta.rowTracking.") || k == "delta.enableRowTracking" {
			out.Configuration[k] = v
		}
	}
	return out
}
