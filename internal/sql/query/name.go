package query

import (
	"math"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

// columnName is the name of a column that has no alias, as Spark makes it up.
func columnName(e expr.Expr) string {
	switch x := e.(type) {
	case *expr.Column:
		return x.Parts[len(x.Parts)-1]
	case *expr.Named:
		return x.Name
	case *expr.Cast:
		switch a := x.Arg.(type) {
		case *expr.Column, *expr.Field:
			return columnName(a)
		}
	case *expr.Call:
		if x.Fn == "struct" && len(x.Args) == 0 {
			return "struct()"
		}
	}
	if f, ok := e.(*expr.Field); ok {
		return f.Name
	}
	return pretty(e)
}

// pretty writes an expression as Spark does in names of columns: names without
// qualifiers, texts without quotes, operators in parentheses.
func pretty(e expr.Expr) string {
	switch x := e.(type) {
	case *expr.Column:
		return x.Parts[len(x.Parts)-1]
	case *expr.Literal:
		if s, ok := x.Value.(string); ok {
			return s
		}
		return plainNumber(x)
	case *expr.Field:
		return pretty(x.Base) + "." + x.Name
	case *expr.Cast:
		word := "CAST("
		if x.Try {
			word = "TRY_CAST("
		}
		return word + pretty(x.Arg) + " AS " + types.SQL(x.To) + ")"
	case *expr.Case:
		var b strings.Builder
		b.WriteString("CASE")
		for _, w := range x.Whens {
			b.WriteString(" WHEN " + pretty(w.Cond) + " THEN " + pretty(w.Then))
		}
		if x.Else != nil {
			b.WriteString(" ELSE " + pretty(x.Else))
		}
		return b.String() + " END"
	case *expr.Subquery:
		if x.Exists {
			return "exists()"
		}
		return "scalarsubquery()"
	case *expr.Named:
		return pretty(x.Arg) + " AS " + x.Name
	case *expr.Lambda:
		const variable = "namedlambdavariable()"
		body := replace(x.Body, func(e expr.Expr) expr.Expr {
			if c, ok := e.(*expr.Column); ok && slices.Contains(x.Params, c.Parts[0]) {
				return members(expr.NewColumn(variable), c.Parts[1:])
			}
			return nil
		})
		return "lambdafunction(" + pretty(body) + strings.Repeat(", "+variable, len(x.Params)) + ")"
	case *expr.Aggregate:
		return prettyAggregate(x)
	case *expr.Window:
		return prettyWindow(x)
	case *expr.Call:
		return prettyCall(x)
	}
	return e.String()
}

func plainNumber(x *expr.Literal) string {
	s := x.String()
	switch v := x.Value.(type) {
	case bool:
		return strings.ToLower(s)
	case float64:
		if s = strings.TrimRight(s, "DF"); v == math.Trunc(v) && !strings.ContainsAny(s, ".EIN") {
			s += ".0"
		}
		return s
	case int64, expr.Decimal:
		if types.IsNumeric(x.T) {
			return strings.TrimRight(s, "LSYBD")
		}
		return strings.Replace(s, "'", " '", 1) // DATE '2024-01-01'
	}
	return s
}

func prettyList(list []expr.Expr) string {
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = pretty(e)
	}
	return strings.Join(out, ", ")
}

func prettyAggregate(x *expr.Aggregate) string {
	args := prettyList(x.Args)
	if len(x.Args) == 1 {
		if _, ok := x.Args[0].(*expr.Star); ok && !x.Distinct {
			args = "1"
		}
	}
	if x.Distinct {
		args = "DISTINCT " + args
	}
	out := x.Fn + "(" + args + ")"
	if x.Filter != nil {
		out += " FILTER (WHERE " + pretty(x.Filter) + ")"
	}
	return out
}

func prettyCall(x *expr.Call) string {
	if a, ok := aggregateOf(x); ok {
		return prettyAggregate(a)
	}
	if len(x.Args) == 2 {
		switch x.Fn {
		case "<>":
			return "(NOT (" + pretty(x.Args[0]) + " = " + pretty(x.Args[1]) + "))"
		case "||":
			return "concat(" + prettyList(x.Args) + ")"
		case "and", "or", "=", "<=>", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "div", "&", "|", "^":
			op := x.Fn
			if op == "and" || op == "or" {
				op = strings.ToUpper(op)
			}
			return "(" + pretty(x.Args[0]) + " " + op + " " + pretty(x.Args[1]) + ")"
		case "element":
			return pretty(x.Args[0]) + "[" + pretty(x.Args[1]) + "]"
		case "like", "ilike", "rlike":
			if x.Fn == "rlike" {
				return "RLIKE(" + prettyList(x.Args) + ")"
			}
			return pretty(x.Args[0]) + " " + strings.ToUpper(x.Fn) + " " + pretty(x.Args[1])
		}
	}
	if len(x.Args) == 1 {
		switch x.Fn {
		case "not":
			return "(NOT " + pretty(x.Args[0]) + ")"
		case "neg":
			return "(- " + pretty(x.Args[0]) + ")"
		case "isnull":
			return "(" + pretty(x.Args[0]) + " IS NULL)"
		case "isnotnull":
			return "(" + pretty(x.Args[0]) + " IS NOT NULL)"
		}
	}
	if x.Fn == "in" && len(x.Args) > 1 {
		if _, ok := x.Args[1].(*expr.Subquery); ok {
			return "(" + pretty(x.Args[0]) + " IN (listquery()))"
		}
		return "(" + pretty(x.Args[0]) + " IN (" + prettyList(x.Args[1:]) + "))"
	}
	return x.Fn + "(" + prettyList(x.Args) + ")"
}

// prettyWindow writes the frame in full.
func prettyWindow(x *expr.Window) string {
	fn := *x.Fn
	frame := "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING"
	switch {
	case fn.Fn == "row_number", fn.Fn == "ntile", fn.Fn == "rank", fn.Fn == "dense_rank", fn.Fn == "percent_rank":
		frame = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
	case len(x.Over.Order) > 0:
		frame = "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
	}
	switch fn.Fn {
	case "rank", "dense_rank", "percent_rank":
		fn.Fn = strings.ToUpper(fn.Fn)
	case "lag", "lead":
		args := append([]expr.Expr(nil), fn.Args...)
		if len(args) == 1 {
			args = append(args, &expr.Literal{Value: int64(1), T: types.Integer})
		}
		if len(args) == 2 {
			args = append(args, &expr.Literal{T: types.Void})
		}
		by := pretty(args[1])
		if fn.Fn == "lag" {
			if by = "-" + by; strings.HasPrefix(by, "--") {
				by = by[2:]
			}
		}
		fn.Args, frame = args, "ROWS BETWEEN "+by+" FOLLOWING AND "+by+" FOLLOWING"
	}
	if x.Over.Frame != nil {
		frame = x.Over.Frame.String()
	}
	var parts []string
	if len(x.Over.Partition) > 0 {
		parts = append(parts, "PARTITION BY "+prettyList(x.Over.Partition))
	}
	var keys []string
	for _, k := range x.Over.Order {
		key, nulls := pretty(k.Expr)+" ASC", " NULLS LAST"
		if k.Desc {
			key = pretty(k.Expr) + " DESC"
		}
		if k.NullsFirst {
			nulls = " NULLS FIRST"
		}
		keys = append(keys, key+nulls)
	}
	if len(keys) > 0 {
		parts = append(parts, "ORDER BY "+strings.Join(keys, ", "))
	}
	return prettyAggregate(&fn) + " OVER (" + strings.Join(append(parts, frame), " ") + ")"
}
