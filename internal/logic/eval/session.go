package eval

import (
	"math"
	"time"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

// legacy is true for a call outside ANSI mode.
func (c *call) legacy() bool { return c.node != nil && c.node.In.Legacy }

// zone is the session's time zone, nil for UTC.
func (c *call) zone() *time.Location { return c.node.In.Zone }

// soft are the failures of a row that are NULL outside ANSI mode.
var soft = map[string]bool{
	"DIVIDE_BY_ZERO": true, "REMAINDER_BY_ZERO": true, "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION": true,
	"CANNOT_PARSE_TIMESTAMP": true, "ILLEGAL_DAY_OF_WEEK": true,
	"DATETIME_FIELD_OUT_OF_BOUNDS.WITH_SUGGESTION": true, "INVALID_FRACTION_OF_SECOND": true,
	"INVALID_ARRAY_INDEX": true, "INVALID_ARRAY_INDEX_IN_ELEMENT_AT": true,
}

// lenient makes the soft failures of a function NULL outside ANSI mode.
func lenient[T any](c *call, f func(i int) (T, error)) func(i int) (T, error) {
	if !c.legacy() {
		return f
	}
	return func(i int) (T, error) {
		v, err := f(i)
		if failed, ok := err.(*Error); ok && soft[failed.Class] {
			err = errNull
		}
		return v, err
	}
}

// local reads a date, or the clock at a timestamp: in the session's zone unless it
// is a timestamp without zone.
func (c *call) local(k int) func(int) int64 {
	v, zone := c.int(k), c.zone()
	if zone == nil || c.typ(k) != types.Timestamp {
		return v
	}
	return func(i int) int64 { return civil.Local(v(i), zone) }
}

// instant makes a reading of the clock a value of the result, which may be a
// timestamp with zone.
func (c *call) instant(local int64) int64 {
	if c.out() != types.Timestamp {
		return local
	}
	return civil.Instant(local, c.zone())
}

// moved is the instant at which the clock shows another reading than at a given
// instant; where that reading comes twice, the offset stays.
func moved(at, reading int64, zone *time.Location) int64 {
	if r := reading - civil.Local(at, zone) + at; civil.Local(r, zone) == reading {
		return r
	}
	return civil.Instant(reading, zone)
}

// zoneOf is the zone in which a value of the type is read: nil without zone.
func (c *call) zoneOf(t types.Type) *time.Location {
	if t == types.Timestamp {
		return c.zone()
	}
	return nil
}

// toInt32 converts as Java's (int) does.
func toInt32(f float64) int64 { return max(math.MinInt32, min(math.MaxInt32, saturate(f))) }

// lowBits are the 64 low bits of a decimal without its fraction (BigDecimal.longValue).
func lowBits(d decimal128.Num, scale int) int64 {
	if v, ok := small(d); ok && scale < 19 {
		return v / pow10[scale]
	}
	v := d.BigInt()
	v.Quo(v, powerOf10(scale))
	return int64(decimal128.FromBigInt(v).LowBits())
}

// javaDecimal writes a decimal as BigDecimal.toString does, with an exponent for small values.
func javaDecimal(plain []byte, d decimal128.Num, scale int) []byte {
	if scale == 0 {
		return plain
	}
	digits := d.Abs().BigInt().String()
	exp := len(digits) - 1 - scale
	if exp >= -6 {
		return plain
	}
	out := make([]byte, 0, len(digits)+6)
	if d.Sign() < 0 {
		out = append(out, '-')
	}
	out = append(out, digits[0])
	if len(digits) > 1 {
		out = append(append(out, '.'), digits[1:]...)
	}
	return append(append(out, 'E'), formatExponent(exp)...)
}

func formatExponent(exp int) string {
	text := []byte{byte('0' + -exp%10)}
	if -exp >= 10 {
		text = []byte{byte('0' + -exp/10), text[0]}
	}
	return "-" + string(text)
}
