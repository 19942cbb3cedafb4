package prune

import (
	"slices"
	"sort"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/types"
)

// Keys are the values that a column must equal one of, for example the keys of
// a MERGE source. A file is dropped when no key lies in the range of its column.
type Keys struct {
	t      *table
	column scalar
	by     By
	reason string
	ints   []int64          // sorted, when the column's values are integers of some kind
	texts  []string         // sorted, for strings
	values []colstats.Value // sorted, for the rest
	class  colstats.Class
}

// NewKeys collects the keys for the column with that ordinal. NULL keys match
// nothing. ok is false when files cannot be judged by the column: its type has
// no statistics, or the values are of another type.
func NewKeys(ordinal int, values arrow.Array, schema *types.Struct, partitionColumns []string, physical ...*types.Struct) (k Keys, ok bool) {
	if ordinal < 0 || ordinal >= len(schema.Fields) {
		return Keys{}, false
	}
	f := schema.Fields[ordinal]
	dt, err := columns.ArrowType(f.Type)
	if err != nil || !arrow.TypeEqual(dt, values.DataType()) {
		return Keys{}, false
	}
	k.t = newTable(schema, partitionColumns, physical)
	k.class = colstats.ClassOf(f.Type)
	name := types.QuoteIdentifier(f.Name)
	if place := k.t.partition[ordinal]; place >= 0 {
		k.by, k.reason = Partition, "no key equals the partition's "+name
		k.column = func(s *state) interval { return *s.partitionValue(place, f.Type) }
	} else {
		leaf := k.t.leaf([]int{ordinal})
		if leaf < 0 || !colstats.HasBounds(f.Type) {
			return Keys{}, false
		}
		k.by, k.reason = Statistics, "no key lies in the file's range of "+name
		k.column = func(s *state) interval { return s.leafInterval(leaf) }
	}
	k.t.decoder = colstats.NewDecoder(k.t.leaves)
	return k, k.collect(values, f.Type)
}

func (k *Keys) collect(values arrow.Array, t types.Type) bool {
	switch x := values.(type) {
	case *array.Int8:
		k.ints = integers(x, x.Int8Values())
	case *array.Int16:
		k.ints = integers(x, x.Int16Values())
	case *array.Int32:
		k.ints = integers(x, x.Int32Values())
	case *array.Int64:
		k.ints = integers(x, x.Int64Values())
	case *array.Date32:
		k.ints = integers(x, x.Date32Values())
	case *array.Timestamp:
		k.ints = integers(x, x.TimestampValues())
	case *array.String:
		for i := range x.Len() {
			if x.IsValid(i) {
				k.texts = append(k.texts, x.Value(i))
			}
		}
		slices.Sort(k.texts)
		k.texts = slices.Compact(k.texts)
	default:
		for i := range values.Len() {
			if columns.IsNull(values, i) {
				continue
			}
			v, ok := colstats.Of(columns.Value(values, i), t)
			if !ok {
				return false
			}
			k.values = append(k.values, v)
		}
		sort.Slice(k.values, func(i, j int) bool {
			c, _ := colstats.Compare(k.values[i], k.values[j])
			return c < 0
		})
	}
	return true
}

// integers sorts the values that are not NULL and drops repetitions.
func integers[T ~int8 | ~int16 | ~int32 | ~int64](a arrow.Array, vals []T) []int64 {
	out := make([]int64, 0, len(vals))
	for i, v := range vals {
		if a.IsValid(i) {
			out = append(out, int64(v))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Len is the number of keys that are left to compare with.
func (k Keys) Len() int { return len(k.ints) + len(k.texts) + len(k.values) }

// Keep judges a file.
func (k Keys) Keep(f File) Verdict {
	if k.t == nil {
		return Verdict{Keep: true}
	}
	s := k.t.open(f)
	defer k.t.done(s)
	i := k.column(s)
	if i.value && k.within(&i) {
		return Verdict{Keep: true}
	}
	return Verdict{By: k.by, Reason: k.reason}
}

func (k Keys) within(x *interval) bool {
	switch {
	case len(k.ints) > 0:
		first := 0
		if x.lo.Class == colstats.Int {
			first, _ = slices.BinarySearch(k.ints, x.lo.I)
		}
		return first < len(k.ints) && (x.hi.Class != colstats.Int || k.ints[first] <= x.hi.I)
	case len(k.texts) > 0:
		first := 0
		if x.lo.Class == colstats.Text {
			first, _ = slices.BinarySearch(k.texts, x.lo.S)
		}
		return first < len(k.texts) && (x.hi.Class != colstats.Text || k.texts[first] <= x.hi.S)
	}
	return anyWithin(k.values, x)
}
