package alter

import (
	"context"
	"encoding/json"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/internal/rows/derive"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/verbs/create"
	"github.com/sluicelake/sluice/types"
)

// SyncIdentity is ALTER COLUMN ... SYNC IDENTITY: the next generated number of an
// identity column comes behind all that the table holds, those that were given by
// hand included (PROTOCOL.md, Identity Columns). It never goes back.
type SyncIdentity struct{ Column string }

func (c SyncIdentity) apply(ctx context.Context, d *draft) error {
	i, err := find(d.schema, c.Column, []string{c.Column})
	if err != nil {
		return err
	}
	f := d.schema.Fields[i]
	if is, _ := derive.IsIdentity(f); !is {
		return refuse("DELTA_IDENTITY_COLUMNS_ALTER_NON_IDENTITY_COLUMN", "%s is no identity column", types.QuoteIdentifier(f.Name))
	}
	start, _ := f.Metadata.Int(create.KeyIdentityStart)
	step, _ := f.Metadata.Int(create.KeyIdentityStep)
	last, found, err := c.outermost(ctx, d, i, step > 0)
	if err != nil {
		return err
	}
	high, known := f.Metadata.Int(derive.KeyIdentityHigh)
	if found && ahead(last, start, step) {
		if n := aligned(last, start, step); !known || ahead(n, high, step) {
			high, known = n, true
		}
	}
	s := types.NewStruct(append([]types.Field(nil), d.schema.Fields...)...)
	if known {
		f.Metadata = f.Metadata.With(derive.KeyIdentityHigh, high)
	}
	s.Fields[i] = f
	d.schema = s
	d.reads = append(d.reads, conflict.Read{Clause: "SYNC IDENTITY"})
	b, err := json.Marshal(shownField(f))
	if err != nil {
		return err
	}
	d.describe("CHANGE COLUMN", map[string]json.RawMessage{"column": text(string(b))})
	return nil
}

// outermost is the greatest number of a column, or the least one.
func (c SyncIdentity) outermost(ctx context.Context, d *draft, ordinal int, greatest bool) (out int64, found bool, err error) {
	files := d.snap.Files()
	for i := range files.All() {
		for b, err := range scan.File(ctx, d.snap.Env(), scan.SourceOf(d.snap), files.Add(i), scan.Options{Columns: []int{ordinal}}) {
			if err != nil {
				return 0, false, err
			}
			values, ok := b.Columns[ordinal].(*array.Int64)
			if !ok {
				continue
			}
			for row := range values.Len() {
				if values.IsNull(row) {
					continue
				}
				if v := values.Value(row); !found || (v > out) == greatest && v != out {
					out, found = v, true
				}
			}
		}
	}
	return out, found, nil
}

// ahead reports whether a number comes after another, or is it, in the direction
// of the step.
func ahead(a, b, step int64) bool {
	if step > 0 {
		return a >= b
	}
	return a <= b
}

// aligned is the first number of the sequence that is not before n, which is not
// before the start.
func aligned(n, start, step int64) int64 {
	over := (n - start) % step
	if over == 0 {
		return n
	}
	if next := n - over + step; ahead(next, n, step) {
		return next
	}
	return n // the sequence ends before the next number
}
