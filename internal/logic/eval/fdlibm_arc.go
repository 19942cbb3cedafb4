package eval

import "math"

// The inverse functions, hypot, tanh and pow of fdlibm, which java.lang.StrictMath
// is; better or other approximations differ in the last bit.

// arcRatio approximates (arcsin(x) - x) / x^3 as a function of x^2.
func arcRatio(t float64) float64 {
	const (
		p0 = 1.66666666666666657415e-01
		p1 = -3.25565818622400915405e-01
		p2 = 2.01212532134862925881e-01
		p3 = -4.00555345006794114027e-02
		p4 = 7.91534994289814532176e-04
		p5 = 3.47933107596021167570e-05
		q1 = -2.40339491173441421878e+00
		q2 = 2.02094576023350569471e+00
		q3 = -6.88283971605453293030e-01
		q4 = 7.70381505559019352791e-02
	)
	p := t * (p0 + float64(t*(p1+float64(t*(p2+float64(t*(p3+float64(t*(p4+float64(t*p5))))))))))
	q := 1 + float64(t*(q1+float64(t*(q2+float64(t*(q3+float64(t*q4)))))))
	return p / q
}

const (
	halfPiHi = 1.57079632679489655800e+00
	halfPiLo = 6.12323399573676603587e-17
)

// upper keeps the upper 32 bits of a float.
func upper32(x float64) float64 { return math.Float64frombits(math.Float64bits(x) &^ 0xffffffff) }

func arcsine(x float64) float64 {
	a := math.Abs(x)
	switch {
	case a == 1:
		return float64(x*halfPiHi) + float64(x*halfPiLo)
	case !(a < 1):
		return math.NaN()
	case a < 0.5:
		if a < 0x1p-27 {
			return x
		}
		return x + float64(x*arcRatio(x*x))
	}
	t := (1 - a) * 0.5
	r, s := arcRatio(t), math.Sqrt(t)
	if math.Float64bits(a)>>32 >= 0x3fef3333 { // |x| > 0.975
		t = halfPiHi - (float64(2*(s+float64(s*r))) - halfPiLo)
	} else {
		w := upper32(s)
		c := (t - float64(w*w)) / (s + w)
		p := float64(float64(2*s)*r) - (halfPiLo - 2*c)
		q := math.Pi/4 - 2*w
		t = math.Pi/4 - (p - q)
	}
	return math.Copysign(t, x)
}

func arccosine(x float64) float64 {
	a := math.Abs(x)
	switch {
	case x == 1:
		return 0
	case x == -1:
		return math.Pi
	case !(a < 1):
		return math.NaN()
	case a < 0.5:
		if a <= 0x1p-57 {
			return halfPiHi + halfPiLo
		}
		return halfPiHi - (x - (halfPiLo - float64(x*arcRatio(x*x))))
	case x < 0:
		z := (1 + x) * 0.5
		s := math.Sqrt(z)
		w := float64(arcRatio(z)*s) - halfPiLo
		return math.Pi - float64(2*(s+w))
	}
	z := (1 - x) * 0.5
	s := math.Sqrt(z)
	df := upper32(s)
	c := (z - float64(df*df)) / (s + df)
	return 2 * (df + (float64(arcRatio(z)*s) + c))
}

var arctanParts = [4][2]float64{
	{4.63647609000806093515e-01, 2.26987774529616870924e-17},
	{7.85398163397448278999e-01, 3.06161699786838301793e-17},
	{9.82793723247329054082e-01, 1.39033110312309984516e-17},
	{1.57079632679489655800e+00, 6.12323399573676603587e-17},
}

var arctanSeries = [11]float64{
	3.33333333333329318027e-01, -1.99999999998764832476e-01, 1.42857142725034663711e-01, -1.11111104054623557880e-01,
	9.09088713343650656196e-02, -7.69187620504482999495e-02, 6.66107313738753120669e-02, -5.83357013379057348645e-02,
	4.97687799461593236017e-02, -3.65315727442169155270e-02, 1.62858201153657823623e-02,
}

