package expr

import (
	"strings"

	"github.com/sluicelake/sluice/types"
)

func (e *Literal) String() string  { return e.sql() }
func (e *Column) String() string   { return print(e, precOr) }
func (e *Field) String() string    { return print(e, precOr) }
func (e *Call) String() string     { return print(e, precOr) }
func (e *Cast) String() string     { return print(e, precOr) }
func (e *Case) String() string     { return print(e, precOr) }
func (e *Lambda) String() string   { return print(e, precOr) }
func (e *Var) String() string      { return types.QuoteIdentifier(e.Name) }
func (e *Star) String() string     { return print(e, precOr) }
func (e *Subquery) String() string { return print(e, precOr) }
func (e *Named) String() string    { return print(e, precOr) }

func (e *Aggregate) String() string { return print(e, precOr) }

// precedence is how tightly the outermost operator of a node binds when printed.
func precedence(e Expr) int {
	switch x := e.(type) {
	case *Cast:
		if x.Implicit {
			return precedence(x.Arg)
		}
	case *Literal:
		if s := x.sql(); s[0] == '-' || digit(s[0]) { // (0).x is no number
			return precUnary
		}
	case *Field, *Star:
		return precPostfix
	case *Call:
		switch x.Fn {
		case "not":
			return precNot
		case "isnull", "isnotnull", "istrue", "isfalse", "isunknown", "in", "like", "ilike", "rlike":
			if operatorArity(x) {
				return precPredicate
			}
		case "neg", "~":
			return precUnary
		case "element", "path":
			return precPostfix
		}
		if op, ok := infix[strings.ToUpper(x.Fn)]; ok && len(x.Args) == 2 {
			return op.prec
		}
	}
	return precPrimary
}

func operatorArity(x *Call) bool {
	switch x.Fn {
	case "in":
		return len(x.Args) >= 2
	case "like", "ilike":
		return len(x.Args) == 2 || (len(x.Args) == 3 && isText(x.Args[2]))
	case "rlike":
		return len(x.Args) == 2
	}
	return len(x.Args) == 1
}

func isText(e Expr) bool {
	l, ok := e.(*Literal)
	if !ok {
		return false
	}
	s, ok := l.Value.(string)
	return ok && len([]rune(s)) == 1
}

// print writes a node where an operator of precedence min is allowed.
func print(e Expr, min int) string {
	var b strings.Builder
	printTo(&b, e, min)
	return b.String()
}

func printTo(b *strings.Builder, e Expr, min int) {
	if c, ok := e.(*Cast); ok && c.Implicit {
		printTo(b, c.Arg, min)
		return
	}
	if precedence(e) < min {
		b.WriteByte('(')
		defer b.WriteByte(')')
	}
	switch x := e.(type) {
	case *Column:
		for i, part := range x.Parts {
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(quoteName(part))
		}
	case *Field:
		printTo(b, x.Base, precPostfix)
		b.WriteString("." + quoteName(x.Name))
	case *Cast:
		if x.Try {
			b.WriteString("TRY_")
		}
		b.WriteString("CAST(")
		printTo(b, x.Arg, precOr)
		b.WriteString(" AS " + types.SQL(x.To) + ")")
	case *Case:
		b.WriteString("CASE")
		for _, w := range x.Whens {
			b.WriteString(" WHEN ")
			printTo(b, w.Cond, precOr)
			b.WriteString(" THEN ")
			printTo(b, w.Then, precOr)
		}
		if x.Else != nil {
			b.WriteString(" ELSE ")
			printTo(b, x.Else, precOr)
		}
		b.WriteString(" END")
	case *Lambda:
		names := make([]string, len(x.Params))
		for i, n := range x.Params {
			names[i] = quoteName(n)
		}
		b.WriteString("(" + strings.Join(names, ", ") + ") -> ")
		printTo(b, x.Body, precOr)
	case *Star:
		for _, q := range x.Qualifier {
			b.WriteString(quoteName(q) + ".")
		}
		b.WriteByte('*')
	case *Subquery:
		if x.Exists {
			b.WriteString("EXISTS ")
		}
		b.WriteString("(" + x.Text + ")")
	case *Aggregate:
		printAggregate(b, x)
	case *Window:
		printWindow(b, x)
	case *Named:
		printTo(b, x.Arg, precOr)
		b.WriteString(" AS " + quoteName(x.Name))
	case *Call:
		printCall(b, sqlCall(x))
	default:
		b.WriteString(e.String())
	}
}

