package eval

import (
	"encoding/binary"
	"math"
	"math/big"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

// castMode says what becomes of a value that does not convert: an error, NULL
// (try, and outside ANSI mode), or the error of storing it in the column called assign.
type castMode struct {
	try    bool
	legacy bool // integers wrap, other failures are NULL
	assign string
	byName bool
	class  string // of an overflow in an assignment
	zone   *time.Location
}

func modeOf(x *expr.Cast) castMode {
	return castMode{try: x.Try, legacy: x.In.Legacy && !x.Try && x.Assign == "", assign: x.Assign, byName: x.ByName, class: x.Overflow, zone: x.In.Zone}
}

// caster converts the values of one array.
type caster struct {
	in       arrow.Array
	from, to types.Type
	mode     castMode
	ok       []byte
}

// castArray converts between types by the rules of Spark's CAST.
func castArray(a arrow.Array, from, to types.Type, mode castMode) (arrow.Array, error) {
	dt, err := arrowType(to)
	if err != nil {
		return nil, err
	}
	switch {
	case a.DataType().ID() == arrow.NULL:
		return columns.Nulls(dt, a.Len()), nil
	case types.SameIgnoringNullability(from, to):
		return retype(a, dt), nil
	case from == types.Variant:
		return (&caster{in: a, from: from, to: to, mode: mode, ok: validity(a)}).fromVariant()
	case types.IsNested(to) && types.IsNested(from):
		return castNested(a, from, to, mode, dt)
	case from == types.Date && (types.IsNumeric(to) || to == types.Boolean):
		return columns.Nulls(dt, a.Len()), nil // outside ANSI mode, as in Hive
	}
	c := &caster{in: a, from: from, to: to, mode: mode, ok: validity(a)}
	switch to.Kind() {
	case types.KindByte, types.KindShort, types.KindInteger, types.KindLong:
		return c.toInteger()
	case types.KindFloat, types.KindDouble:
		return c.toFloat()
	case types.KindDecimal:
		return c.toDecimal()
	case types.KindString:
		in := expr.Session{Legacy: mode.legacy, Zone: mode.zone}
		if text := appender(a, from, in); text != nil {
			return makeText(to, a.Len(), c.ok, func(b []byte, i int) ([]byte, error) { return text(b, i), nil })
		}
		text := texter(a, from, in)
		return makeStrings(to, a.Len(), c.ok, func(i int) (string, error) { return text(i), nil })
	case types.KindBinary:
		return c.toBinary()
	case types.KindBoolean:
		return c.toBoolean()
	case types.KindDate, types.KindTimestamp, types.KindTimestampNTZ, types.KindTime:
		return c.toTime()
	case types.KindDayTimeInterval, types.KindYearMonthInterval:
		return c.toInterval()
	case types.KindCalendarInterval:
		s := texts(vec{arr: a})
		return makeBoxed(to, a.Len(), c.ok, func(i int) (any, error) {
			v, ok := parseCalendar(s(i))
			if !ok {
				return nil, nil
			}
			return v.boxed(), nil
		})
	case types.KindVariant:
		return toVariant(a, from)
	}
	return nil, failf("INTERNAL_ERROR", "there is no cast from %s to %s", types.SQL(from), types.SQL(to))
}

// silent is true when what does not convert is NULL.
func (c *caster) silent() bool {
	return c.mode.try || c.mode.legacy && !isInterval(c.from) && !isInterval(c.to) && c.from != types.Variant
}

// fails turns a failure into what the mode asks for.
func (c *caster) fails(err *Error) error {
	if c.silent() {
		return errNull
	}
	if c.mode.assign != "" && (err.Class == "CAST_OVERFLOW" || err.Class == "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION") {
		class := c.mode.class
		if class == "" {
			class = "CAST_OVERFLOW_IN_TABLE_INSERT"
		}
		return failf(class, "a value of type %s does not fit the column %s of type %s",
			types.SQL(c.from), types.QuoteIdentifier(c.mode.assign), types.SQL(c.to))
	}
	return err
}

func (c *caster) invalid(text string) error {
	if c.silent() {
		return errNull
	}
	return c.fails(failf("CAST_INVALID_INPUT", "the value %q of type %s cannot be cast to %s", clip(text), types.SQL(c.from), types.SQL(c.to)))
}

func (c *caster) overflow(value string) error {
	return c.fails(failf("CAST_OVERFLOW", "the value %s of type %s cannot be cast to %s: it is out of range", value, types.SQL(c.from), types.SQL(c.to)))
}

func clip(s string) string {
	if len(s) > 100 {
		return s[:100] + "..."
	}
	return s
}

func intRange(t types.Type) (low, high int64) {
	switch t.Kind() {
	case types.KindByte:
		return math.MinInt8, math.MaxInt8
	case types.KindShort:
		return math.MinInt16, math.MaxInt16
	case types.KindInteger:
		return math.MinInt32, math.MaxInt32
	}
	return math.MinInt64, math.MaxInt64
}

func (c *caster) toInteger() (arrow.Array, error) {
	low, high := intRange(c.to)
	check := func(v int64) (int64, error) {
		if v < low || v > high {
			if c.silent() {
				return 0, errNull
			}
			return 0, c.overflow(strconv.FormatInt(v, 10))
		}
		return v, nil
	}
	n := c.in.Len()
	switch k := c.from.Kind(); {
	case k == types.KindString:
		s := texts(vec{arr: c.in})
		parse := parseInt
		if c.mode.legacy {
			parse = parseWhole
		}
		return makeInts(c.to, n, c.ok, func(i int) (int64, error) {
			v, ok := parse(s(i))
			if !ok || v < low || v > high {
				return 0, c.invalid(s(i))
			}
			return v, nil
		})
	case k == types.KindBoolean:
		b := boolBits(c.in)
		return makeInts(c.to, n, c.ok, func(i int) (int64, error) { return int64(b2i(isSet(b, i))), nil })
	case k == types.KindFloat || k == types.KindDouble:
		f := floatsOf(c.in)
		if c.mode.legacy {
			convert := toInt32
			if c.to == types.Long {
				convert = saturate
			}
			return makeInts(c.to, n, c.ok, func(i int) (int64, error) { return convert(f(i)), nil })
		}
		return makeInts(c.to, n, c.ok, func(i int) (int64, error) {
			v := f(i)
			if !(math.Floor(v) <= float64(high) && math.Ceil(v) >= float64(low)) {
				return 0, c.overflow(formatFloat(v, 64))
			}
			if v >= math.MaxInt64 {
				return high, nil // 2^63 passes the check of Spark and saturates
			}
			return int64(v), nil
		})
	case k == types.KindDecimal:
		a := c.in.(*array.Decimal128)
		_, scale := typeOf(c.from)
		if c.mode.legacy {
			return makeInts(c.to, n, c.ok, func(i int) (int64, error) { return lowBits(a.Value(i), scale), nil })
		}
		return makeInts(c.to, n, c.ok, func(i int) (int64, error) {
			d := a.Value(i)
			if v, ok := small(d); ok && scale < 19 {
				return check(v / pow10[scale])
			}
			v := new(big.Int).Quo(d.BigInt(), powerOf10(scale))
			if !v.IsInt64() {
				return 0, c.overflow(v.String())
			}
			return check(v.Int64())
		})
	case k == types.KindTimestamp:
		v := int64s(vec{arr: c.in})
		return makeInts(c.to, n, c.ok, func(i int) (int64, error) { return check(floorDiv(v(i), 1_000_000)) })
	case k == types.KindVariant:
		return c.fromVariant()
	case k == types.KindDayTimeInterval || k == types.KindYearMonthInterval:
		v, unit := int64s(vec{arr: c.in}), intervalUnit(c.from.(types.Interval))
		return makeInts(c.to, n, c.ok, func(i int) (int64, error) { return check(v(i) / unit) })
	}
	v := int64s(vec{arr: c.in})
	if c.mode.legacy || low <= minOf(c.from) && high >= maxOf(c.from) {
		return c.widen(v)
	}
	return makeInts(c.to, n, c.ok, func(i int) (int64, error) { return check(v(i)) })
}

func minOf(t types.Type) int64 { l, _ := intRange(t); return l }

func maxOf(t types.Type) int64 { _, h := intRange(t); return h }

// widen converts to a wider integer in one loop.
func (c *caster) widen(v func(int) int64) (arrow.Array, error) {
	dt, err := arrowType(c.to)
	if err != nil {
		return nil, err
	}
	if c.to == types.Long && c.from == types.Integer {
		in := values[int32](c.in)
		out := make([]int64, len(in))
		for i, x := range in {
			out[i] = int64(x)
		}
		return makeFixed(dt, out, c.ok), nil
	}
	return makeInts(c.to, c.in.Len(), c.ok, func(i int) (int64, error) { return v(i), nil })
}

func floatsOf(a arrow.Array) func(int) float64 {
	return (&call{args: []vec{{arr: a}}}).float(0)
}

func (c *caster) toFloat() (arrow.Array, error) {
	n, bits := c.in.Len(), 64
	if c.to == types.Float {
		bits = 32
	}
	switch k := c.from.Kind(); {
	case k == types.KindString:
		s := texts(vec{arr: c.in})
		return makeFloats(c.to, n, c.ok, func(i int) (float64, error) {
			v, ok := parseFloat(s(i), bits)
			if !ok {
				return 0, c.invalid(s(i))
			}
			return v, nil
		})
	case k == types.KindBoolean:
		b := boolBits(c.in)
		return makeFloats(c.to, n, c.ok, func(i int) (float64, error) { return float64(b2i(isSet(b, i))), nil })
	case k == types.KindFloat || k == types.KindDouble:
		f := floatsOf(c.in)
		return makeFloats(c.to, n, c.ok, func(i int) (float64, error) { return f(i), nil })
	case k == types.KindDecimal:
		a := c.in.(*array.Decimal128)
		_, scale := typeOf(c.from)
		return makeFloats(c.to, n, c.ok, func(i int) (float64, error) { return decToFloat(a.Value(i), scale, bits), nil })
	case k == types.KindTimestamp:
		v := int64s(vec{arr: c.in})
		return makeFloats(c.to, n, c.ok, func(i int) (float64, error) { return float64(v(i)) / 1e6, nil })
	case k == types.KindVariant:
		return c.fromVariant()
	}
	v := int64s(vec{arr: c.in})
	if bits == 32 {
		return makeFloats(c.to, n, c.ok, func(i int) (float64, error) { return float64(float32(v(i))), nil })
	}
	return makeFloats(c.to, n, c.ok, func(i int) (float64, error) { return float64(v(i)), nil })
}

// decToFloat is the nearest float: exact by one division when both parts are exact.
func decToFloat(d dec, scale, bits int) float64 {
	if v, ok := small(d); ok && bits == 64 && scale <= 18 && v < 1<<53 && v > -1<<53 {
		return float64(v) / float64(pow10[scale])
	}
	f, _ := strconv.ParseFloat(expr.Decimal{Unscaled: d.BigInt(), Scale: scale}.String(), bits)
	return f
}

func (c *caster) toDecimal() (arrow.Array, error) {
	n := c.in.Len()
	p, s := typeOf(c.to)
	exact := func(v *big.Int, scale int) (dec, error) {
		d, err := fit(v, scale, c.to)
		if err != nil {
			return d, c.fails(err.(*Error))
		}
		return d, nil
	}
	fromFloat := func(f float64) (dec, error) {
		if v, scale, ok := floatDecimal(f); ok {
			if r, ok := fitSmall(v, scale, p, s); ok {
				return r, nil
			}
		}
		d, ok := expr.ParseDecimal(formatFloat(f, 64))
		if !ok {
			return dec{}, errNull // NaN and the infinities
		}
		return exact(d.Unscaled, d.Scale)
	}
	switch k := c.from.Kind(); {
	case k == types.KindString:
		text := texts(vec{arr: c.in})
		return makeDecs(c.to, n, c.ok, func(i int) (dec, error) {
			if v, scale, ok := smallDecimal(text(i)); ok {
				if r, ok := fitSmall(v, scale, p, s); ok {
					return r, nil
				}
			}
			d, ok := expr.ParseDecimal(civil.Trim(text(i)))
			if !ok {
				return dec{}, c.invalid(text(i))
			}
			return exact(d.Unscaled, d.Scale)
		})
	case k == types.KindBoolean:
		b := boolBits(c.in)
		return makeDecs(c.to, n, c.ok, func(i int) (dec, error) { return exact(big.NewInt(int64(b2i(isSet(b, i)))), 0) })
	case k == types.KindFloat || k == types.KindDouble:
		f := floatsOf(c.in)
		return makeDecs(c.to, n, c.ok, func(i int) (dec, error) { return fromFloat(f(i)) })
	case k == types.KindDecimal:
		a := c.in.(*array.Decimal128)
		_, scale := typeOf(c.from)
		return makeDecs(c.to, n, c.ok, func(i int) (dec, error) {
			d := a.Value(i)
			if v, ok := small(d); ok {
				if r, ok := fitSmall(v, scale, p, s); ok {
					return r, nil
				}
			}
			return exact(d.BigInt(), scale)
		})
	case k == types.KindTimestamp:
		v := int64s(vec{arr: c.in})
		return makeDecs(c.to, n, c.ok, func(i int) (dec, error) { return fromFloat(float64(v(i)) / 1e6) })
	case k == types.KindVariant:
		return c.fromVariant()
	case k == types.KindDayTimeInterval || k == types.KindYearMonthInterval:
		v, unit := int64s(vec{arr: c.in}), intervalUnit(c.from.(types.Interval))
		return makeDecs(c.to, n, c.ok, func(i int) (dec, error) {
			return exact(divHalfUp(new(big.Int).Mul(big.NewInt(v(i)), powerOf10(6)), big.NewInt(unit)), 6)
		})
	}
	v := int64s(vec{arr: c.in})
	return makeDecs(c.to, n, c.ok, func(i int) (dec, error) {
		if r, ok := fitSmall(v(i), 0, p, s); ok {
			return r, nil
		}
		return exact(big.NewInt(v(i)), 0)
	})
}

// toBinary takes the bytes of a text; outside ANSI mode those of an integer, the highest first.
func (c *caster) toBinary() (arrow.Array, error) {
	if c.from == types.String {
		text := texts(vec{arr: c.in})
		return makeStrings(c.to, c.in.Len(), c.ok, func(i int) (string, error) { return text(i), nil })
	}
	v := int64s(vec{arr: c.in})
	width := map[types.Kind]int{types.KindByte: 1, types.KindShort: 2, types.KindInteger: 4}[c.from.Kind()]
	if width == 0 {
		width = 8
	}
	return makeStrings(c.to, c.in.Len(), c.ok, func(i int) (string, error) {
		return string(binary.BigEndian.AppendUint64(nil, uint64(v(i)))[8-width:]), nil
	})
}

func (c *caster) toBoolean() (arrow.Array, error) {
	n := c.in.Len()
	switch k := c.from.Kind(); {
	case k == types.KindString:
		s := texts(vec{arr: c.in})
		return makeBools(n, c.ok, func(i int) (bool, error) {
			v, ok := parseBool(s(i))
			if !ok {
				return false, c.invalid(s(i))
			}
			return v, nil
		})
	case k == types.KindFloat || k == types.KindDouble:
		f := floatsOf(c.in)
		return makeBools(n, c.ok, func(i int) (bool, error) { return f(i) != 0, nil })
	case k == types.KindDecimal:
		a := c.in.(*array.Decimal128)
		return makeBools(n, c.ok, func(i int) (bool, error) { return a.Value(i) != decimal128.Num{}, nil })
	case k == types.KindVariant:
		return c.fromVariant()
	}
	v := int64s(vec{arr: c.in})
	return makeBools(n, c.ok, func(i int) (bool, error) { return v(i) != 0, nil })
}

func (c *caster) toTime() (arrow.Array, error) {
	n := c.in.Len()
	switch c.from.Kind() {
	case types.KindString:
		s, now := texts(vec{arr: c.in}), time.Now()
		return makeInts(c.to, n, c.ok, func(i int) (int64, error) {
			v, ok := parseTimeText(s(i), c.to, now, c.mode.zone)
			if !ok {
				return 0, c.invalid(s(i))
			}
			return v, nil
		})
	case types.KindFloat, types.KindDouble:
		f := floatsOf(c.in)
		return makeInts(c.to, n, c.ok, func(i int) (int64, error) {
			v := f(i)
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return 0, c.fails(failf("CAST_INVALID_INPUT", "the value %s cannot be cast to TIMESTAMP", formatFloat(v, 64)))
			}
			if v *= 1e6; (v >= math.MaxInt64 || v <= math.MinInt64) && !c.mode.legacy {
				return 0, c.overflow(formatFloat(v, 64))
			}
			return saturate(v), nil
		})
	case types.KindBoolean: // outside ANSI mode
		b := boolBits(c.in)
		return makeInts(c.to, n, c.ok, func(i int) (int64, error) { return int64(b2i(isSet(b, i))), nil })
	case types.KindDecimal:
		a := c.in.(*array.Decimal128)
		_, scale := typeOf(c.from)
		return makeInts(c.to, n, c.ok, func(i int) (int64, error) {
			v := new(big.Int).Mul(a.Value(i).BigInt(), powerOf10(6))
			v.Quo(v, powerOf10(scale))
			return int64(new(big.Int).And(v, new(big.Int).SetUint64(math.MaxUint64)).Uint64()), nil
		})
	case types.KindVariant:
		return c.fromVariant()
	}
	v := int64s(vec{arr: c.in})
	return makeInts(c.to, n, c.ok, func(i int) (int64, error) { return convertTime(v(i), c.from, c.to, c.mode.zone) })
}

