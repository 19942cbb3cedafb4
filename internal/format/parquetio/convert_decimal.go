package parquetio

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"

	"github.com/sluicelake/sluice/types"
)

// integerDecimal converts unscaled integers of a scale in the file.
func integerDecimal[T int32 | int64](t types.Decimal, dt arrow.DataType, file types.Decimal, unsigned bool) convert {
	adapt := rescale(t, file)
	return func(v *vector) (arrow.Array, error) {
		in, out := view[T](v.fixed)[:v.n], make([]decimal128.Num, v.n)
		if !unsigned {
			for i, x := range in {
				out[i] = decimal128.New(int64(x)>>63, uint64(int64(x)))
			}
			return decimals(v, dt, out, adapt)
		}
		for i, x := range in {
			d := decimal128.FromI64(int64(x))
			if unsigned && x < 0 {
				if unsafe.Sizeof(x) == 4 {
					d = decimal128.FromI64(int64(uint32(x)))
				} else {
					d = decimal128.New(0, uint64(x))
				}
			}
			out[i] = d
		}
		return decimals(v, dt, out, adapt)
	}
}

// bytesDecimal converts big-endian two's complement numbers of any length.
func bytesDecimal(t types.Decimal, dt arrow.DataType, file types.Decimal) convert {
	adapt := rescale(t, file)
	return func(v *vector) (arrow.Array, error) {
		out := make([]decimal128.Num, v.n)
		for i := range out {
			b := v.data[v.offsets[i]:v.offsets[i+1]]
			if len(b) == 0 {
				continue
			}
			d, ok := bigEndian(b)
			if !ok {
				return nil, errOutOfRange
			}
			out[i] = d
		}
		return decimals(v, dt, out, adapt)
	}
}

// bigEndian reads a two's complement number; false when it exceeds 128 bits.
func bigEndian(b []byte) (decimal128.Num, bool) {
	sign := byte(int8(b[0]) >> 7)
	for len(b) > 16 {
		if b[0] != sign || b[1]>>7 != sign>>7 {
			return decimal128.Num{}, false
		}
		b = b[1:]
	}
	var full [16]byte
	if sign != 0 {
		for i := range 16 - len(b) {
			full[i] = 0xff
		}
	}
	copy(full[16-len(b):], b)
	return decimal128.New(int64(binary.BigEndian.Uint64(full[:8])), binary.BigEndian.Uint64(full[8:])), true
}

// rescale brings a number from the file's scale to the table's, if it fits there;
// nil when every number of the file is one of the table.
func rescale(t, file types.Decimal) func(decimal128.Num) (decimal128.Num, bool) {
	fileScale := file.Scale
	if t.Scale == fileScale && t.Precision >= file.Precision {
		return nil
	}
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.Precision)), nil)
	by := t.Scale - fileScale
	if by < 0 {
		by = -by
	}
	factor := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(by)), nil)
	return func(d decimal128.Num) (decimal128.Num, bool) {
		n := d.BigInt()
		if t.Scale > fileScale {
			n.Mul(n, factor)
		} else {
			rest := new(big.Int)
			if n.QuoRem(n, factor, rest); rest.Sign() != 0 {
				return d, false
			}
		}
		if n.CmpAbs(limit) >= 0 {
			return d, false
		}
		return decimal128.FromBigInt(n), true
	}
}

// fileDecimal is the precision and scale of the numbers of a leaf: those of its
// annotation, or what its integers reach.
func (n *parquetNode) fileDecimal() types.Decimal {
	if n.logical.kind == logicalDecimal {
		return types.Decimal{Precision: n.logical.precision, Scale: n.logical.scale}
	}
	bits := 32
	if n.physical == parquet.Types.Int64 {
		bits = 64
	}
	if n.logical.kind == logicalInteger {
		bits = n.logical.bits
	}
	return types.Decimal{Precision: map[int]int{8: 3, 16: 5, 32: 10, 64: 20}[bits]}
}

func decimals(v *vector, dt arrow.DataType, out []decimal128.Num, adapt func(decimal128.Num) (decimal128.Num, bool)) (arrow.Array, error) {
	if adapt != nil {
		for i, d := range out {
			if d.Sign() == 0 {
				continue
			}
			var ok bool
			if out[i], ok = adapt(d); !ok {
				return nil, fmt.Errorf("%w: %s does not fit into %s", errOutOfRange, d.BigInt(), dt)
			}
		}
	}
	return array.MakeFromData(array.NewData(dt, v.n, []*memory.Buffer{v.validity(), memory.NewBufferBytes(bytesOf(out))}, nil, v.nulls, 0)), nil
}
