package eval

import (
	"math/big"
	"math/rand/v2"
	"sort"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

func init() {
	register(map[string]func(*call) (arrow.Array, error){
		"array_distinct": func(c *call) (arrow.Array, error) {
			return listMap(c, func(a []any) ([]any, error) { return distinct(nil, a), nil })
		},
		"array_compact": func(c *call) (arrow.Array, error) {
			return listMap(c, func(a []any) ([]any, error) { return keepIf(a, func(v any) bool { return v != nil }), nil })
		},
		"array_sort": func(c *call) (arrow.Array, error) {
			return listMap(c, func(a []any) ([]any, error) { return sortedList(a, true, false), nil })
		},
		"shuffle": func(c *call) (arrow.Array, error) {
			return listMap(c, func(a []any) ([]any, error) {
				out := append([]any{}, a...)
				rand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
				return out, nil
			})
		},
		"sort_array": sortArray, "array_max": extremeOf(1), "array_min": extremeOf(-1),
		"array_contains": arrayContains, "array_position": arrayPosition,
		"array_remove": func(c *call) (arrow.Array, error) {
			return listWith(c, func(a []any, v any) ([]any, error) {
				return keepIf(a, func(e any) bool { return e == nil || !sameValue(e, v) }), nil
			})
		},
		"array_append":  growing(func(a []any, v any) []any { return append(append([]any{}, a...), v) }),
		"array_prepend": growing(func(a []any, v any) []any { return append([]any{v}, a...) }),
		"array_insert":  arrayInsert, "array_repeat": arrayRepeat, "slice": slice, "flatten": flatten, "sequence": sequence,
		"array_union": twoLists(func(a, b []any) []any { return distinct(distinct(nil, a), b) }),
		"array_intersect": twoLists(func(a, b []any) []any {
			return distinct(nil, keepIf(a, func(v any) bool { return contains(b, v) }))
		}),
		"array_except": twoLists(func(a, b []any) []any {
			return distinct(nil, keepIf(a, func(v any) bool { return !contains(b, v) }))
		}),
		"arrays_overlap": arraysOverlap, "arrays_zip": arraysZip, "array_join": arrayJoin,
		"map_keys":   func(c *call) (arrow.Array, error) { return overMap(c, func(kv columns.KV) any { return kv.Key }) },
		"map_values": func(c *call) (arrow.Array, error) { return overMap(c, func(kv columns.KV) any { return kv.Value }) },
		"map_entries": func(c *call) (arrow.Array, error) {
			return overMap(c, func(kv columns.KV) any { return []any{kv.Key, kv.Value} })
		},
		"map_contains_key": mapContainsKey, "map_from_arrays": mapFromArrays, "map_from_entries": mapFromEntries, "map_concat": mapConcat, "str_to_map": strToMap,
	})
}

// listMap computes an array from an array.
func listMap(c *call, f func([]any) ([]any, error)) (arrow.Array, error) {
	a := c.any(0)
	return c.boxed(func(i int) (any, error) {
		out, err := f(a(i).([]any))
		if out == nil {
			out = []any{}
		}
		return out, err
	})
}

// listWith computes an array from an array and a value that is not NULL.
func listWith(c *call, f func([]any, any) ([]any, error)) (arrow.Array, error) {
	a, v := c.any(0), c.any(1)
	return c.boxed(func(i int) (any, error) {
		out, err := f(a(i).([]any), v(i))
		if out == nil {
			out = []any{}
		}
		return out, err
	})
}

// growing adds a value, which may be NULL.
func growing(f func([]any, any) []any) func(*call) (arrow.Array, error) {
	return func(c *call) (arrow.Array, error) {
		a, v := c.any(0), c.any(1)
		return makeBoxed(c.out(), c.n, valid(c.n, c.args[0]), func(i int) (any, error) { return f(a(i).([]any), v(i)), nil })
	}
}

func twoLists(f func(a, b []any) []any) func(*call) (arrow.Array, error) {
	return func(c *call) (arrow.Array, error) {
		return listWith(c, func(a []any, b any) ([]any, error) { return f(a, b.([]any)), nil })
	}
}

func keepIf(a []any, f func(any) bool) []any {
	out := make([]any, 0, len(a))
	for _, v := range a {
		if f(v) {
			out = append(out, v)
		}
	}
	return out
}

func contains(a []any, v any) bool {
	for _, e := range a {
		if sameValue(e, v) {
			return true
		}
	}
	return false
}

func distinct(out, a []any) []any {
	for _, v := range a {
		if !contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// sortedList sorts a copy.
func sortedList(a []any, ascending, nullsFirst bool) []any {
	out := append([]any{}, a...)
	sort.SliceStable(out, func(i, j int) bool {
		x, y := out[i], out[j]
		if x == nil || y == nil {
			return x == nil && y != nil && nullsFirst || x != nil && y == nil && !nullsFirst
		}
		if ascending {
			return orderValues(x, y) < 0
		}
		return orderValues(x, y) > 0
	})
	return out
}

// sortArray puts NULL first when ascending and last when descending.
func sortArray(c *call) (arrow.Array, error) {
	up := func(int) bool { return true }
	if c.has(1) {
		up = c.bool(1)
	}
	a := c.any(0)
	return c.boxed(func(i int) (any, error) { return sortedList(a(i).([]any), up(i), up(i)), nil })
}

func extremeOf(sign int) func(*call) (arrow.Array, error) {
	return func(c *call) (arrow.Array, error) {
		a := c.any(0)
		return c.boxed(func(i int) (any, error) {
			var best any
			for _, v := range a(i).([]any) {
				if v != nil && (best == nil || orderValues(v, best)*sign > 0) {
					best = v
				}
			}
			return best, nil
		})
	}
}

func arrayContains(c *call) (arrow.Array, error) {
	a, v := c.any(0), c.any(1)
	return c.bools(func(i int) (bool, error) {
		unknown := false
		for _, e := range a(i).([]any) {
			if e == nil {
				unknown = true
			} else if sameValue(e, v(i)) {
				return true, nil
			}
		}
		if unknown {
			return false, errNull
		}
		return false, nil
	})
}

func arrayPosition(c *call) (arrow.Array, error) {
	a, v := c.any(0), c.any(1)
	return c.ints(func(i int) (int64, error) {
		for k, e := range a(i).([]any) {
			if e != nil && sameValue(e, v(i)) {
				return int64(k + 1), nil
			}
		}
		return 0, nil
	})
}

func arrayInsert(c *call) (arrow.Array, error) {
	a, at, v := c.any(0), c.int(1), c.any(2)
	return makeBoxed(c.out(), c.n, valid(c.n, c.args[0], c.args[1]), func(i int) (any, error) {
		list, pos := a(i).([]any), at(i)
		n := int64(len(list))
		switch {
		case pos == 0:
			return nil, failf("INVALID_INDEX_OF_ZERO", "the index 0 is invalid: an index is less than or greater than 0 (the first element is 1)")
		case abs64(pos) > 1<<26:
			return nil, failf("COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION", "array_insert makes an array of more than 2^26 elements")
		case pos > 0:
			pos--
		default:
			pos += n + 1
		}
		out := make([]any, 0, n+1)
		if pos < 0 { // before the start: NULL fills the gap
			out = append(out, v(i))
			out = append(out, make([]any, -pos)...)
			return append(out, list...), nil
		}
		for int64(len(list)) < pos {
			list = append(append([]any{}, list...), make([]any, pos-int64(len(list)))...)
		}
		out = append(append(out, list[:pos]...), v(i))
		return append(out, list[pos:]...), nil
	})
}

func arrayRepeat(c *call) (arrow.Array, error) {
	v, n := c.any(0), c.int(1)
	return makeBoxed(c.out(), c.n, valid(c.n, c.args[1]), func(i int) (any, error) {
		if n(i) > 1<<26 {
			return nil, failf("COLLECTION_SIZE_LIMIT_EXCEEDED.PARAMETER", "array_repeat makes an array of %d elements", n(i))
		}
		out := make([]any, max(0, n(i)))
		for k := range out {
			out[k] = v(i)
		}
		return out, nil
	})
}

func slice(c *call) (arrow.Array, error) {
	a, at, n := c.any(0), c.int(1), c.int(2)
	return c.boxed(func(i int) (any, error) {
		list, from := a(i).([]any), at(i)
		switch {
		case from == 0:
			return nil, failf("INVALID_PARAMETER_VALUE.START", "slice: the start is not 0 (the first element is 1)")
		case n(i) < 0:
			return nil, failf("INVALID_PARAMETER_VALUE.LENGTH", "slice: the length %d is negative", n(i))
		case from > 0:
			from--
		default:
			from += int64(len(list))
		}
		if from < 0 || from >= int64(len(list)) {
			return []any{}, nil
		}
		end := int64(int32(from + n(i))) // as in Spark, whose sum overflows
		return list[from:max(from, min(end, int64(len(list))))], nil
	})
}

func flatten(c *call) (arrow.Array, error) {
	a := c.any(0)
	return c.boxed(func(i int) (any, error) {
		out := []any{}
		for _, e := range a(i).([]any) {
			if e == nil {
				return nil, nil
			}
			out = append(out, e.([]any)...)
		}
		return out, nil
	})
}

func concatLists(c *call) (arrow.Array, error) {
	return c.boxed(func(i int) (any, error) {
		out := []any{}
		for k := range c.args {
			out = append(out, c.any(k)(i).([]any)...)
		}
		return out, nil
	})
}

// sequence counts from a to b; the step is 1 or -1, a day for dates and times.
func sequence(c *call) (arrow.Array, error) {
	a, b := c.int(0), c.int(1)
	el := elementType(c.out())
	return c.boxed(func(i int) (any, error) {
		from, to := a(i), b(i)
		step, months := int64(1), int64(0)
		if el == types.Timestamp || el == types.TimestampNTZ {
			step = civil.MicrosPerDay
		}
		if from > to {
			step = -step
		}
		if c.has(2) {
			if step = c.int(2)(i); c.typ(2).Kind() == types.KindYearMonthInterval {
				step, months = 0, step
			} else if el == types.Date && isInterval(c.typ(2)) {
				step /= civil.MicrosPerDay
			}
		}
		sign := step + months
		if (sign == 0 && from != to) || (sign > 0 && from > to) || (sign < 0 && from < to) {
			return nil, noClass("illegal sequence boundaries: the step does not lead from the start to the end")
		}
		if step != 0 && months == 0 && new(big.Int).Quo(new(big.Int).Sub(big.NewInt(to), big.NewInt(from)), big.NewInt(step)).Cmp(big.NewInt(1<<26)) > 0 {
			return nil, failf("COLLECTION_SIZE_LIMIT_EXCEEDED.PARAMETER", "sequence makes an array of more than 2^26 elements")
		}
		out := []any{}
		for k, v := int64(0), from; (sign >= 0 && v <= to) || (sign < 0 && v >= to); k++ {
			if out = append(out, v); sign == 0 {
				break
			}
			if months == 0 {
				if zone := c.zoneOf(el); zone != nil {
					next := addDayTime(from, step*(k+1), zone)
					if next == v {
						break
					}
					v = next
					continue
				}
				if v+step > v != (step > 0) {
					break
				}
				v += step
			} else if el == types.Date {
				v = civil.AddMonths(from, months*(k+1))
			} else {
				v, _ = addMonths(from, months*(k+1), c.zoneOf(el))
			}
		}
		return out, nil
	})
}

func arraysOverlap(c *call) (arrow.Array, error) {
	a, b := c.any(0), c.any(1)
	return c.bools(func(i int) (bool, error) {
		x, y := a(i).([]any), b(i).([]any)
		for _, v := range x {
			if v != nil && contains(y, v) {
				return true, nil
			}
		}
		if len(x) > 0 && len(y) > 0 && (contains(x, nil) || contains(y, nil)) {
			return false, errNull
		}
		return false, nil
	})
}

func arraysZip(c *call) (arrow.Array, error) {
	return c.boxed(func(i int) (any, error) {
		lists, n := make([][]any, len(c.args)), 0
		for k := range lists {
			lists[k] = c.any(k)(i).([]any)
			n = max(n, len(lists[k]))
		}
		out := make([]any, n)
		for p := range out {
			row := make([]any, len(lists))
			for k, l := range lists {
				if p < len(l) {
					row[k] = l[p]
				}
			}
			out[p] = row
		}
		return out, nil
	})
}

func arrayJoin(c *call) (arrow.Array, error) {
	sep := c.str(1)
	text, err := castArray(c.args[0].arr, c.typ(0), &types.Array{Element: types.String, ContainsNull: true}, castMode{legacy: c.legacy(), zone: c.zone()})
	if err != nil {
		return nil, err
	}
	a := (&call{args: []vec{{text, c.args[0].konst}}}).any(0)
	return c.strings(func(i int) (string, error) {
		var parts []string
		for _, v := range a(i).([]any) {
			if v != nil {
				parts = append(parts, v.(string))
			} else if c.has(2) {
				parts = append(parts, c.str(2)(i))
			}
		}
		return strings.Join(parts, sep(i)), nil
	})
}

func overMap(c *call, f func(columns.KV) any) (arrow.Array, error) {
	m := c.any(0)
	return c.boxed(func(i int) (any, error) {
		out := []any{}
		for _, kv := range m(i).([]columns.KV) {
			out = append(out, f(kv))
		}
		return out, nil
	})
}

func mapContainsKey(c *call) (arrow.Array, error) {
	m, k := c.any(0), c.any(1)
	return c.bools(func(i int) (bool, error) {
		for _, kv := range m(i).([]columns.KV) {
			if sameValue(kv.Key, k(i)) {
				return true, nil
			}
		}
		return false, nil
	})
}

func mapFromArrays(c *call) (arrow.Array, error) {
	k, v := c.any(0), c.any(1)
	return c.boxed(func(i int) (any, error) {
		keys, vals := k(i).([]any), v(i).([]any)
		if len(keys) != len(vals) {
			return nil, failf("_LEGACY_ERROR_TEMP_2128", "map_from_arrays: %d keys and %d values", len(keys), len(vals))
		}
		out := make([]columns.KV, len(keys))
		for p := range out {
			out[p] = columns.KV{Key: keys[p], Value: vals[p]}
		}
		return checkKeys(out)
	})
}

func mapFromEntries(c *call) (arrow.Array, error) {
	a := c.any(0)
	return c.boxed(func(i int) (any, error) {
		out := []columns.KV{}
		for _, e := range a(i).([]any) {
			if e == nil {
				return nil, nil
			}
			kv := e.([]any)
			out = append(out, columns.KV{Key: kv[0], Value: kv[1]})
		}
		return checkKeys(out)
	})
}

func mapConcat(c *call) (arrow.Array, error) {
	return c.boxed(func(i int) (any, error) {
		out := []columns.KV{}
		for k := range c.args {
			out = append(out, c.any(k)(i).([]columns.KV)...)
		}
		return checkKeys(out)
	})
}

func strToMap(c *call) (arrow.Array, error) {
	s := c.str(0)
	pick := func(k int, otherwise string) func(int) string {
		if c.has(k) {
			return c.str(k)
		}
		return func(int) string { return otherwise }
	}
	pd, kd := pick(1, ","), pick(2, ":")
	p, k := &regexCache{fn: "str_to_map"}, &regexCache{fn: "str_to_map"}
	return c.boxed(func(i int) (any, error) {
		between, err := p.compile(pd(i))
		if err != nil {
			return nil, err
		}
		inside, err := k.compile(kd(i))
		if err != nil {
			return nil, err
		}
		out := []columns.KV{}
		parts, err := between.split(s(i), -1)
		if err != nil {
			return nil, tooManySteps(c.node.Fn, err)
		}
		for _, part := range parts {
			kv := columns.KV{Key: part}
			halves, err := inside.split(part, 2)
			if err != nil {
				return nil, tooManySteps(c.node.Fn, err)
			}
			if len(halves) == 2 {
				kv = columns.KV{Key: halves[0], Value: halves[1]}
			}
			out = append(out, kv)
		}
		return checkKeys(out)
	})
}
