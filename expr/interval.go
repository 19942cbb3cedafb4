package expr

import (
	"fmt"
	"math"
	"math/big"
	"strings"

	"github.com/sluicelake/sluice/types"
)

// microsecond counts of the units of day-time intervals.
var unitMicros = map[string]int64{
	"MICROSECOND": 1, "MILLISECOND": 1_000, "SECOND": 1_000_000, "MINUTE": 60_000_000,
	"HOUR": 3_600_000_000, "DAY": 86_400_000_000, "WEEK": 604_800_000_000,
}

// finest interval field that a unit of a literal belongs to.
var unitFields = map[string]types.Unit{
	"MICROSECOND": types.Second, "MILLISECOND": types.Second, "SECOND": types.Second, "MINUTE": types.Minute,
	"HOUR": types.Hour, "DAY": types.Day, "WEEK": types.Day, "MONTH": types.Month, "YEAR": types.Year,
}

// interval takes what follows INTERVAL: '1 2' DAY TO HOUR, 2 HOURS 3 MINUTES, '1 day'.
func (p *Parser) interval() (Expr, error) {
	start := p.tok
	acc := &intervalSum{}
	for first := true; ; first = false {
		mark := *p
		sign := ""
		if p.tok.Is("-") || p.tok.Is("+") {
			sign = strings.TrimPrefix(p.Next().Text, "+")
		}
		if p.tok.Kind != Number && p.tok.Kind != Text {
			*p = mark
			break
		}
		value := p.Next()
		unit := singular(p.tok.Text)
		_, known := unitFields[unit]
		if p.tok.Kind != Word || !known {
			if !first || value.Kind != Text {
				*p = mark
				break
			}
			return p.intervalText(start, sign+value.Value)
		}
		p.Next()
		if p.Accept("TO") {
			to := p.Next()
			return p.intervalRange(start, sign, value.Value, unitFields[unit], singular(to.Text))
		}
		if !acc.add(sign+strings.TrimSpace(value.Value), unit) {
			return nil, p.Errorf(value, "%s %s is no interval", value.Text, unit)
		}
	}
	return p.intervalDone(start, acc)
}

func (p *Parser) intervalDone(at Token, acc *intervalSum) (Expr, error) {
	lit, msg := acc.literal()
	if lit == nil && acc.mixed {
		return nil, p.fail(at, "_LEGACY_ERROR_TEMP_0029", "", msg)
	}
	if lit == nil {
		return nil, p.fail(at, "INVALID_INTERVAL_FORMAT", "22006", msg)
	}
	return lit, nil
}

// intervalText reads '1 day 2 hours'.
func (p *Parser) intervalText(at Token, text string) (Expr, error) {
	words := strings.Fields(text)
	if len(words) > 0 && strings.EqualFold(words[0], "interval") {
		words = words[1:]
	}
	acc := &intervalSum{}
	if len(words) == 0 || len(words)%2 == 1 {
		return nil, p.fail(at, "INVALID_INTERVAL_FORMAT", "22006", quoteText(text)+" is no interval")
	}
	for i := 0; i < len(words); i += 2 {
		if !acc.add(words[i], singular(words[i+1])) {
			return nil, p.fail(at, "INVALID_INTERVAL_FORMAT", "22006", quoteText(text)+" is no interval")
		}
	}
	return p.intervalDone(at, acc)
}

func (p *Parser) intervalRange(at Token, sign, text string, from types.Unit, toName string) (Expr, error) {
	to, ok := unitFields[toName]
	t := types.Interval{From: from, To: to}
	if !ok || to <= from || (from <= types.Month) != (to <= types.Month) {
		return nil, p.Errorf(at, "an interval cannot go from %s to %s", from, toName)
	}
	v, ok := ParseIntervalText(text, t)
	if !ok {
		return nil, p.fail(at, "INVALID_INTERVAL_FORMAT", "22006", fmt.Sprintf("%s is no interval %s to %s", quoteText(text), from, to))
	}
	if sign == "-" {
		v = -v
	}
	return &Literal{Value: v, T: t}, nil
}

func singular(s string) string { return strings.TrimSuffix(strings.ToUpper(s), "S") }

// intervalSum adds up units; months and microseconds cannot be mixed.
type intervalSum struct {
	months, micros big.Int
	from, to       types.Unit
	used           bool
	mixed          bool
}

func (a *intervalSum) add(value, unit string) bool {
	field, ok := unitFields[unit]
	if !ok {
		return false
	}
	d, ok := ParseDecimal(value)
	if !ok || (d.Scale > 0 && unit != "SECOND") || d.Scale > 9 {
		return false
	}
	if !a.used {
		a.from, a.to, a.used = field, field, true
	} else {
		a.mixed = a.mixed || (a.from <= types.Month) != (field <= types.Month)
		a.from, a.to = min(a.from, field), max(a.to, field)
	}
	switch unit {
	case "YEAR":
		a.months.Add(&a.months, new(big.Int).Mul(d.Unscaled, big.NewInt(12)))
	case "MONTH":
		a.months.Add(&a.months, d.Unscaled)
	default:
		n := new(big.Int).Mul(d.Unscaled, big.NewInt(unitMicros[unit]))
		n.Quo(n, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(0, d.Scale))), nil))
		a.micros.Add(&a.micros, n)
	}
	return true
}

func (a *intervalSum) literal() (*Literal, string) {
	switch {
	case !a.used:
		return nil, "an interval needs a number and a unit"
	case a.mixed:
		return nil, "an interval cannot mix years or months with days or times"
	case a.from <= types.Month:
		if !a.months.IsInt64() || a.months.Int64() > math.MaxInt32 || a.months.Int64() < math.MinInt32 {
			return nil, "the interval is too long"
		}
		return &Literal{Value: a.months.Int64(), T: types.Interval{From: a.from, To: a.to}}, ""
	case !a.micros.IsInt64():
		return nil, "the interval is too long"
	}
	return &Literal{Value: a.micros.Int64(), T: types.Interval{From: a.from, To: a.to}}, ""
}
