package eval

import (
	"math"
	"math/big"
)

// sin, cos and tan are rounded correctly, as those of java.lang.Math are but for a
// few arguments in a million: they are computed in pairs of floats, 106 bits.

// pair is the sum of two floats, the second below half a unit of the first.
type pair struct{ hi, lo float64 }

func sumOf(a, b float64) pair {
	s := a + b
	t := s - a
	return pair{s, (a - (s - t)) + (b - t)}
}

func quickSum(a, b float64) pair {
	s := a + b
	return pair{s, b - (s - a)}
}

func (p pair) add(q pair) pair {
	s, t := sumOf(p.hi, q.hi), sumOf(p.lo, q.lo)
	s = quickSum(s.hi, s.lo+t.hi)
	return quickSum(s.hi, s.lo+t.lo)
}

func (p pair) times(q pair) pair {
	h := p.hi * q.hi
	l := math.FMA(p.hi, q.hi, -h)
	l += float64(p.hi*q.lo) + float64(p.lo*q.hi)
	return quickSum(h, l)
}

func (p pair) over(q pair) pair {
	a := p.hi / q.hi
	r := p.add(q.times(pair{-a, 0}))
	b := r.hi / q.hi
	r = r.add(q.times(pair{-b, 0}))
	s := quickSum(a, b)
	return s.add(pair{r.hi / q.hi, 0})
}

// Pi/2 as a sum of four floats, of which the first three have few enough bits that
// their products with a count of quarter turns are exact.
var halfPi = splitHalfPi()

func splitHalfPi() [4]float64 {
	rest := halfPiBits(400)
	var out [4]float64
	for i := range out {
		f, _ := rest.Float64()
		if i < 3 {
			f = math.Float64frombits(math.Float64bits(f) &^ (1<<23 - 1)) // 30 bits
		}
		out[i] = f
		rest.Sub(rest, new(big.Float).SetPrec(1400).SetFloat64(f))
	}
	return out
}

// halfPiBits is pi/2 by Machin's formula.
func halfPiBits(prec uint) *big.Float {
	one := new(big.Int).Lsh(big.NewInt(1), prec+32)
	arctan := func(n int64) *big.Int {
		term := new(big.Int).Quo(one, big.NewInt(n))
		sum, square := new(big.Int).Set(term), big.NewInt(n*n)
		for k := int64(3); term.Sign() != 0; k += 2 {
			term.Quo(term, square)
			term.Neg(term)
			sum.Add(sum, new(big.Int).Quo(term, big.NewInt(k)))
		}
		return sum
	}
	pi := arctan(5)
	pi.Mul(pi, big.NewInt(8)).Sub(pi, new(big.Int).Mul(arctan(239), big.NewInt(2))) // pi/2 = 8 arctan 1/5 - 2 arctan 1/239
	f := new(big.Float).SetPrec(prec + 64).SetInt(pi)
	return f.SetMantExp(f, -int(prec+32))
}

// quarters splits an angle into quarter turns, of which the last two bits matter,
// and a rest of at most an eighth.
func quarters(x float64) (turns int, rest pair) {
	if math.Abs(x) > 1<<21 {
		return manyQuarters(x)
	}
	k := math.RoundToEven(x / (math.Pi / 2))
	r := sumOf(x, -k*halfPi[0]).add(pair{-k * halfPi[1], 0}).add(pair{-k * halfPi[2], 0})
	p := k * halfPi[3]
	r = r.add(pair{-p, -math.FMA(k, halfPi[3], -p)})
	return int(k) & 3, r
}

func manyQuarters(x float64) (int, pair) {
	const prec = 1300
	a := new(big.Float).SetPrec(prec).SetFloat64(x)
	quarter := halfPiBits(prec)
	q, _ := new(big.Float).SetPrec(prec).Quo(a, quarter).Int(nil)
	r := new(big.Float).SetPrec(prec).Sub(a, new(big.Float).SetPrec(prec).Mul(quarter, new(big.Float).SetPrec(prec).SetInt(q)))
	half := new(big.Float).SetPrec(prec).Quo(quarter, big.NewFloat(2))
	if new(big.Float).Abs(r).Cmp(half) > 0 {
		step := int64(r.Sign())
		q.Add(q, big.NewInt(step))
		r.Sub(r, new(big.Float).SetPrec(prec).Mul(quarter, big.NewFloat(float64(step))))
	}
	hi, _ := r.Float64()
	lo, _ := r.Sub(r, new(big.Float).SetFloat64(hi)).Float64()
	return int(new(big.Int).And(q, big.NewInt(3)).Int64()), pair{hi, lo}
}

// series sums first * (1 - z/(n(n+1)) + z^2/(n(n+1)(n+2)(n+3)) - ...), z being the
// square of the angle.
func series(first, z pair, n float64) pair {
	sum, term := first, first
	for ; math.Abs(term.hi) > math.Abs(sum.hi)*0x1p-110; n += 2 {
		term = term.times(z).over(pair{-n * (n + 1), 0})
		sum = sum.add(term)
	}
	return sum
}

func sineOf(turns int, rest pair) pair {
	z := rest.times(rest)
	var r pair
	if turns&1 == 0 {
		r = series(rest, z, 2)
	} else {
		r = series(pair{1, 0}, z, 1)
	}
	if turns&2 != 0 {
		return pair{-r.hi, -r.lo}
	}
	return r
}

func odd(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) }

func sine(x float64) float64 {
	switch {
	case odd(x):
		return math.NaN()
	case math.Abs(x) < 0x1p-27:
		return x
	}
	q, r := quarters(x)
	return sineOf(q, r).hi
}

func cosine(x float64) float64 {
	if odd(x) {
		return math.NaN()
	}
	q, r := quarters(x)
	return sineOf(q+1, r).hi
}

func tangent(x float64) float64 {
	switch {
	case odd(x):
		return math.NaN()
	case math.Abs(x) < 0x1p-27:
		return x
	}
	q, r := quarters(x)
	return sineOf(q, r).over(sineOf(q+1, r)).hi
}
