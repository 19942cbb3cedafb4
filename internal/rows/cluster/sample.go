package cluster

import (
	"context"
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/logic/curve"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/rows/write"
	"github.com/sluicelake/sluice/types"
)

const (
	sampleRows = 1 << 20 // of a partition: some hundred for each range
	stripe     = 4096    // rows of a sample that lie together
	looks      = 5       // files that are looked into for the width of rows
	lookRows   = 2048
)

// survey learns what has to be known before rows are read: how many there are,
// how wide they are, and how their keys are distributed.
func (p *part) survey(ctx context.Context) error {
	physical := make([]int64, len(p.files))
	var total, bytes int64
	for i, f := range p.files {
		a := p.Files[f]
		n, ok := colstats.NumRecords(a.Stats)
		if !ok {
			var err error
			if n, err = scan.PhysicalRows(ctx, p.Env, p.src, a); err != nil {
				return err
			}
		}
		physical[i] = n
		total += n
		if a.DeletionVector != nil {
			n = max(n-a.DeletionVector.Cardinality, 0)
		}
		p.rows += n
		if physical[i] > 0 {
			bytes += int64(float64(a.Size) * float64(n) / float64(physical[i]))
		}
	}
	p.told.expect(p.rows)
	p.outputs = int(max((bytes+p.Target/2)/p.Target, 1))
	width, err := p.width(ctx)
	if err != nil {
		return err
	}
	p.bytes = width * p.rows
	return p.sample(ctx, physical, total)
}

// width is about how many bytes a row takes in memory.
func (p *part) width(ctx context.Context) (int64, error) {
	var rows, bytes int64
	for k := range min(looks, len(p.files)) {
		a := p.Files[p.files[k*len(p.files)/min(looks, len(p.files))]]
		for b, err := range scan.File(ctx, p.Env, p.src, a, scan.Options{Limit: lookRows, Batch: lookRows}) {
			if err != nil {
				return 0, err
			}
			p.constants(b.Columns)
			for _, i := range p.columns {
				bytes += write.Size(b.Columns[i])
			}
			rows += int64(b.Rows)
			break
		}
	}
	return bytes/max(rows, 1) + 16, nil // with the key and the origin
}

// sample reads stripes of the columns of the curve and cuts the curve by them.
func (p *part) sample(ctx context.Context, physical []int64, total int64) error {
	var ts []types.Type
	for _, k := range p.by {
		ts = append(ts, k.t)
	}
	s, err := curve.NewSample(ts)
	if err != nil {
		return err
	}
	shares := func(yield func(scan.Share) bool) {
		every := max(total/sampleRows, 1)
		for i, f := range p.files {
			if !yield(scan.Share{Add: p.Files[f], Rows: stripes(physical[i], every, int64(i))}) {
				return
			}
		}
	}
	o := scan.Options{Columns: p.ordinals()}
	var parts [][]arrow.Array
	for b, err := range scan.Stream(ctx, p.Env, p.src, shares, o) {
		if err != nil {
			return err
		}
		cols := p.keys(b.Columns)
		s.Add(cols)
		parts = append(parts, cols)
	}
	p.curve = s.Curve(p.Curve)
	keys := p.curve.Keys()
	all := make([]uint64, 0, s.Rows())
	for _, cols := range parts {
		all = append(all, keys.Of(cols)...)
	}
	curve.Order(all)
	p.cut(all)
	return nil
}

// stripes are rows of a file, one stripe of every so many; nil: all.
func stripes(rows, every, from int64) (out []scan.Range) {
	if every <= 1 {
		return nil
	}
	for at := from % every * stripe; at < rows; at += every * stripe {
		out = append(out, scan.Range{Start: at, End: min(at+stripe, rows)})
	}
	if out == nil { // a file smaller than the step between stripes
		from := max(rows-stripe, 0)
		out = []scan.Range{{Start: from, End: from + max(min(rows, stripe)/every, 1)}}
	}
	return out
}

// cut divides the curve into pieces that fit into memory; so many of them
// make a file.
func (p *part) cut(keys []uint64) {
	p.work = p.memory.work(p.bytes)
	p.each = int(max((p.bytes/int64(p.outputs)+p.work-1)/p.work, 1))
	for i := 1; i < p.outputs*p.each; i++ {
		if len(keys) == 0 {
			p.cuts = append(p.cuts, 0)
			continue
		}
		p.cuts = append(p.cuts, keys[len(keys)*i/(p.outputs*p.each)])
	}
}

// constants keeps one row of the columns of the partition.
func (p *part) constants(cols []arrow.Array) {
	if p.constant != nil {
		return
	}
	p.constant = make([]arrow.Array, len(cols))
	for _, i := range p.src.Columns.PartitionOrdinals {
		p.constant[i] = columns.Take(cols[i], []int32{0})
	}
}
