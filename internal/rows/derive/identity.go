package derive

import (
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/sluicelake/sluice/types"
)

// Keys of field metadata (PROTOCOL.md, Identity Columns).
const (
	KeyIdentityStart    = "delta.identity.start"
	KeyIdentityStep     = "delta.identity.step"
	KeyIdentityHigh     = "delta.identity.highWaterMark"
	KeyIdentityExplicit = "delta.identity.allowExplicitInsert"
)

// IsIdentity reports whether new rows get a generated number in the column, and
// whether they may bring one of their own instead.
func IsIdentity(f types.Field) (is, explicit bool) {
	_, is = f.Metadata.Int(KeyIdentityStart)
	raw, _ := f.Metadata.Raw(KeyIdentityExplicit)
	return is, string(raw) == "true"
}

// Identities generates the numbers of a table's identity columns, each beyond
// the mark that the table keeps. The marks of a statement that does not commit
// are lost with it, and another writer's come first when it was faster: then the
// statement runs again.
type Identities struct {
	table *types.Struct
	next  map[int]int64 // by ordinal
	used  map[int]bool  // columns that numbers were taken of
}

// NewIdentities begins behind the marks of a schema; nil when it has no identity
// column.
func NewIdentities(table *types.Struct) (*Identities, error) {
	var out *Identities
	for i, f := range table.Fields {
		start, ok := f.Metadata.Int(KeyIdentityStart)
		if !ok {
			continue
		}
		step, ok := f.Metadata.Int(KeyIdentityStep)
		if !ok || step == 0 || f.Type != types.Long {
			return nil, fmt.Errorf("the identity column %s of the table is broken: type %s, step %d; it has to be bigint with a step other than 0", types.QuoteIdentifier(f.Name), f.Type, step)
		}
		if out == nil {
			out = &Identities{table: table, next: map[int]int64{}, used: map[int]bool{}}
		}
		out.next[i] = start
		if high, ok := f.Metadata.Int(KeyIdentityHigh); ok {
			// The mark need not lie on the sequence: another writer may have set it.
			if n := (high - start) / step; n > 0 || n == 0 && (high == start || (high > start) == (step > 0)) {
				out.next[i] = start + (n+1)*step
			}
		}
	}
	return out, nil
}

// Is reports whether the column at an ordinal is generated here.
func (d *Identities) Is(i int) bool {
	if d == nil {
		return false
	}
	_, ok := d.next[i]
	return ok
}

// Values are the next numbers of the column at an ordinal.
func (d *Identities) Values(i, rows int) (arrow.Array, error) {
	step, _ := d.table.Fields[i].Metadata.Int(KeyIdentityStep)
	out := array.NewInt64Builder(memory.DefaultAllocator)
	out.Reserve(rows)
	at := d.next[i]
	for range rows {
		out.UnsafeAppend(at)
		if step > 0 && at > math.MaxInt64-step || step < 0 && at < math.MinInt64-step {
			return nil, fmt.Errorf("[DELTA_IDENTITY_COLUMNS_OVERFLOW] the identity column %s has run out of numbers at %d", types.QuoteIdentifier(d.table.Fields[i].Name), at)
		}
		at += step
	}
	d.next[i] = at
	d.used[i] = d.used[i] || rows > 0
	return out.NewArray(), nil
}

// Marked is a schema with the marks moved behind the numbers that were given;
// false when none was.
func (d *Identities) Marked(schema *types.Struct) (*types.Struct, bool) {
	if d == nil || len(d.used) == 0 {
		return schema, false
	}
	fields := append([]types.Field(nil), schema.Fields...)
	for i := range d.used {
		step, _ := d.table.Fields[i].Metadata.Int(KeyIdentityStep)
		fields[i].Metadata = fields[i].Metadata.With(KeyIdentityHigh, d.next[i]-step)
	}
	return types.NewStruct(fields...), true
}