// convertTime converts dates and timestamps, and seconds of the epoch.
func convertTime(v int64, from, to types.Type, zone *time.Location) (int64, error) {
	switch {
	case to == types.Date:
		if from == types.Timestamp {
			v = civil.Local(v, zone)
		}
		days, _ := civil.Split(v)
		return days, nil
	case from == types.Date:
		if v > math.MaxInt64/civil.MicrosPerDay || v < math.MinInt64/civil.MicrosPerDay {
			return 0, failf("DATETIME_OVERFLOW", "the date %s is no timestamp", civil.FormatDate(v))
		}
		if v *= civil.MicrosPerDay; to == types.Timestamp {
			v = civil.Instant(v, zone)
		}
		return v, nil
	case from == types.Timestamp && to == types.TimestampNTZ:
		return civil.Local(v, zone), nil
	case from == types.TimestampNTZ && to == types.Timestamp:
		return civil.Instant(v, zone), nil
	case to.Kind() == types.KindTime:
		_, ofDay := civil.Split(v)
		return ofDay, nil
	case types.IsIntegral(from):
		if r, ok := mul64(v, 1_000_000); ok {
			return r, nil
		} else if v > 0 {
			return math.MaxInt64, nil
		}
		return math.MinInt64, nil
	}
	return v, nil
}

