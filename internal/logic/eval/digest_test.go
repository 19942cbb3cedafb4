package eval

import (
	"testing"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types/civil"
)

// The values are those of the examples in Spark's function reference, and the
// test vectors of the algorithms.
func TestDigestsAreSparks(t *testing.T) {
	for text, want := range map[string]string{
		"md5('Spark')":                     "string 8cde774d6f7333752ed72cacddb05126",
		"md5('')":                          "string d41d8cd98f00b204e9800998ecf8427e",
		"sha('Spark')":                     "string 85f5955f4b27a9a4c2aab6ffe5d7189fc298b92c",
		"sha1('abc')":                      "string a9993e364706816aba3e25717850c26c9cd0d89d",
		"sha2('Spark', 256)":               "string 529bc3b07127ecb7e53a4dcf1991d9152c24537d919178022b2c42657f79a26b",
		"sha2('abc', 224)":                 "string 23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
		"sha2('Spark', 3)":                 "string NULL",
		"crc32('Spark')":                   "bigint 1557323817",
		"hash('Spark', array(123), 2)":     "int -1321691492",
		"xxhash64('Spark', array(123), 2)": "bigint 5602566077635097486",
		"hash(NULL)":                       "int 42",
		"hash(0.0D) = hash(-0.0D)":         "boolean true",
		"hash(CAST('NaN' AS DOUBLE)) = hash(9221120237041090560L)": "boolean true", // the bits of Java's NaN
	} {
		if got := shown(t, text, expr.Options{}); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestRoundingOfSmallAndLargeNumbersAgrees(t *testing.T) {
	for _, fn := range []string{"round", "bround", "ceil", "floor"} {
		for _, v := range []int64{0, 1, 4, 5, 6, 14, 15, 16, 25, 35, -4, -5, -6, -15, -25, 99, 999999999999999} {
			for _, unit := range []int64{1, 10, 100} {
				if got, want := quotient(fn, v, unit), divideBy(fn, bigInt(v), bigInt(unit)); got != want.Int64() {
					t.Errorf("%s of %d / %d: %d, want %s", fn, v, unit, got, want)
				}
			}
		}
	}
}

func FuzzSmallDecimal(f *testing.F) {
	for _, s := range []string{"0", "-1.50", "+.5", "1.", " 7 ", "", "-", "1e3", "99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, scale, ok := smallDecimal(s)
		if !ok {
			return
		}
		d, ok := expr.ParseDecimal(civil.Trim(s))
		if !ok || d.Scale != scale || !d.Unscaled.IsInt64() || d.Unscaled.Int64() != v {
			t.Errorf("%q is %d scale %d, want %v", s, v, scale, d)
		}
	})
}

func FuzzFloatDecimal(f *testing.F) {
	for _, x := range []float64{0, 1, -0.5, 1e16, 1.5e-7, 123456.789} {
		f.Add(x)
	}
	f.Fuzz(func(t *testing.T, x float64) {
		v, scale, ok := floatDecimal(x)
		if !ok {
			return
		}
		d, parsed := expr.ParseDecimal(formatFloat(x, 64))
		if !parsed || rescale(bigInt(v), scale, 40).Cmp(rescale(d.Unscaled, d.Scale, 40)) != 0 {
			t.Errorf("%v is %d scale %d, want %v", x, v, scale, d)
		}
	})
}
