package scan

import (
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/internal/format/parquetio"
	"github.com/sluicelake/sluice/internal/format/partition"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/types"
)

// plan is how the files of a table become batches.
type plan struct {
	cols   *feature.Columns
	opts   Options
	query  parquetio.Query
	want   []bool                 // by ordinal: a column of the result
	parts  map[int]arrow.Array    // constant columns by ordinal, of the longest batch so far
	values map[int]any            // their values
	retype map[int]arrow.DataType // nested columns with other names inside
	filter expr.Expr              // what of the filter depends on rows; nil: nothing
	first  []int                  // the columns that it needs
	fails  bool                   // the filter can give an error for a row
	empty  bool                   // no row of the file can satisfy the filter
	live   []int32
}

func newPlan(c *feature.Columns, add *action.Add, o Options) (*plan, error) {
	p := &plan{cols: c, opts: o, want: make([]bool, len(c.Logical.Fields)), parts: map[int]arrow.Array{}, values: map[int]any{}, retype: map[int]arrow.DataType{}}
	p.query = parquetio.Query{Schema: c.Physical, Columns: []int{}, ByID: c.Mode == feature.MappingID, Batch: o.Batch, Rows: coarse(o.Rows)}
	for i, f := range c.Logical.Fields {
		if o.Columns != nil && !slices.Contains(o.Columns, i) {
			continue
		}
		p.want[i] = true
		if k := slices.Index(c.PartitionOrdinals, i); k >= 0 {
			v, err := partitionValue(add, c.PartitionPhysical[k], f)
			if err != nil {
				return nil, err
			}
			p.values[i] = v
			continue
		}
		p.query.Columns = append(p.query.Columns, i)
		if err := p.rename(i); err != nil {
			return nil, err
		}
	}
	p.query.Batch = p.fewer(p.query.Batch)
	if o.Filter != nil {
		if err := p.judge(add); err != nil {
			return nil, err
		}
	}
	skip := p.opts.Predicate
	if p.filter != nil {
		if skip == nil {
			skip = p.filter
		} else {
			skip = expr.And(skip, p.filter)
		}
	}
	p.query.Predicate = dataPart(skip, c.PartitionOrdinals)
	return p, nil
}

// fewer bounds the rows of a batch by what the text of partition values, repeated
// in each of them, takes.
func (p *plan) fewer(batch int) int {
	each := 0
	for _, v := range p.values {
		switch x := v.(type) {
		case string:
			each += len(x)
		case []byte:
			each += len(x)
		}
	}
	if most := max(1, (64<<20)/max(each, 1)); most < 1<<16 && (batch <= 0 || batch > most) {
		return most
	}
	return batch
}

// rename gives a nested column the names of the table.
func (p *plan) rename(i int) error {
	f := p.cols.Logical.Fields[i]
	if p.cols.Mode == feature.MappingNone || !types.IsNested(f.Type) {
		return nil
	}
	dt, err := columns.ArrowType(f.Type)
	p.retype[i] = dt
	return err
}

// partitionValue parses the value of a partition column (PROTOCOL.md, Partition
// Value Serialization). A column that is not named is NULL.
func partitionValue(add *action.Add, physical string, f types.Field) (any, error) {
	text, ok := add.PartitionValues[physical]
	if !ok || text == nil {
		return nil, nil
	}
	v, err := partition.Parse(*text, f.Type)
	if err != nil {
		return nil, fmt.Errorf("partition column %s: %w", types.QuoteIdentifier(f.Name), err)
	}
	return v, nil
}

// dataPart is what of a predicate can be judged by the columns of a file.
func dataPart(e expr.Expr, partitions []int) expr.Expr {
	if e == nil || len(partitions) == 0 {
		return e
	}
	var keep []expr.Expr
	for _, c := range expr.Conjuncts(e) {
		if !slices.ContainsFunc(expr.Refs(c), func(o int) bool { return slices.Contains(partitions, o) }) {
			keep = append(keep, c)
		}
	}
	if len(keep) == 0 {
		return nil
	}
	return expr.And(keep...)
}

// coarse joins ranges that lie close together: a long batch with some rows too
// many is cheaper than many short ones.
func coarse(rows []Range) []parquetio.RowRange {
	const near = 4096
	if rows == nil {
		return nil
	}
	out := []parquetio.RowRange{}
	for _, r := range rows {
		if n := len(out); n > 0 && r.Start <= out[n-1].End+near {
			out[n-1].End = max(out[n-1].End, r.End)
			continue
		}
		out = append(out, parquetio.RowRange(r))
	}
	return out
}

// alive selects the rows of a batch that are wanted and not deleted.
func (p *plan) alive(c *dv.Cursor, first int64, n int, dst []int32) (sel []int32, all bool) {
	sel, all = c.Live(first, n, dst)
	if p.opts.Rows == nil {
		return sel, all
	}
	live := sel
	var out []int32
	at, _ := slices.BinarySearchFunc(p.opts.Rows, first, func(r Range, row int64) int {
		if r.End <= row {
			return -1
		}
		return 1
	})
	for _, r := range p.opts.Rows[at:] {
		if r.Start >= first+int64(n) {
			break
		}
		from, to := int32(max(r.Start-first, 0)), int32(min(r.End-first, int64(n)))
		for i := from; i < to; i++ {
			if all {
				out = append(out, i)
				continue
			}
			for len(live) > 0 && live[0] < i {
				live = live[1:]
			}
			if len(live) > 0 && live[0] == i {
				out = append(out, i)
			}
		}
	}
	return out, false
}

// finish adds what the file does not hold and drops what only the filter needed.
func (p *plan) finish(add *action.Add, b parquetio.Batch) Batch {
	out := Batch{Add: add, Columns: b.Columns, Rows: b.Rows}
	for i, c := range out.Columns {
		switch dt := p.retype[i]; {
		case !p.want[i]:
			out.Columns[i] = nil
		case c != nil && dt != nil:
			out.Columns[i] = columns.Retype(c, dt)
		}
	}
	for i := range p.values {
		out.Columns[i] = p.constant(i, out.Rows)
	}
	if p.opts.Positions {
		out.Positions = make([]int64, out.Rows)
		for i := range out.Positions {
			out.Positions[i] = b.First + int64(i)
			if b.Picked != nil {
				out.Positions[i] = b.First + int64(b.Picked[i])
			}
		}
	}
	return out
}

// constant is n rows of a partition column.
func (p *plan) constant(i, n int) arrow.Array {
	c := p.parts[i]
	if c == nil || c.Len() < n {
		c = columns.Constant(p.values[i], p.cols.Logical.Fields[i].Type, n)
		p.parts[i] = c
	}
	if c.Len() > n {
		c = array.NewSlice(c, 0, int64(n))
	}
	return c
}