func parseTimeText(s string, to types.Type, now time.Time, zone *time.Location) (int64, bool) {
	switch to.Kind() {
	case types.KindDate:
		return civil.ParseDate(s)
	case types.KindTimestamp:
		return civil.ParseTimestampIn(s, now, zone)
	case types.KindTimestampNTZ:
		return civil.ParseTimestampNTZ(s)
	}
	return civil.ParseTime(s)
}

func intervalUnit(t types.Interval) int64 {
	return map[types.Unit]int64{types.Year: 12, types.Month: 1, types.Day: 86_400_000_000, types.Hour: 3_600_000_000,
		types.Minute: 60_000_000, types.Second: 1_000_000}[t.To]
}

func (c *caster) toInterval() (arrow.Array, error) {
	n, t := c.in.Len(), c.to.(types.Interval)
	switch {
	case c.from == types.String:
		s := texts(vec{arr: c.in})
		return makeInts(c.to, n, c.ok, func(i int) (int64, error) {
			v, ok := expr.ParseIntervalText(s(i), t)
			if !ok {
				class := "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING_WITH_NOTICE"
				if t.From == t.To && t.From <= types.Month {
					class = "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING"
				}
				return 0, c.fails(failf(class, "%q is no %s", clip(s(i)), types.SQL(c.to)))
			}
			return v, nil
		})
	case types.IsIntegral(c.from):
		v := int64s(vec{arr: c.in})
		return makeInts(c.to, n, c.ok, func(i int) (int64, error) {
			r, ok := mul64(v(i), intervalUnit(t))
			if !ok || t.From <= types.Month && int64(int32(r)) != r {
				return 0, c.overflow(strconv.FormatInt(v(i), 10))
			}
			return r, nil
		})
	case c.from.Kind() == types.KindDecimal:
		a := c.in.(*array.Decimal128)
		_, scale := typeOf(c.from)
		return makeInts(c.to, n, c.ok, func(i int) (int64, error) {
			v := new(big.Int).Mul(a.Value(i).BigInt(), big.NewInt(intervalUnit(t)))
			v = divHalfUp(v, powerOf10(scale))
			if !v.IsInt64() || t.From <= types.Month && int64(int32(v.Int64())) != v.Int64() {
				return 0, c.overflow(expr.Decimal{Unscaled: a.Value(i).BigInt(), Scale: scale}.String())
			}
			return v.Int64(), nil
		})
	}
	v, unit := int64s(vec{arr: c.in}), intervalUnit(t)
	if t.To == types.Second {
		unit = 1
	}
	return makeInts(c.to, n, c.ok, func(i int) (int64, error) { return v(i) / unit * unit, nil })
}

