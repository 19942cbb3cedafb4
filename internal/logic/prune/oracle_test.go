package prune

import (
	"math/big"
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/types"
)

// oracle evaluates an expression on one row, value by value. It knows the
// expressions that the tests draw, and shares no code with the package but the
// order of values.
func oracle(e expr.Expr, row []any) any {
	switch e := e.(type) {
	case *expr.Literal:
		return e.Value
	case *expr.Column:
		return row[e.Ref]
	case *expr.Field:
		base, ok := oracle(e.Base, row).([]any)
		if !ok {
			return nil
		}
		return base[e.Index]
	case *expr.Cast:
		return oracleCast(oracle(e.Arg, row), e)
	case *expr.Case:
		for _, w := range e.Whens {
			if oracle(w.Cond, row) == true {
				return oracle(w.Then, row)
			}
		}
		if e.Else == nil {
			return nil
		}
		return oracle(e.Else, row)
	case *expr.Call:
		args := make([]any, len(e.Args))
		for i, a := range e.Args {
			args[i] = oracle(a, row)
		}
		return oracleCall(e, args)
	}
	panic("oracle: unknown expression " + e.String())
}

func oracleCall(e *expr.Call, args []any) any {
	switch e.Fn {
	case "and", "or":
		winner := e.Fn == "or"
		var out any = !winner
		for _, a := range args {
			if a == winner {
				return winner
			}
			if a == nil {
				out = nil
			}
		}
		return out
	case "isnull":
		return args[0] == nil
	case "isnotnull":
		return args[0] != nil
	case "istrue":
		return args[0] == true
	case "isfalse":
		return args[0] == false
	case "<=>":
		if args[0] == nil || args[1] == nil {
			return args[0] == nil && args[1] == nil
		}
		return oracleOrder(args[0], args[1], e.Args[0].Type()) == 0
	case "coalesce":
		for _, a := range args {
			if a != nil {
				return a
			}
		}
		return nil
	case "in":
		var out any = false
		for _, a := range args[1:] {
			switch {
			case args[0] == nil || a == nil:
				out = nil
			case oracleOrder(args[0], a, e.Args[0].Type()) == 0:
				return true
			}
		}
		if args[0] == nil {
			return nil
		}
		return out
	}
	for _, a := range args {
		if a == nil {
			return nil
		}
	}
	switch e.Fn {
	case "not":
		return !args[0].(bool)
	case "like":
		return oracleLike(args[0].(string), args[1].(string))
	case "startswith":
		return strings.HasPrefix(args[0].(string), args[1].(string))
	case "substring":
		r := []rune(args[0].(string))
		return string(r[:min(len(r), int(args[2].(int64)))])
	case "+":
		return args[0].(int64) + args[1].(int64)
	case "-":
		return args[0].(int64) - args[1].(int64)
	case "year":
		n := args[0].(int64)
		if e.Args[0].Type().Kind() != types.KindDate {
			n = floor(n, microsPerDay)
		}
		y, _, _ := columns.Civil(n)
		return y
	case "upper":
		return strings.ToUpper(args[0].(string))
	}
	c := oracleOrder(args[0], args[1], e.Args[0].Type())
	switch e.Fn {
	case "=":
		return c == 0
	case "<>":
		return c != 0
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	case ">=":
		return c >= 0
	}
	panic("oracle: unknown function " + e.Fn)
}

func floor(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func oracleOrder(a, b any, t types.Type) int {
	x, _ := colstats.Of(a, t)
	y, _ := colstats.Of(b, t)
	c, ok := colstats.Compare(x, y)
	if !ok {
		panic("oracle: values without an order")
	}
	return c
}

func oracleCast(v any, e *expr.Cast) any {
	if v == nil {
		return nil
	}
	switch k := e.To.Kind(); k {
	case types.KindDouble:
		switch x := v.(type) {
		case int64:
			return float64(x)
		case expr.Decimal:
			f, _ := new(big.Rat).SetFrac(x.Unscaled, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(x.Scale)), nil)).Float64()
			return f
		}
		return v
	case types.KindTimestamp:
		if e.Arg.Type().Kind() == types.KindDate {
			return v.(int64) * microsPerDay
		}
		return v
	case types.KindDate:
		return floor(v.(int64), microsPerDay)
	case types.KindDecimal:
		scale := e.To.(types.Decimal).Scale
		pow := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
		return expr.Decimal{Unscaled: pow.Mul(pow, big.NewInt(v.(int64))), Scale: scale}
	}
	panic("oracle: unknown cast")
}

func oracleLike(s, pattern string) bool {
	if pattern == "" {
		return s == ""
	}
	switch pattern[0] {
	case '%':
		for i := range len(s) + 1 {
			if oracleLike(s[i:], pattern[1:]) {
				return true
			}
		}
		return false
	case '_':
		r := []rune(s)
		return len(r) > 0 && oracleLike(string(r[1:]), pattern[1:])
	case '\\':
		pattern = pattern[1:]
	}
	return s != "" && s[0] == pattern[0] && oracleLike(s[1:], pattern[1:])
}