func arctangent(x float64) float64 {
	a := math.Abs(x)
	part := -1
	switch {
	case math.IsNaN(x):
		return x
	case a >= 0x1p66:
		return math.Copysign(arctanParts[3][0]+arctanParts[3][1], x)
	case a < 0.4375:
		if a < 0x1p-29 {
			return x
		}
		a = x
	case a < 0.6875:
		part, a = 0, (2*a-1)/(2+a)
	case a < 1.1875:
		part, a = 1, (a-1)/(a+1)
	case a < 2.4375:
		part, a = 2, (a-1.5)/(1+float64(1.5*a))
	default:
		part, a = 3, -1/a
	}
	z := a * a
	w := z * z
	c := &arctanSeries
	s1 := z * (c[0] + float64(w*(c[2]+float64(w*(c[4]+float64(w*(c[6]+float64(w*(c[8]+float64(w*c[10]))))))))))
	s2 := w * (c[1] + float64(w*(c[3]+float64(w*(c[5]+float64(w*(c[7]+float64(w*c[9]))))))))
	if part < 0 {
		return a - float64(a*(s1+s2))
	}
	p := arctanParts[part]
	return math.Copysign(p[0]-((float64(a*(s1+s2))-p[1])-a), x)
}

// arctangent2 is the angle of the point (x, y).
func arctangent2(y, x float64) float64 {
	const tiny = 1.0e-300
	const piLo = 1.2246467991473531772e-16
	switch {
	case math.IsNaN(x) || math.IsNaN(y):
		return math.NaN()
	case x == 1:
		return arctangent(y)
	}
	left := math.Signbit(x)
	switch {
	case y == 0:
		if left {
			return math.Copysign(math.Pi+tiny, y)
		}
		return y
	case x == 0:
		return math.Copysign(halfPiHi+tiny, y)
	case math.IsInf(x, 0) && math.IsInf(y, 0):
		if left {
			return math.Copysign(3*(math.Pi/4)+tiny, y)
		}
		return math.Copysign(math.Pi/4+tiny, y)
	case math.IsInf(x, 0):
		if left {
			return math.Copysign(math.Pi+tiny, y)
		}
		return math.Copysign(0, y)
	case math.IsInf(y, 0):
		return math.Copysign(halfPiHi+tiny, y)
	}
	k := int(math.Float64bits(math.Abs(y))>>52) - int(math.Float64bits(math.Abs(x))>>52)
	var z float64
	switch {
	case k > 60:
		z = halfPiHi + 0.5*piLo
	case left && k < -60:
		z = 0
	default:
		z = arctangent(math.Abs(y / x))
	}
	if left {
		z = math.Pi - (z - piLo)
	}
	return math.Copysign(z, y)
}

// hypotenuse is sqrt(x*x + y*y) without overflow.
func hypotenuse(x, y float64) float64 {
	a, b := math.Abs(x), math.Abs(y)
	if b > a {
		a, b = b, a
	}
	switch {
	case math.IsInf(a, 1) || math.IsInf(b, 1) || math.IsInf(x, 0) || math.IsInf(y, 0):
		return math.Inf(1)
	case math.IsNaN(x) || math.IsNaN(y):
		return math.NaN()
	}
	ha, hb := int64(math.Float64bits(a)>>32), int64(math.Float64bits(b)>>32)
	if ha-hb > 0x3c00000 {
		return a + b
	}
	k := 0
	if ha > 0x5f300000 {
		a, b, k = a*0x1p-600, b*0x1p-600, 600
	}
	if hb < 0x20b00000 {
		switch {
		case b == 0:
			return math.Ldexp(a, k)
		case hb < 0x00100000:
			a, b, k = a*0x1p1022, b*0x1p1022, k-1022
		default:
			a, b, k = a*0x1p600, b*0x1p600, k-600
		}
	}
	var w float64
	if w = a - b; w > b {
		t1 := upper32(a)
		t2 := a - t1
		w = math.Sqrt(float64(t1*t1) - (float64(b*(-b)) - float64(t2*(a+t1))))
	} else {
		a = a + a
		y1 := upper32(b)
		y2 := b - y1
		t1 := upper32(a)
		t2 := a - t1
		w = math.Sqrt(float64(t1*y1) - (float64(w*(-w)) - (float64(t1*y2) + float64(t2*b))))
	}
	return math.Ldexp(w, k)
}

func hyperbolicTangent(x float64) float64 {
	a := math.Abs(x)
	var z float64
	switch {
	case math.IsNaN(x):
		return x
	case a < 0x1p-55:
		return x * (1 + x)
	case a >= 22:
		z = 1
	case a >= 1:
		z = 1 - 2/(math.Expm1(2*a)+2)
	default:
		t := math.Expm1(-2 * a)
		z = -t / (t + 2)
	}
	return math.Copysign(z, x)
}
