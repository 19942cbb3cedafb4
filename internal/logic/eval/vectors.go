package eval

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

func init() {
	register(map[string]func(*call) (arrow.Array, error){
		"vector_inner_product": twoVectors(func(dot, _, _, _ float64) (float64, bool) { return dot, true }),
		"vector_l2_distance":   twoVectors(func(_, _, _, apart float64) (float64, bool) { return math.Sqrt(apart), true }),
		"vector_cosine_similarity": twoVectors(func(dot, a, b, _ float64) (float64, bool) {
			return dot / (math.Sqrt(a) * math.Sqrt(b)), a > 0 && b > 0
		}),
		"vector_norm": vectorNorm, "vector_normalize": vectorNorm, "time_bucket": timeBucket,
	})
}

// components reads an array of numbers; false when one is NULL.
func components(v any) ([]float64, bool) {
	list := v.([]any)
	out := make([]float64, len(list))
	for i, e := range list {
		f, ok := e.(float64)
		if !ok {
			return nil, false
		}
		out[i] = f
	}
	return out, true
}

// twoVectors computes from the inner product, the squares of the lengths and the
// square of the distance of two vectors.
func twoVectors(f func(dot, a, b, apart float64) (float64, bool)) func(*call) (arrow.Array, error) {
	return func(c *call) (arrow.Array, error) {
		x, y := c.any(0), c.any(1)
		return c.floats(func(i int) (float64, error) {
			p, ok1 := components(x(i))
			q, ok2 := components(y(i))
			switch {
			case !ok1 || !ok2:
				return 0, errNull
			case len(p) != len(q):
				return 0, failf("VECTOR_DIMENSION_MISMATCH", "%s: the vectors have %d and %d elements", c.node.Fn, len(p), len(q))
			}
			var dot, a, b, apart float64
			for k := range p {
				dot += p[k] * q[k]
				a += p[k] * p[k]
				b += q[k] * q[k]
				apart += (p[k] - q[k]) * (p[k] - q[k])
			}
			r, ok := f(dot, a, b, apart)
			if !ok {
				return 0, errNull
			}
			return r, nil
		})
	}
}

// vectorNorm is vector_norm and vector_normalize by the norm of degree 1, 2 or infinity.
func vectorNorm(c *call) (arrow.Array, error) {
	x, degree := c.any(0), func(int) float64 { return 2 }
	if c.has(1) {
		degree = c.float(1)
	}
	norm := func(i int) ([]float64, float64, error) {
		p, ok := components(x(i))
		if !ok {
			return nil, 0, errNull
		}
		sum := 0.0
		for _, v := range p {
			switch d := degree(i); {
			case d == 1:
				sum += math.Abs(v)
			case d == 2:
				sum += v * v
			case math.IsInf(d, 1):
				sum = max(sum, math.Abs(v))
			default:
				return nil, 0, failf("INVALID_VECTOR_NORM_DEGREE", "%s: the degree is 1, 2 or infinity, not %v", c.node.Fn, d)
			}
		}
		if degree(i) == 2 {
			sum = math.Sqrt(sum)
		}
		return p, sum, nil
	}
	if c.node.Fn == "vector_norm" {
		return c.floats(func(i int) (float64, error) { _, n, err := norm(i); return n, err })
	}
	return c.boxed(func(i int) (any, error) {
		p, n, err := norm(i)
		if err == errNull || n == 0 {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		out := make([]any, len(p))
		for k, v := range p {
			out[k] = float64(float32(v / n))
		}
		return out, nil
	})
}

// timeBucket is the start of the bucket, of a width and from an origin, that a time is in.
func timeBucket(c *call) (arrow.Array, error) {
	width, at, origin := c.int(0), c.int(1), func(int) int64 { return 0 }
	if c.has(2) {
		origin = c.int(2)
	}
	months := c.typ(0).Kind() == types.KindYearMonthInterval
	zone := c.zoneOf(c.out())
	return c.ints(func(i int) (int64, error) {
		w := width(i)
		if w <= 0 {
			return 0, failf("INVALID_PARAMETER_VALUE.TIME_BUCKET", "time_bucket: the width is longer than nothing")
		}
		if !months {
			o := origin(i)
			return o + floorDiv(at(i)-o, w)*w, nil
		}
		from, local := civil.Local(origin(i), zone), civil.Local(at(i), zone)
		days, ofDay := civil.Split(from)
		y, m, _ := civil.Date(days)
		now, _ := civil.Split(local)
		ny, nm, _ := civil.Date(now)
		n := floorDiv((ny-y)*12+nm-m, w) * w
		start := civil.AddMonths(days, n)*civil.MicrosPerDay + ofDay
		if start > local {
			start = civil.AddMonths(days, n-w)*civil.MicrosPerDay + ofDay
		}
		return civil.Instant(start, zone), nil
	})
}
