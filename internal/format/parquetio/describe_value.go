package parquetio

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// logicalText is the annotation of a leaf in a few words, "" for none.
func (n *parquetNode) logicalText(c *schema.Column) string {
	switch l := n.logical; l.kind {
	case logicalNone:
		return ""
	case logicalString:
		return "string"
	case logicalDate:
		return "date"
	case logicalHalf:
		return "float16"
	case logicalDecimal:
		return fmt.Sprintf("decimal(%d,%d)", l.precision, l.scale)
	case logicalInteger:
		sign := ""
		if !l.signed {
			sign = "u"
		}
		return fmt.Sprintf("%sint%d", sign, l.bits)
	case logicalTimestamp:
		zone := "local"
		if l.utc {
			zone = "UTC"
		}
		return fmt.Sprintf("timestamp(%s, %s)", unitText(l.unit), zone)
	}
	return strings.ToLower(c.LogicalType().String())
}

func unitText(u schema.TimeUnitType) string {
	switch u {
	case schema.TimeUnitMillis:
		return "ms"
	case schema.TimeUnitMicros:
		return "us"
	case schema.TimeUnitNanos:
		return "ns"
	}
	return "?"
}

// boundText spells a bound of the column; nil when there is none.
func (n *parquetNode) boundText(raw []byte) *string {
	if raw == nil {
		return nil
	}
	s := n.valueText(raw)
	return &s
}

func (n *parquetNode) valueText(raw []byte) string {
	bits := binary.LittleEndian
	switch {
	case n.physical == parquet.Types.Boolean && len(raw) == 1:
		return strconv.FormatBool(raw[0] != 0)
	case n.physical == parquet.Types.Int32 && len(raw) == 4:
		v := int64(int32(bits.Uint32(raw)))
		if n.logical.kind == logicalInteger && !n.logical.signed {
			v = int64(bits.Uint32(raw))
		}
		return n.integerText(v)
	case n.physical == parquet.Types.Int64 && len(raw) == 8:
		if n.logical.kind == logicalInteger && !n.logical.signed {
			return strconv.FormatUint(bits.Uint64(raw), 10)
		}
		return n.integerText(int64(bits.Uint64(raw)))
	case n.physical == parquet.Types.Float && len(raw) == 4:
		return strconv.FormatFloat(float64(math.Float32frombits(bits.Uint32(raw))), 'g', -1, 32)
	case n.physical == parquet.Types.Double && len(raw) == 8:
		return strconv.FormatFloat(math.Float64frombits(bits.Uint64(raw)), 'g', -1, 64)
	case n.physical == parquet.Types.Int96 && len(raw) == 12:
		day := int64(bits.Uint32(raw[8:])) - 2440588 // the Julian day of 1970-01-01
		return time.Unix(day*86400, int64(bits.Uint64(raw))).UTC().Format("2006-01-02T15:04:05.999999999Z")
	case n.physical == parquet.Types.FixedLenByteArray && n.logical.kind == logicalHalf && len(raw) == 2:
		return float16.FromLEBytes(raw).String()
	case n.physical == parquet.Types.ByteArray || n.physical == parquet.Types.FixedLenByteArray:
		if n.logical.kind == logicalDecimal && len(raw) <= 64 {
			return decimalText(fromBigEndian(raw), n.logical.scale)
		}
		if (n.logical.kind == logicalString || n.logical.kind == logicalText) && utf8.Valid(raw) {
			return shorten(string(raw))
		}
	}
	return "0x" + shorten(hex.EncodeToString(raw[:min(len(raw), shownValue)]))
}

func (n *parquetNode) integerText(v int64) string {
	switch n.logical.kind {
	case logicalDate:
		if v > -1<<31 && v < 1<<31 {
			return time.Unix(v*86400, 0).UTC().Format("2006-01-02")
		}
	case logicalDecimal:
		return decimalText(big.NewInt(v), n.logical.scale)
	case logicalTimestamp:
		var t time.Time
		switch n.logical.unit {
		case schema.TimeUnitMillis:
			t = time.UnixMilli(v)
		case schema.TimeUnitMicros:
			t = time.UnixMicro(v)
		default:
			t = time.Unix(v/1e9, v%1e9)
		}
		form := "2006-01-02T15:04:05.999999999"
		if n.logical.utc {
			form += "Z"
		}
		return t.UTC().Format(form)
	}
	return strconv.FormatInt(v, 10)
}

func fromBigEndian(raw []byte) *big.Int {
	v := new(big.Int).SetBytes(raw)
	if len(raw) > 0 && raw[0]&0x80 != 0 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(raw))))
	}
	return v
}

func decimalText(v *big.Int, scale int) string {
	if scale <= 0 || scale > 100 {
		return v.String()
	}
	sign, digits := "", new(big.Int).Abs(v).String()
	if v.Sign() < 0 {
		sign = "-"
	}
	if len(digits) <= scale {
		digits = strings.Repeat("0", scale-len(digits)+1) + digits
	}
	return sign + digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
}

// shorten cuts a long text between characters.
func shorten(s string) string {
	if len(s) <= shownValue {
		return s
	}
	cut := shownValue
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
