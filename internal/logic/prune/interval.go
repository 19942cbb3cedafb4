package prune

import (
	"github.com/sluicelake/sluice/internal/format/colstats"
)

// interval is what is known of a scalar over the rows of a file. A bound of
// class None is unknown.
type interval struct {
	lo, hi colstats.Value
	null   bool // may be NULL
	value  bool // may be other than NULL
}

// unknown may be anything.
var unknown = interval{null: true, value: true}

func point(v colstats.Value) interval { return interval{lo: v, hi: v, value: true} }

// less reports whether a < b is possible for some values at or above a and at
// or below b, and same whether a = b is.
func less(a, b colstats.Value) (lt, eq bool) {
	c, ok := colstats.Compare(a, b)
	if !ok {
		return true, true
	}
	return c < 0, c <= 0
}

// relations says which orders two intervals allow between their values.
func relations(a, b *interval) (lt, eq, gt bool) {
	lt, eqLow := less(a.lo, b.hi)
	gt, eqHigh := less(b.lo, a.hi)
	return lt, eqLow && eqHigh, gt
}

// compare gives the outcomes of a comparison operator.
func compare(fn string, a, b *interval) outcomes {
	var out outcomes
	lt, eq, gt := relations(a, b)
	both := a.value && b.value
	if fn == "<=>" {
		return choose(a.null && b.null || both && eq, a.null && b.value || a.value && b.null || both && (lt || gt))
	}
	if a.null || b.null {
		out = canNull
	}
	if !both {
		return out | canNull
	}
	switch fn {
	case "=":
		return out | choose(eq, lt || gt)
	case "<>":
		return out | choose(lt || gt, eq)
	case "<":
		return out | choose(lt, eq || gt)
	case "<=":
		return out | choose(lt || eq, gt)
	case ">":
		return out | choose(gt, eq || lt)
	default: // >=
		return out | choose(gt || eq, lt)
	}
}

// union is an interval around two.
func union(a, b *interval) interval {
	switch {
	case !a.value:
		return interval{lo: b.lo, hi: b.hi, null: a.null || b.null, value: b.value}
	case !b.value:
		return interval{lo: a.lo, hi: a.hi, null: a.null || b.null, value: true}
	}
	out := interval{null: a.null || b.null, value: true}
	if c, ok := colstats.Compare(a.lo, b.lo); ok {
		out.lo = a.lo
		if c > 0 {
			out.lo = b.lo
		}
	}
	if c, ok := colstats.Compare(a.hi, b.hi); ok {
		out.hi = a.hi
		if c < 0 {
			out.hi = b.hi
		}
	}
	return out
}

// asOutcomes reads an interval of booleans (0 and 1) as a condition.
func (i *interval) asOutcomes() (out outcomes) {
	if i.null {
		out = canNull
	}
	if i.value {
		out |= choose(i.hi.Class != colstats.Int || i.hi.I >= 1, i.lo.Class != colstats.Int || i.lo.I <= 0)
	}
	return out
}

// asInterval is the reverse of asOutcomes.
func (o outcomes) asInterval() interval {
	out := interval{null: o&canNull != 0, value: o&(canTrue|canFalse) != 0}
	out.lo = colstats.Value{Class: colstats.Int}
	out.hi = colstats.Value{Class: colstats.Int, I: 1}
	if o&canFalse == 0 {
		out.lo.I = 1
	}
	if o&canTrue == 0 {
		out.hi.I = 0
	}
	return out
}
