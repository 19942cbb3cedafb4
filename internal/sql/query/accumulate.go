package query

import (
	"math"
	"math/big"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/types"
)

// accumulator gathers an aggregate for many groups.
type accumulator interface {
	// add takes rows: rows[i] of args belongs to the group groups[i]. Groups are
	// numbered from 0; total is how many there are by now.
	add(args []arrow.Array, rows []int32, groups []int32, total int) error
	// value is the result of a group in the form of columns.Value.
	value(group int) (any, error)
	// held is about how many bytes are kept.
	held() int64
}

// grown lengthens a slice with zero values.
func grown[T any](s []T, n int) []T {
	if n <= len(s) {
		return s
	}
	return append(s, make([]T, n-len(s))...)
}

// counter counts rows whose arguments are all not NULL, or (truth) are TRUE.
type counter struct {
	truth bool
	n     []int64
}

func (c *counter) add(args []arrow.Array, rows, groups []int32, total int) error {
	c.n = grown(c.n, total)
next:
	for i, row := range rows {
		for _, a := range args {
			if columns.IsNull(a, int(row)) || c.truth && !a.(*array.Boolean).Value(int(row)) {
				continue next
			}
		}
		c.n[groups[i]]++
	}
	return nil
}

func (c *counter) value(g int) (any, error) { return grown(c.n, g+1)[g], nil }
func (c *counter) held() int64              { return int64(len(c.n)) * 8 }

// longSum adds integers; beyond 64 bits is an error, outside ANSI mode it wraps.
type longSum struct {
	wrap bool
	sum  []int64
	any  []bool
}

func (s *longSum) add(args []arrow.Array, rows, groups []int32, total int) error {
	s.sum, s.any = grown(s.sum, total), grown(s.any, total)
	a, ok := args[0].(*array.Int64)
	if !ok {
		return nil // the type of NULL
	}
	for i, row := range rows {
		if a.IsNull(int(row)) {
			continue
		}
		g, v := groups[i], a.Value(int(row))
		sum := s.sum[g] + v
		if (sum > s.sum[g]) != (v > 0) && v != 0 && !s.wrap {
			return &eval.Error{Class: "ARITHMETIC_OVERFLOW", SQLState: "22003", Message: "long overflow in sum: cast the argument to a wider type"}
		}
		s.sum[g], s.any[g] = sum, true
	}
	return nil
}

func (s *longSum) value(g int) (any, error) {
	if g >= len(s.any) || !s.any[g] {
		return nil, nil
	}
	return s.sum[g], nil
}
func (s *longSum) held() int64 { return int64(len(s.sum)) * 9 }

// doubleSum adds doubles, and divides by their number for avg.
type doubleSum struct {
	avg bool
	sum []float64
	n   []int64
}

func (s *doubleSum) add(args []arrow.Array, rows, groups []int32, total int) error {
	s.sum, s.n = grown(s.sum, total), grown(s.n, total)
	a, ok := args[0].(*array.Float64)
	if !ok {
		return nil
	}
	for i, row := range rows {
		if a.IsValid(int(row)) {
			s.sum[groups[i]] += a.Value(int(row))
			s.n[groups[i]]++
		}
	}
	return nil
}

func (s *doubleSum) value(g int) (any, error) {
	switch {
	case g >= len(s.n) || s.n[g] == 0:
		return nil, nil
	case s.avg:
		return s.sum[g] / float64(s.n[g]), nil
	}
	return s.sum[g], nil
}
func (s *doubleSum) held() int64 { return int64(len(s.sum)) * 16 }

// decimalSum adds decimals exactly; what does not fit the type is an error,
// outside ANSI mode NULL.
type decimalSum struct {
	null    bool
	in, out types.Decimal
	avg     bool
	sum     []*big.Int
	n       []int64
}

func (s *decimalSum) add(args []arrow.Array, rows, groups []int32, total int) error {
	s.sum, s.n = grown(s.sum, total), grown(s.n, total)
	a := args[0].(*array.Decimal128)
	for i, row := range rows {
		if a.IsNull(int(row)) {
			continue
		}
		g := groups[i]
		if s.sum[g] == nil {
			s.sum[g] = new(big.Int)
		}
		s.sum[g].Add(s.sum[g], decimal128.Num(a.Value(int(row))).BigInt())
		s.n[g]++
	}
	return nil
}

func (s *decimalSum) value(g int) (any, error) {
	if g >= len(s.n) || s.n[g] == 0 {
		return nil, nil
	}
	sum := s.sum[g]
	if wide := min(s.in.Precision+10, 38); digits(sum) > wide {
		return s.overflow(expr.Decimal{Unscaled: sum, Scale: s.in.Scale})
	}
	if s.avg {
		scaled := new(big.Int).Mul(sum, power10(s.out.Scale-s.in.Scale))
		sum = halfUp(scaled, big.NewInt(s.n[g]))
	}
	d := expr.Decimal{Unscaled: sum, Scale: s.out.Scale}
	if digits(sum) > s.out.Precision {
		return s.overflow(d)
	}
	return d, nil
}

func (s *decimalSum) overflow(d expr.Decimal) (any, error) {
	if s.null {
		return nil, nil
	}
	return nil, &eval.Error{Class: "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", SQLState: "22003",
		Message: d.String() + " cannot be represented as " + types.SQL(s.out)}
}
func (s *decimalSum) held() int64 { return int64(len(s.sum)) * 64 }

func power10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// digits is how many decimal digits a number has.
func digits(v *big.Int) int {
	if v.Sign() == 0 {
		return 1
	}
	return len(new(big.Int).Abs(v).String())
}

// halfUp divides and rounds half away from zero; b is positive.
func halfUp(a, b *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(a, b, new(big.Int))
	if r.Lsh(r.Abs(r), 1).Cmp(b) >= 0 {
		q.Add(q, big.NewInt(int64(a.Sign())))
	}
	return q
}

// moments is the variance, or its root: Welford's recurrence.
type moments struct {
	sample, root bool
	n, mean, m2  []float64
}

func (m *moments) add(args []arrow.Array, rows, groups []int32, total int) error {
	m.n, m.mean, m.m2 = grown(m.n, total), grown(m.mean, total), grown(m.m2, total)
	a, ok := args[0].(*array.Float64)
	if !ok {
		return nil
	}
	for i, row := range rows {
		if a.IsNull(int(row)) {
			continue
		}
		g, v := groups[i], a.Value(int(row))
		m.n[g]++
		delta := v - m.mean[g]
		m.mean[g] += delta / m.n[g]
		m.m2[g] += delta * (v - m.mean[g])
	}
	return nil
}

// value is NULL for a sample of one row, as the divisor is zero.
func (m *moments) value(g int) (any, error) {
	if g >= len(m.n) || m.n[g] == 0 || m.sample && m.n[g] == 1 {
		return nil, nil
	}
	n := m.n[g]
	if m.sample {
		n--
	}
	if m.root {
		return math.Sqrt(m.m2[g] / n), nil
	}
	return m.m2[g] / n, nil
}
func (m *moments) held() int64 { return int64(len(m.n)) * 24 }
