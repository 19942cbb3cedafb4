package sluice

import (
	"context"
	"iter"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/read"
	"github.com/sluicelake/sluice/types"
)

// Task is a share of a scan that another process can execute: it names the data
// files, or rows of one, with all that is needed to read them, and the columns
// and the condition of the scan. The log is not read again, and a task can be
// executed any number of times. As bytes it holds no credentials.
type Task struct{ t *read.Task }

// TaskOptions say how a scan is shared out.
type TaskOptions struct {
	// Bytes of data files that a task reads, about; 0 is 128 MB. A larger file is
	// parted by its rows.
	Bytes int64
}

// TaskError is text that is no task, or none that this engine can execute.
type TaskError = read.TaskError

// Tasks plans the scan and shares it out. Together the tasks yield the rows of the
// scan, each once; a limit holds for each task alone. Tasks are made one by one,
// so that a plan takes little memory.
func (c *Scan) Tasks(ctx context.Context, o TaskOptions) iter.Seq2[*Task, error] {
	return func(yield func(*Task, error) bool) {
		p, err := c.plan()
		if err != nil {
			yield(nil, err)
			return
		}
		if x := txn.Active(ctx); x != nil && x.Log() == c.s.t.log {
			x.RecordRead(conflict.Read{Clause: "scan", Predicate: p.Where()}, slices.Collect(p.Kept())...)
		}
		for t := range p.Tasks(o.Bytes) {
			if err := ctx.Err(); err != nil {
				yield(nil, c.fail(err))
				return
			}
			if !yield(&Task{t}, nil) {
				return
			}
		}
	}
}

// ParseTask decodes a task that MarshalBinary encoded, on any machine.
func ParseTask(data []byte) (*Task, error) {
	t, err := read.ParseTask(data)
	if err != nil {
		return nil, mark(err)
	}
	return &Task{t}, nil
}

// MarshalBinary encodes the task.
func (t *Task) MarshalBinary() ([]byte, error) { return t.t.MarshalBinary() }

// Table is the address of the table's root.
func (t *Task) Table() string { return t.t.Table() }

// Version is the version of the table that is read.
func (t *Task) Version() int64 { return t.t.Version() }

// Schema is the schema of the rows.
func (t *Task) Schema() *types.Struct { return t.t.Schema() }

// Files is the number of data files.
func (t *Task) Files() int { return t.t.Files() }

// Bytes estimates the bytes to read.
func (t *Task) Bytes() int64 { return t.t.Bytes() }

// Batches executes the task: the rows, in no order. The options are those of Open;
// WithBucket chooses the place itself, where the address in a task is not to be
// trusted. Nothing outside of the root is read unless WithOutside allows it.
func (t *Task) Batches(ctx context.Context, opts ...Option) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		c := configure(opts)
		b, err := c.open(ctx, t.Table())
		if err != nil {
			yield(nil, mark(err))
			return
		}
		if c.bucket == nil {
			defer b.Close()
		}
		if err := c.outside(b.URL()); err != nil {
			yield(nil, mark(err))
			return
		}
		if c.env.Outside != nil {
			defer c.env.Outside.Close()
		}
		for batch, err := range t.t.Rows(ctx, c.env, b) {
			if err != nil {
				yield(nil, mark(&OpError{Op: "task on", Table: t.Table(), Version: t.Version(), Err: err}))
				return
			}
			if !yield(batch, nil) {
				return
			}
		}
	}
}
