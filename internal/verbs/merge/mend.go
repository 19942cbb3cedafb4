package merge

import (
	"strconv"
	"time"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/format/partition"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/types"
)

// mended spells a comparison that hides a column as one of the column itself. It
// selects the same rows; where the one is NULL the other may be FALSE, so it
// stands for a condition and not for a value. nil: no such spelling is known.
func mended(e expr.Expr) expr.Expr {
	c, ok := e.(*expr.Call)
	if !ok || len(c.Args) != 2 {
		return nil
	}
	op, hidden, constant := c.Fn, c.Args[0], c.Args[1]
	if len(expr.Refs(hidden)) == 0 {
		op, hidden, constant = turned[op], c.Args[1], c.Args[0]
	}
	if turned[op] == "" || len(expr.Refs(constant)) > 0 || len(expr.Refs(hidden)) != 1 {
		return nil
	}
	lit := constantOf(constant)
	if lit == nil || lit.Value == nil {
		return nil
	}
	switch x := hidden.(type) {
	case *expr.Cast:
		if op == "=" && x.To.Kind() == types.KindString {
			return spelled(column(x.Arg), lit)
		}
	case *expr.Call:
		if len(x.Args) != 2 {
			return nil
		}
		if x.Fn == "date_format" && op == "=" {
			return formatted(column(x.Args[0]), constantOf(x.Args[1]), lit)
		}
		return moved(op, x, lit)
	}
	return nil
}

// turned are the comparisons with their sides changed.
var turned = map[string]string{"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

// constantOf computes what reads no column; nil when it reads one or fails.
func constantOf(e expr.Expr) *expr.Literal {
	if len(expr.Refs(e)) > 0 {
		return nil
	}
	lit, err := eval.Literal(e)
	if err != nil {
		return nil
	}
	return &lit
}

// column is a column by itself or under a cast that the binder put there; nil for
// other expressions.
func column(e expr.Expr) *expr.Column {
	if c, ok := e.(*expr.Cast); ok && c.Implicit {
		e = c.Arg
	}
	c, _ := e.(*expr.Column)
	return c
}

func compared(op string, c *expr.Column, value any, t types.Type) expr.Expr {
	return &expr.Call{Fn: op, Args: []expr.Expr{c, &expr.Literal{Value: value, T: t, Local: t.Kind() == types.KindTimestamp}}, T: types.Boolean}
}

// spelled compares the text of a whole number or of a date.
func spelled(c *expr.Column, lit *expr.Literal) expr.Expr {
	text, ok := lit.Value.(string)
	if !ok || c == nil || c.T == nil {
		return nil
	}
	if c.T.Kind() == types.KindDate {
		if d, err := time.Parse(time.DateOnly, text); err == nil && d.Year() > 0 {
			return compared("=", c, days(d), c.T)
		}
		return nil
	}
	bits := map[types.Kind]int{types.KindByte: 8, types.KindShort: 16, types.KindInteger: 32, types.KindLong: 64}[c.T.Kind()]
	if bits == 0 {
		return nil
	}
	n, err := strconv.ParseInt(text, 10, bits)
	if err != nil || strconv.FormatInt(n, 10) != text {
		return nil // no row is spelled like that
	}
	return compared("=", c, n, c.T)
}

func days(t time.Time) int64 { return t.Unix() / 86400 }

// spans are the patterns of date_format that tell one span of time from another.
var spans = map[string]struct {
	layout string
	next   func(time.Time) time.Time
}{
	"yyyy":       {"2006", func(t time.Time) time.Time { return t.AddDate(1, 0, 0) }},
	"yyyy-MM":    {"2006-01", func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }},
	"yyyyMM":     {"200601", func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }},
	"yyyy-MM-dd": {"2006-01-02", func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }},
	"yyyyMMdd":   {"20060102", func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }},
}

// formatted asks for the span of time that a text names.
func formatted(c *expr.Column, pattern, lit *expr.Literal) expr.Expr {
	if c == nil || c.T == nil || pattern == nil {
		return nil
	}
	p, _ := pattern.Value.(string)
	text, ok := lit.Value.(string)
	s, known := spans[p]
	from, err := time.Parse(s.layout, text)
	if !ok || !known || err != nil || from.Year() < 1 || from.Year() > 9998 {
		return nil
	}
	at := func(t time.Time) any {
		if c.T.Kind() == types.KindDate {
			return days(t)
		}
		return t.UnixMicro()
	}
	switch c.T.Kind() {
	case types.KindDate:
		if s.next(from).Equal(from.AddDate(0, 0, 1)) {
			return compared("=", c, at(from), c.T)
		}
	case types.KindTimestamp, types.KindTimestampNTZ:
	default:
		return nil
	}
	return expr.And(compared(">=", c, at(from), c.T), compared("<", c, at(s.next(from)), c.T))
}

// moved compares a date that is moved by a number of days, or a distance from a
// date.
func moved(op string, x *expr.Call, lit *expr.Literal) expr.Expr {
	c, by := column(x.Args[0]), constantOf(x.Args[1])
	if c == nil || c.T == nil || c.T.Kind() != types.KindDate || by == nil {
		return nil
	}
	n, ok1 := by.Value.(int64)
	at, ok2 := lit.Value.(int64)
	if !ok1 || !ok2 {
		return nil
	}
	switch {
	case x.Fn == "datediff" && by.T.Kind() == types.KindDate && types.IsIntegral(lit.T):
		at += n
	case lit.T.Kind() != types.KindDate || !types.IsIntegral(by.T):
		return nil
	case x.Fn == "date_add":
		at -= n
	case x.Fn == "date_sub":
		at += n
	default:
		return nil
	}
	if first, _ := partition.ParseDate("0001-01-01"); at < first || at > 2932896 { // 9999-12-31
		return nil
	}
	return compared(op, c, at, c.T)
}
