package eval

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

func init() {
	register(map[string]func(*call) (arrow.Array, error){
		"hash": func(c *call) (arrow.Array, error) {
			return hashRows(c, func(h uint64, v any, t types.Type) uint64 { return uint64(murmur(uint32(h), v, t)) })
		},
		"xxhash64": func(c *call) (arrow.Array, error) { return hashRows(c, xxValue) },
	})
}

// hashRows folds the values of a row into a hash that starts at 42; NULL leaves it as it is.
func hashRows(c *call, step func(h uint64, v any, t types.Type) uint64) (arrow.Array, error) {
	return makeInts(c.out(), c.n, nil, func(i int) (int64, error) {
		h := uint64(42)
		for k := range c.args {
			h = hashNested(h, c.any(k)(i), c.typ(k), step)
		}
		return int64(h), nil
	})
}

func hashNested(h uint64, v any, t types.Type, step func(uint64, any, types.Type) uint64) uint64 {
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
	return step(h, v, t)
}

// word is the integer that stands for a value, and whether it is 64 bits wide.
func word(v any, t types.Type) (n int64, wide bool, text []byte) {
	switch x := v.(type) {
	case bool:
		return int64(b2i(x)), false, nil
	case int64:
		k := t.Kind()
		return x, k == types.KindLong || k == types.KindTimestamp || k == types.KindTimestampNTZ || k == types.KindDayTimeInterval, nil
	case float64:
		if x == 0 {
			x = 0 // -0.0 hashes like 0.0
		}
		if t == types.Float {
			return int64(int32(math.Float32bits(float32(x)))), false, nil
		}
		return int64(math.Float64bits(x)), true, nil
	case expr.Decimal:
		if p, _ := typeOf(t); p <= 18 {
			return x.Unscaled.Int64(), true, nil
		}
		return 0, false, twosComplement(x)
	case string:
		return 0, false, []byte(x)
	case []byte:
		return 0, false, x
	}
	return 0, false, nil
}

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
func murmur(h uint32, v any, t types.Type) uint32 {
	n, wide, text := word(v, t)
	switch {
	case text != nil:
		i := 0
		for ; i+4 <= len(text); i += 4 {
			h = murmurMix(h, binary.LittleEndian.Uint32(text[i:]))
		}
		for ; i < len(text); i++ {
			h = murmurMix(h, uint32(int32(int8(text[i]))))
		}
		return murmurEnd(h, len(text))
	case wide:
		return murmurEnd(murmurMix(murmurMix(h, uint32(n)), uint32(n>>32)), 8)
	}
	return murmurEnd(murmurMix(h, uint32(n)), 4)
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
func xxValue(seed uint64, v any, t types.Type) uint64 {
	n, wide, text := word(v, t)
	switch {
	case text != nil:
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

func xxBytes(seed uint64, b []byte) uint64 {
	n := uint64(len(b))
	h := seed + xx5
	if len(b) >= 32 {
		acc := [4]uint64{seed + xx1, seed, seed, seed}
		acc[0], acc[1] = acc[0]+xx2, acc[1]+xx2
		acc[3] -= xx1
		for ; len(b) >= 32; b = b[32:] {
			for i := range acc {
				acc[i] = xxRound(acc[i], binary.LittleEndian.Uint64(b[8*i:]))
			}
		}
		h = bits.RotateLeft64(acc[0], 1) + bits.RotateLeft64(acc[1], 7) + bits.RotateLeft64(acc[2], 12) + bits.RotateLeft64(acc[3], 18)
		for _, a := range acc {
			h = (h^xxRound(0, a))*xx1 + xx4
		}
	}
	h += n
	for ; len(b) >= 8; b = b[8:] {
		h = bits.RotateLeft64(h^xxRound(0, binary.LittleEndian.Uint64(b)), 27)*xx1 + xx4
	}
	if len(b) >= 4 {
		h = bits.RotateLeft64(h^uint64(binary.LittleEndian.Uint32(b))*xx1, 23)*xx2 + xx3
		b = b[4:]
	}
	for _, x := range b {
		h = bits.RotateLeft64(h^uint64(x)*xx5, 11) * xx1
	}
	return xxEnd(h)
}
