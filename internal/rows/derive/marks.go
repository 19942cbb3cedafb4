package derive

import (
	"slices"
	"strings"

	"github.com/sluicelake/sluice/types"
)

// KeepMarks carries the marks of identity columns from the latest schema of a
// table into an older one, where they are further along: a number that was given
// is not given again.
func KeepMarks(old, latest *types.Struct) (out *types.Struct, changed bool) {
	out = &types.Struct{Fields: slices.Clone(old.Fields)}
	for i, f := range out.Fields {
		step, ok := f.Metadata.Int(KeyIdentityStep)
		if !ok {
			continue
		}
		j := slices.IndexFunc(latest.Fields, func(g types.Field) bool { return strings.EqualFold(g.Name, f.Name) })
		if j < 0 {
			continue
		}
		high, ok := latest.Fields[j].Metadata.Int(KeyIdentityHigh)
		if !ok {
			continue
		}
		if was, marked := f.Metadata.Int(KeyIdentityHigh); !marked || (high-was)*step > 0 {
			out.Fields[i].Metadata, changed = f.Metadata.With(KeyIdentityHigh, high), true
		}
	}
	return out, changed
}
