package eval

import "math"

// power is pow of fdlibm: the logarithm of x in pieces, times y, and 2 to that.
func power(x, y float64) float64 {
	ax := math.Abs(x)
	switch {
	case y == 0:
		return 1
	case math.IsNaN(x) || math.IsNaN(y):
		return math.NaN()
	}
	whole := 0 // 1: y is an odd integer, 2: an even one
	if x < 0 || x == 0 && math.Signbit(x) {
		switch f := math.Abs(y); {
		case f >= 0x1p53:
			whole = 2
		case f == math.Trunc(f):
			whole = 2 - int(int64(f)&1)
		}
	}
	switch {
	case math.IsInf(y, 0):
		switch {
		case ax == 1:
			return math.NaN()
		case (ax > 1) == (y > 0):
			return math.Inf(1)
		}
		return 0
	case y == 1:
		return x
	case y == -1:
		return 1 / x
	case y == 2:
		return x * x
	case y == 0.5 && !math.Signbit(x):
		return math.Sqrt(x)
	case math.IsInf(x, 0) || ax == 0 || ax == 1:
		z := ax
		if y < 0 {
			z = 1 / z
		}
		if math.Signbit(x) {
			if ax == 1 && whole == 0 {
				return math.NaN()
			}
			if whole == 1 {
				z = -z
			}
		}
		return z
	case x < 0 && whole == 0:
		return math.NaN()
	}
	sign := 1.0
	if x < 0 && whole == 1 {
		sign = -1
	}
	t1, t2, out := powerLog(ax, y)
	if out >= 0 {
		return sign * out
	}
	y1 := upper32(y)
	low := float64((y-y1)*t1) + float64(y*t2)
	high := y1 * t1
	z := low + high
	switch {
	case z >= 1024 && (z > 1024 || low+8.0085662595372944372e-17 > z-high):
		return sign * math.Inf(1)
	case z <= -1075 && (z < -1075 || low <= z-high):
		return sign * 0
	}
	return sign * powerOf2(z, high, low)
}

// powerLog is log2(ax) in two parts; out is the result itself, if that is plain, or negative.
func powerLog(ax, y float64) (t1, t2, out float64) {
	const (
		ivLn2   = 1.44269504088896338700e+00
		ivLn2Hi = 1.44269502162933349609e+00
		ivLn2Lo = 1.92596299112661746887e-08
		cp      = 9.61796693925975554329e-01
		cpHi    = 9.61796700954437255859e-01
		cpLo    = -7.02846165095275826516e-09
		l1      = 5.99999999999994648725e-01
		l2      = 4.28571428578550184252e-01
		l3      = 3.33333329818377432918e-01
		l4      = 2.72728123808534006489e-01
		l5      = 2.30660745775561754067e-01
		l6      = 2.06975017800338417784e-01
	)
	hx := int32(math.Float64bits(ax) >> 32)
	if math.Abs(y) > 0x1.00000ffffffffp31 { // a huge exponent
		switch {
		case math.Abs(y) > 0x1.00000ffffffffp64 && hx <= 0x3fefffff, hx < 0x3fefffff:
			return 0, 0, limitOf(y < 0)
		case math.Abs(y) > 0x1.00000ffffffffp64 && hx >= 0x3ff00000, hx > 0x3ff00000:
			return 0, 0, limitOf(y > 0)
		}
		t := ax - 1
		w := float64(t*t) * (0.5 - float64(t*(0.3333333333333333333333-float64(t*0.25))))
		u := ivLn2Hi * t
		v := float64(t*ivLn2Lo) - float64(w*ivLn2)
		t1 = upper32(u + v)
		return t1, v - (t1 - u), -1
	}
	n := int32(0)
	if hx < 0x00100000 {
		ax *= 0x1p53
		n -= 53
		hx = int32(math.Float64bits(ax) >> 32)
	}
	n += hx>>20 - 0x3ff
	j := hx & 0x000fffff
	hx = j | 0x3ff00000
	k := 0
	switch {
	case j <= 0x3988E:
	case j < 0xBB67A:
		k = 1
	default:
		n++
		hx -= 0x00100000
	}
	ax = math.Float64frombits(uint64(uint32(hx))<<32 | math.Float64bits(ax)&0xffffffff)
	bp := [2]float64{1, 1.5}[k]
	dpHi := [2]float64{0, 5.84962487220764160156e-01}[k]
	dpLo := [2]float64{0, 1.35003920212974897128e-08}[k]
	u := ax - bp
	v := 1 / (ax + bp)
	ss := u * v
	sHi := upper32(ss)
	tHi := math.Float64frombits(uint64(uint32((hx>>1|0x20000000)+0x00080000+int32(k)<<18)) << 32)
	tLo := ax - (tHi - bp)
	sLo := v * ((u - float64(sHi*tHi)) - float64(sHi*tLo))
	s2 := ss * ss
	r := float64(s2*s2) * (l1 + float64(s2*(l2+float64(s2*(l3+float64(s2*(l4+float64(s2*(l5+float64(s2*l6))))))))))
	r += sLo * (sHi + ss)
	s2 = sHi * sHi
	tHi = upper32(3 + s2 + r)
	tLo = r - ((tHi - 3) - s2)
	u = sHi * tHi
	v = float64(sLo*tHi) + float64(tLo*ss)
	pHi := upper32(u + v)
	pLo := v - (pHi - u)
	zHi := cpHi * pHi
	zLo := float64(cpLo*pHi) + float64(pLo*cp) + dpLo
	t := float64(n)
	t1 = upper32(((zHi + zLo) + dpHi) + t)
	return t1, zLo - (((t1 - t) - dpHi) - zHi), -1
}

func limitOf(large bool) float64 {
	if large {
		return math.Inf(1)
	}
	return 0
}

// powerOf2 is 2 to high+low, whose sum is z.
func powerOf2(z, high, low float64) float64 {
	const (
		ln2   = 6.93147180559945286227e-01
		ln2Hi = 6.93147182464599609375e-01
		ln2Lo = -1.90465429995776804525e-09
		p1    = 1.66666666666666019037e-01
		p2    = -2.77777777770155933842e-03
		p3    = 6.61375632143793436117e-05
		p4    = -1.65339022054652515390e-06
		p5    = 4.13813679705723846039e-08
	)
	n := 0
	if math.Abs(z) > 0.5 {
		n = int(math.Floor(z + 0.5))
		if z < 0 {
			n = -int(math.Floor(-z + 0.5))
		}
		high -= float64(n)
	}
	t := upper32(low + high)
	u := t * ln2Hi
	v := float64((low-(t-high))*ln2) + float64(t*ln2Lo)
	z = u + v
	w := v - (z - u)
	t = z * z
	t1 := z - float64(t*(p1+float64(t*(p2+float64(t*(p3+float64(t*(p4+float64(t*p5)))))))))
	r := float64(z*t1)/(t1-2) - (w + float64(z*w))
	return math.Ldexp(1-(r-z), n)
}
