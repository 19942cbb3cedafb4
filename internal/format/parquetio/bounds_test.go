package parquetio

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/parquet"
	"pgregory.net/rapid"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

// TestWrongBoundsLoseNothing draws the values of a page, bounds as writers with
// known mistakes give them, and a comparison: where a value satisfies it, the
// page must be kept.
func TestWrongBoundsLoseNothing(t *testing.T) {
	text := func(name string) *rapid.Generator[string] {
		return rapid.SampledFrom([]string{"", "a", "aa", "b", "\x7f", "é", "\U0001F600", "\xff", "ab\x00"})
	}
	number := rapid.SampledFrom([]float64{math.Copysign(0, -1), 0, 1, -1, math.NaN(), math.Inf(1), math.Inf(-1), 2.5})
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(rt, "values")
		leaf := &parquetNode{leaf: 0, def: 1}
		var typ types.Type
		var vals []any
		var order func(a, b any) int  // of the writer's bounds
		var encode func(v any) []byte // nil: no bound
		mistake := rapid.SampledFrom([]string{"none", "missing", "no min", "no max", "swapped", "nan", "nan max", "empty max", "signed bytes", "unordered", "other zero"}).Draw(rt, "mistake")
		s := pageBounds{nulls: 0}
		switch rapid.IntRange(0, 2).Draw(rt, "type") {
		case 0:
			typ, leaf.physical = types.Long, parquet.Types.Int64
			encode = func(v any) []byte { return binary.LittleEndian.AppendUint64(nil, uint64(v.(int64))) }
			for range n {
				vals = append(vals, rapid.Int64Range(-3, 3).Draw(rt, "v"))
			}
		case 1:
			typ, leaf.physical = types.Double, parquet.Types.Double
			encode = func(v any) []byte {
				return binary.LittleEndian.AppendUint64(nil, math.Float64bits(v.(float64)))
			}
			for range n {
				vals = append(vals, number.Draw(rt, "v"))
			}
		default:
			typ, leaf.physical, leaf.logical.kind = types.String, parquet.Types.ByteArray, logicalString
			encode = func(v any) []byte { return []byte(v.(string)) }
			for range n {
				vals = append(vals, text("v").Draw(rt, "v"))
			}
		}
		order = func(a, b any) int { n, _ := compareValues(a, b); return n }
		if mistake == "signed bytes" || mistake == "unordered" {
			s.legacy, leaf.unordered = mistake == "signed bytes", mistake == "unordered"
			if typ == types.String {
				order = func(a, b any) int {
					sign := func(v any) []byte {
						out := []byte(v.(string))
						for i := range out {
							out[i] ^= 0x80
						}
						return out
					}
					return bytes.Compare(sign(a), sign(b))
				}
			}
		}
		known := slices.DeleteFunc(slices.Clone(vals), isNaN)
		if len(known) > 0 {
			s.lo, s.hi = encode(slices.MinFunc(known, order)), encode(slices.MaxFunc(known, order))
		}
		switch mistake {
		case "missing":
			s.lo, s.hi, s.nulls = nil, nil, -1
		case "no min":
			s.lo = nil
		case "no max":
			s.hi = nil
		case "swapped":
			s.lo, s.hi = s.hi, s.lo
		case "nan", "nan max":
			if typ == types.Double && slices.ContainsFunc(vals, isNaN) { // a comparison with NaN is false: the first value stays
				s.hi = encode(math.NaN())
				if mistake == "nan" {
					s.lo = encode(math.NaN())
				} else {
					s.lo = encode(vals[n-1])
				}
			}
		case "empty max":
			if typ == types.String {
				s.hi = []byte{}
			}
		case "other zero":
			flip := func(b []byte) []byte {
				if f := math.Float64frombits(binary.LittleEndian.Uint64(b)); f == 0 {
					return encode(-f)
				}
				return b
			}
			if typ == types.Double && len(known) > 0 {
				s.lo, s.hi = flip(s.lo), flip(s.hi)
			}
		}
		conv, ok := converter(leaf, typ)
		if !ok {
			rt.Fatal("no converter")
		}
		b := literalBounds(leaf, typ, conv, s, int64(n))
		with := vals[rapid.IntRange(0, n-1).Draw(rt, "with")]
		op := rapid.SampledFrom([]string{"=", "<", "<=", ">", ">=", "<=>"}).Draw(rt, "op")
		e := &expr.Call{Fn: op, T: types.Boolean, Args: []expr.Expr{&expr.Column{Ref: 0, T: typ}, &expr.Literal{Value: with, T: typ}}}
		matches := slices.ContainsFunc(vals, func(v any) bool { return satisfies(op, v, with) })
		if matches && !mayMatch(e, func(int) (bounds, bool) { return b, true }) {
			rt.Fatalf("%s of %v, bounds %v to %v (%s): dropped for %s %v", typ, vals, b.lo, b.hi, mistake, op, with)
		}
	})
}

// satisfies compares as Spark does: NaN is equal to itself and above all numbers.
func satisfies(op string, v, w any) bool {
	var n int
	switch {
	case isNaN(v) && isNaN(w):
		n = 0
	case isNaN(v):
		n = 1
	case isNaN(w):
		n = -1
	default:
		n, _ = compareValues(v, w)
	}
	return map[string]bool{"=": n == 0, "<=>": n == 0, "<": n < 0, "<=": n <= 0, ">": n > 0, ">=": n >= 0}[op]
}
