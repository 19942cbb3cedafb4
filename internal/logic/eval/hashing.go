package eval

import (
	"math"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

func init() {
	register(map[string]func(*call) (arrow.Array, error){
		"hash":     func(c *call) (arrow.Array, error) { return hashRows(c, murmur) },
		"xxhash64": func(c *call) (arrow.Array, error) { return hashRows(c, xxValue) },
	})
}

// hashStep mixes a value into a hash: a text, or an integer of 64 bits (wide) or 32.
type hashStep func(h uint64, n int64, wide bool, text string, isText bool) uint64

// hashRows folds the values of a row into a hash that starts at 42; NULL leaves it as it is.
func hashRows(c *call, step hashStep) (arrow.Array, error) {
	args := make([]func(h uint64, i int) uint64, len(c.args))
	for k := range args {
		args[k] = hashColumn(c, k, step)
	}
	return makeInts(c.out(), c.n, nil, func(i int) (int64, error) {
		h := uint64(42)
		for _, f := range args {
			h = f(h, i)
		}
		return int64(h), nil
	})
}

// hashColumn mixes in the values of an argument.
func hashColumn(c *call, k int, step hashStep) func(h uint64, i int) uint64 {
	v, t := c.args[k], c.typ(k)
	switch {
	case t == types.String || t == types.Binary:
		s := texts(v)
		return func(h uint64, i int) uint64 {
			if v.null(i) {
				return h
			}
			return step(h, 0, false, s(i), true)
		}
	case types.IsIntegral(t) || t == types.Date || t == types.Timestamp || t == types.TimestampNTZ:
		n, wide := int64s(v), wideInteger(t)
		return func(h uint64, i int) uint64 {
			if v.null(i) {
				return h
			}
			return step(h, n(i), wide, "", false)
		}
	}
	boxed := c.any(k)
	return func(h uint64, i int) uint64 { return hashNested(h, boxed(i), t, step) }
}

func wideInteger(t types.Type) bool {
	k := t.Kind()
	return k == types.KindLong || k == types.KindTimestamp || k == types.KindTimestampNTZ || k == types.KindDayTimeInterval || k == types.KindTime
}

func hashNested(h uint64, v any, t types.Type, step hashStep) uint64 {
	switch x := v.(type) {
	case nil:
		return h
	case []any:
		for i, e := range x {
			et := elementType(t)
			if s, ok := t.(*types.Struct); ok {
				et = s.Fields[i].Type
			}
			h = hashNested(h, e, et, step)
		}
		return h
	case []columns.KV:
		m := t.(*types.Map)
		for _, kv := range x {
			h = hashNested(hashNested(h, kv.Key, m.Key, step), kv.Value, m.Value, step)
		}
		return h
	}
	n, wide, text, isText := word(v, t)
	return step(h, n, wide, text, isText)
}

// word is the integer that stands for a value, and whether it is 64 bits wide, or its bytes.
func word(v any, t types.Type) (n int64, wide bool, text string, isText bool) {
	switch x := v.(type) {
	case bool:
		return int64(b2i(x)), false, "", false
	case int64:
		return x, wideInteger(t), "", false
	case float64:
		switch {
		case x == 0:
			x = 0 // -0.0 hashes like 0.0
		case x != x && t == types.Float:
			return 0x7fc00000, false, "", false // the NaN of Java
		case x != x:
			return 0x7ff8000000000000, true, "", false
		}
		if t == types.Float {
			return int64(int32(math.Float32bits(float32(x)))), false, "", false
		}
		return int64(math.Float64bits(x)), true, "", false
	case expr.Decimal:
		if p, _ := typeOf(t); p <= 18 {
			return x.Unscaled.Int64(), true, "", false
		}
		return 0, false, string(twosComplement(x)), true
	case string:
		return 0, false, x, true
	case []byte:
		return 0, false, string(x), true
	}
	return 0, false, "", false
}

func low32(s string) uint32 {
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

func low64(s string) uint64 { return uint64(low32(s)) | uint64(low32(s[4:]))<<32 }

// twosComplement is java.math.BigInteger.toByteArray of the unscaled value.
func twosComplement(d expr.Decimal) []byte {
	n := columns.Constant(d, types.Decimal{Precision: 38, Scale: d.Scale}, 1).Data().Buffers()[1].Bytes()[:16]
	out := make([]byte, 16)
	for i := range out {
		out[i] = n[15-i]
	}
	for len(out) > 1 && (out[0] == 0 && out[1] < 0x80 || out[0] == 0xff && out[1] >= 0x80) {
		out = out[1:]
	}
	return out
}

func murmurMix(h, k uint32) uint32 {
	k *= 0xcc9e2d51
	k = bits.RotateLeft32(k, 15) * 0x1b873593
	return bits.RotateLeft32(h^k, 13)*5 + 0xe6546b64
}

func murmurEnd(h uint32, n int) uint32 {
	h ^= uint32(n)
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}

// murmur is Spark's Murmur3 with 32 bits; the last bytes of a text are mixed one by one.
func murmur(seed uint64, n int64, wide bool, text string, isText bool) uint64 {
	h := uint32(seed)
	switch {
	case isText:
		i := 0
		for ; i+4 <= len(text); i += 4 {
			h = murmurMix(h, low32(text[i:]))
		}
		for ; i < len(text); i++ {
			h = murmurMix(h, uint32(int32(int8(text[i]))))
		}
		return uint64(murmurEnd(h, len(text)))
	case wide:
		return uint64(murmurEnd(murmurMix(murmurMix(h, uint32(n)), uint32(n>>32)), 8))
	}
	return uint64(murmurEnd(murmurMix(h, uint32(n)), 4))
}

const (
	xx1 = 0x9E3779B185EBCA87
	xx2 = 0xC2B2AE3D27D4EB4F
	xx3 = 0x165667B19E3779F9
	xx4 = 0x85EBCA77C2B2AE63
	xx5 = 0x27D4EB2F165667C5
)

func xxEnd(h uint64) uint64 {
	h = (h ^ h>>33) * xx2
	h = (h ^ h>>29) * xx3
	return h ^ h>>32
}

func xxRound(acc, k uint64) uint64 { return bits.RotateLeft64(acc+k*xx2, 31) * xx1 }

// xxValue is XXH64 with the running hash as the seed.
func xxValue(seed uint64, n int64, wide bool, text string, isText bool) uint64 {
	switch {
	case isText:
		return xxBytes(seed, text)
	case wide:
		h := seed + xx5 + 8
		h ^= xxRound(0, uint64(n))
		return xxEnd(bits.RotateLeft64(h, 27)*xx1 + xx4)
	}
	h := seed + xx5 + 4
	h ^= uint64(uint32(n)) * xx1
	return xxEnd(bits.RotateLeft64(h, 23)*xx2 + xx3)
}

func xxBytes(seed uint64, b string) uint64 {
	n := uint64(len(b))
	h := seed + xx5
	if len(b) >= 32 {
		acc := [4]uint64{seed + xx1, seed, seed, seed}
		acc[0], acc[1] = acc[0]+xx2, acc[1]+xx2
		acc[3] -= xx1
		for ; len(b) >= 32; b = b[32:] {
			for i := range acc {
				acc[i] = xxRound(acc[i], low64(b[8*i:]))
			}
		}
		h = bits.RotateLeft64(acc[0], 1) + bits.RotateLeft64(acc[1], 7) + bits.RotateLeft64(acc[2], 12) + bits.RotateLeft64(acc[3], 18)
		for _, a := range acc {
			h = (h^xxRound(0, a))*xx1 + xx4
		}
	}
	h += n
	for ; len(b) >= 8; b = b[8:] {
		h = bits.RotateLeft64(h^xxRound(0, low64(b)), 27)*xx1 + xx4
	}
	if len(b) >= 4 {
		h = bits.RotateLeft64(h^uint64(low32(b))*xx1, 23)*xx2 + xx3
		b = b[4:]
	}
	for _, x := range []byte(b) {
		h = bits.RotateLeft64(h^uint64(x)*xx5, 11) * xx1
	}
	return xxEnd(h)
}