func printAggregate(b *strings.Builder, x *Aggregate) {
	b.WriteString(quoteName(x.Fn) + "(")
	if x.Distinct {
		b.WriteString("DISTINCT ")
	}
	printList(b, x.Args)
	b.WriteByte(')')
	if x.IgnoreNulls {
		b.WriteString(" IGNORE NULLS")
	}
	if x.Filter != nil {
		b.WriteString(" FILTER (WHERE ")
		printTo(b, x.Filter, precOr)
		b.WriteByte(')')
	}
}

func printCall(b *strings.Builder, x *Call) {
	if op, ok := infix[strings.ToUpper(x.Fn)]; ok && len(x.Args) == 2 {
		printTo(b, x.Args[0], op.prec)
		b.WriteString(" " + strings.ToUpper(x.Fn) + " ")
		printTo(b, x.Args[1], op.prec+1)
		return
	}
	if precedence(x) == precPrimary {
		b.WriteString(quoteName(x.Fn))
		b.WriteByte('(')
		printList(b, x.Args)
		b.WriteByte(')')
		return
	}
	switch x.Fn {
	case "not":
		b.WriteString("NOT ")
		printTo(b, x.Args[0], precNot)
	case "neg", "~":
		sign := map[string]string{"neg": "-", "~": "~"}[x.Fn]
		arg := print(x.Args[0], precUnary)
		if lit, ok := x.Args[0].(*Literal); arg[0] == '-' || (ok && x.Fn == "neg" && (digit(lit.sql()[0]) || lit.sql()[0] == '.')) {
			arg = "(" + arg + ")" // keep -(5) apart from the literal -5, and -(-x) from a comment
		}
		b.WriteString(sign + arg)
	case "element":
		printTo(b, x.Args[0], precPostfix)
		b.WriteByte('[')
		printTo(b, x.Args[1], precOr)
		b.WriteByte(']')
	case "path":
		printTo(b, x.Args[0], precPostfix)
		b.WriteString(":" + strings.TrimPrefix(strings.TrimPrefix(x.Args[1].(*Literal).Value.(string), "$"), "."))
	default:
		printPredicate(b, x)
	}
}

func printPredicate(b *strings.Builder, x *Call) {
	printTo(b, x.Args[0], precCompare)
	switch x.Fn {
	case "isnull":
		b.WriteString(" IS NULL")
	case "isnotnull":
		b.WriteString(" IS NOT NULL")
	case "istrue":
		b.WriteString(" IS TRUE")
	case "isfalse":
		b.WriteString(" IS FALSE")
	case "isunknown":
		b.WriteString(" IS UNKNOWN")
	case "in":
		if q, ok := x.Args[1].(*Subquery); ok && len(x.Args) == 2 {
			b.WriteString(" IN (" + q.Text + ")")
			return
		}
		b.WriteString(" IN (")
		printList(b, x.Args[1:])
		b.WriteByte(')')
	default:
		b.WriteString(" " + strings.ToUpper(x.Fn) + " ")
		printTo(b, x.Args[1], precCompare)
		if len(x.Args) == 3 {
			b.WriteString(" ESCAPE ")
			printTo(b, x.Args[2], precPrimary)
		}
	}
}

func printList(b *strings.Builder, args []Expr) {
	for i, a := range args {
		if i > 0 {
			b.WriteString(", ")
		}
		printTo(b, a, precOr)
	}
}

// reserved are the words that the parser does not take as the start of a column.
var reserved = map[string]bool{
	"NULL": true, "TRUE": true, "FALSE": true, "CASE": true, "NOT": true, "INTERVAL": true, "SELECT": true, "FROM": true, "WHERE": true,
	"THEN": true, "ELSE": true, "WHEN": true, "AND": true, "OR": true, "IN": true, "LIKE": true, "IS": true, "END": true, "DIV": true,
	"AS": true, "ESCAPE": true, "BETWEEN": true, "RLIKE": true, "ILIKE": true, "REGEXP": true, "DISTINCT": true, "ALL": true, "WITH": true,
	"VALUES": true, "EXISTS": true, "CAST": true, "TRY_CAST": true, "X": false, "R": false, "FOR": true, "PLACING": true, "BOTH": true,
	"LEADING": true, "TRAILING": true, "ANY": true, "SOME": true, "TO": true,
}

func quoteName(name string) string {
	if reserved[strings.ToUpper(name)] {
		return "`" + name + "`"
	}
	return types.QuoteIdentifier(name)
}
