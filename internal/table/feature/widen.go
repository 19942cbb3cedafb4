package feature

import "github.com/sluicelake/sluice/types"

// Widens reports whether a column of one type may be given the other while files
// keep values of the first (PROTOCOL.md, Type Widening, Supported Type Changes).
func Widens(from, to types.Type) bool {
	whole := map[types.Type]int{types.Byte: 1, types.Short: 2, types.Integer: 3, types.Long: 4}
	digits := map[types.Type]int{types.Byte: 10, types.Short: 10, types.Integer: 10, types.Long: 20}
	if d, ok := to.(types.Decimal); ok {
		switch f := from.(type) {
		case types.Decimal:
			return f != d && d.Scale >= f.Scale && d.Precision-d.Scale >= f.Precision-f.Scale
		case types.Primitive:
			need, ok := digits[f]
			return ok && d.Precision-d.Scale >= need
		}
		return false
	}
	switch {
	case whole[from] > 0 && whole[to] > whole[from]:
		return true
	case to == types.Double:
		return from == types.Float || whole[from] > 0 && from != types.Long
	}
	return from == types.Date && to == types.TimestampNTZ
}

// RecordChange notes in the metadata of a field that its type, or the one at a
// path of element, key and value below it, was changed.
func RecordChange(m types.Metadata, from, to types.Type, path string) types.Metadata {
	return withChanges(m, []typeChange{{From: typeName(from), To: typeName(to), Path: path}})
}
