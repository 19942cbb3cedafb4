package cluster

import (
	"context"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/sluicelake/sluice/internal/rows/write"
)

// Placement says where each row of the inputs went: for each row of the outputs,
// in their order, the input file and the physical row that it came from.
type Placement struct {
	outputs []*write.Output
	from    []uint64 // by row of the outputs one after the other: file of Job.Files, physical row
}

// rowBits are the bits of a physical row in an origin; those above are the file.
const rowBits = 40

func origin(file int, row int64) uint64 { return uint64(file)<<rowBits | uint64(row) }

// Find translates physical rows of input files, by index in Job.Files, to rows of
// outputs. Rows that were not moved, because they had been deleted, lead nowhere.
func (p *Placement) Find(_ context.Context, rows map[int]*roaring64.Bitmap) (map[*write.Output]*roaring64.Bitmap, error) {
	out := map[*write.Output]*roaring64.Bitmap{}
	at := p.from
	for _, o := range p.outputs {
		for i, from := range at[:o.Rows] {
			if b := rows[int(from>>rowBits)]; b != nil && b.Contains(from&(1<<rowBits-1)) {
				if out[o] == nil {
					out[o] = roaring64.New()
				}
				out[o].Add(uint64(i))
			}
		}
		at = at[o.Rows:]
	}
	return out, nil
}