// castNested converts the parts of arrays, maps and structs.
func castNested(a arrow.Array, from, to types.Type, mode castMode, dt arrow.DataType) (arrow.Array, error) {
	d := a.Data()
	switch x := from.(type) {
	case *types.Array:
		l := a.(*array.List)
		kid, err := castArray(l.ListValues(), x.Element, to.(*types.Array).Element, mode)
		if err != nil {
			return nil, err
		}
		return array.MakeFromData(array.NewData(dt, d.Len(), d.Buffers(), []arrow.ArrayData{kid.Data()}, d.NullN(), d.Offset())), nil
	case *types.Map:
		m, y := a.(*array.Map), to.(*types.Map)
		k, err := castArray(m.Keys(), x.Key, y.Key, mode)
		if err != nil {
			return nil, err
		}
		v, err := castArray(m.Items(), x.Value, y.Value, mode)
		if err != nil {
			return nil, err
		}
		entries := array.NewData(dt.(*arrow.MapType).Elem(), k.Len(), d.Children()[0].Buffers()[:1], []arrow.ArrayData{k.Data(), v.Data()}, 0, 0)
		return array.MakeFromData(array.NewData(dt, d.Len(), d.Buffers(), []arrow.ArrayData{entries}, d.NullN(), d.Offset())), nil
	}
	s, x, y := a.(*array.Struct), from.(*types.Struct), to.(*types.Struct)
	ok := validity(a)
	kids := make([]arrow.ArrayData, len(y.Fields))
	for i := range kids {
		at := i
		if mode.byName {
			if at = x.Index(y.Fields[i].Name); at < 0 {
				kids[i] = columns.Nulls(dt.(*arrow.StructType).Field(i).Type, a.Len()).Data()
				continue
			}
		}
		kid, err := castArray(s.Field(at), x.Fields[at].Type, y.Fields[i].Type, mode)
		if err != nil {
			return nil, err
		}
		kids[i] = kid.Data()
	}
	return makeStruct(dt, a.Len(), ok, kids), nil
}
