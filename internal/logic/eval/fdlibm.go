package eval

import "math"

// cbrt is the cube root of fdlibm, whose last bit java.lang.StrictMath fixes;
// math.Cbrt rounds better, and so differently.
func cbrt(x float64) float64 {
	if x == 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		return x
	}
	const (
		b1 = 715094163
		b2 = 696219795
		c  = 5.42857142857142815906e-01
		d  = -7.05306122448979611050e-01
		e  = 1.41428571428571436819e+00
		f  = 1.60714285714285720630e+00
		g  = 3.57142857142857150787e-01
	)
	abs := math.Abs(x)
	hi := uint32(math.Float64bits(abs) >> 32)
	var t float64
	if hi < 0x00100000 { // subnormal
		t = math.Float64frombits(0x43500000 << 32)
		t *= abs
		bits := math.Float64bits(t)
		t = math.Float64frombits(uint64(uint32(bits>>32)/3+b2)<<32 | bits&0xffffffff)
	} else {
		t = math.Float64frombits(uint64(hi/3+b1) << 32)
	}
	r := t * t / abs
	s := c + r*t
	t *= g + f/(s+e+d/s)
	t = math.Float64frombits((math.Float64bits(t)>>32 + 1) << 32)
	s = t * t
	r = abs / s
	w := t + t
	r = (r - t) / (w + r)
	return math.Copysign(t+float64(t*r), x)
}

// exponential is exp of fdlibm.
func exponential(x float64) float64 {
	const (
		ln2Hi = 6.93147180369123816490e-01
		ln2Lo = 1.90821492927058770002e-10
		log2e = 1.44269504088896338700e+00
		p1    = 1.66666666666666019037e-01
		p2    = -2.77777777770155933842e-03
		p3    = 6.61375632143793436117e-05
		p4    = -1.65339022054652515390e-06
		p5    = 4.13813679705723846039e-08
	)
	switch {
	case math.IsNaN(x) || math.IsInf(x, 1):
		return x
	case math.IsInf(x, -1):
		return 0
	case x > 7.09782712893383973096e+02:
		return math.Inf(1)
	case x < -7.45133219101941108420e+02:
		return 0
	case math.Abs(x) < 1.0/(1<<28):
		return 1 + x
	}
	var hi, lo float64
	k := 0
	if math.Abs(x) > 0.5*math.Ln2 {
		switch {
		case math.Abs(x) < 1.5*math.Ln2 && x > 0:
			k, hi, lo = 1, x-ln2Hi, ln2Lo
		case math.Abs(x) < 1.5*math.Ln2:
			k, hi, lo = -1, x+ln2Hi, -ln2Lo
		default:
			k = int(log2e*x + math.Copysign(0.5, x))
			hi, lo = x-float64(float64(k)*ln2Hi), float64(k)*ln2Lo
		}
		x = hi - lo
	}
	t := x * x
	c := x - float64(t*(p1+float64(t*(p2+float64(t*(p3+float64(t*(p4+float64(t*p5)))))))))
	if k == 0 {
		return 1 - (float64(x*c)/(c-2) - x)
	}
	return math.Ldexp(1-((lo-float64(x*c)/(2-c))-hi), k)
}

// logarithmE is log of fdlibm.
func logarithmE(x float64) float64 {
	const (
		ln2Hi = 6.93147180369123816490e-01
		ln2Lo = 1.90821492927058770002e-10
		l1    = 6.666666666666735130e-01
		l2    = 3.999999999940941908e-01
		l3    = 2.857142874366239149e-01
		l4    = 2.222219843214978396e-01
		l5    = 1.818357216161805012e-01
		l6    = 1.531383769920937332e-01
		l7    = 1.479819860511658591e-01
	)
	switch {
	case math.IsNaN(x) || math.IsInf(x, 1):
		return x
	case x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	}
	k := 0
	if x < 0x1p-1022 {
		k, x = -54, x*(1<<54)
	}
	bits := math.Float64bits(x)
	hx := int32(bits >> 32)
	k += int(hx>>20) - 1023
	hx &= 0x000fffff
	i := (hx + 0x95f64) & 0x100000
	x = math.Float64frombits(uint64(uint32(hx|(i^0x3ff00000)))<<32 | bits&0xffffffff)
	k += int(i >> 20)
	f, dk := x-1, float64(k)
	if 0x000fffff&(2+hx) < 3 { // |f| < 2^-20
		if f == 0 {
			return float64(dk*ln2Hi) + float64(dk*ln2Lo)
		}
		r := float64(f*f) * (0.5 - float64(0.33333333333333333*f))
		if k == 0 {
			return f - r
		}
		return float64(dk*ln2Hi) - ((r - float64(dk*ln2Lo)) - f)
	}
	s := f / (2 + f)
	z := s * s
	j := (hx - 0x6147a) | (0x6b851 - hx)
	w := z * z
	t1 := w * (l2 + float64(w*(l4+float64(w*l6))))
	t2 := z * (l1 + float64(w*(l3+float64(w*(l5+float64(w*l7))))))
	r := t2 + t1
	if j > 0 {
		h := float64(0.5*f) * f
		if k == 0 {
			return f - (h - float64(s*(h+r)))
		}
		return float64(dk*ln2Hi) - ((h - (float64(s*(h+r)) + float64(dk*ln2Lo))) - f)
	}
	if k == 0 {
		return f - float64(s*(f-r))
	}
	return float64(dk*ln2Hi) - ((float64(s*(f-r)) - float64(dk*ln2Lo)) - f)
}
