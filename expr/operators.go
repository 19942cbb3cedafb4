package expr

import (
	"strings"

	"github.com/sluicelake/sluice/types"
)

// Precedences, loosest first (Spark's SqlBaseParser.g4: booleanExpression,
// predicate, valueExpression, primaryExpression).
const (
	precOr = iota + 1
	precAnd
	precNot
	precPredicate // IS, IN, LIKE, BETWEEN
	precCompare
	precBitOr
	precBitXor
	precBitAnd
	precShift
	precAdd
	precMultiply
	precUnary
	precPostfix
	precPrimary
)

var infix = map[string]struct {
	prec int
	fn   string
}{
	"OR": {precOr, "or"}, "AND": {precAnd, "and"},
	"=": {precCompare, "="}, "==": {precCompare, "="}, "<=>": {precCompare, "<=>"}, "<>": {precCompare, "<>"}, "!=": {precCompare, "<>"},
	"<": {precCompare, "<"}, "<=": {precCompare, "<="}, ">": {precCompare, ">"}, ">=": {precCompare, ">="},
	"|": {precBitOr, "|"}, "^": {precBitXor, "^"}, "&": {precBitAnd, "&"},
	"<<": {precShift, "<<"}, ">>": {precShift, ">>"}, ">>>": {precShift, ">>>"},
	"+": {precAdd, "+"}, "-": {precAdd, "-"}, "||": {precAdd, "||"},
	"*": {precMultiply, "*"}, "/": {precMultiply, "/"}, "%": {precMultiply, "%"}, "DIV": {precMultiply, "div"},
}

// expr is the Pratt loop: it takes operators that bind at least as tightly as min.
func (p *Parser) expr(min int) (Expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	left, err := p.prefix(min)
	if err != nil {
		return nil, err
	}
	predicate := false
	for {
		if !predicate && min <= precPredicate {
			e, ok, err := p.predicate(left)
			if err != nil {
				return nil, err
			}
			if ok {
				left, predicate = e, true
				continue
			}
		}
		key := p.tok.Text
		if p.tok.Kind == Word {
			key = strings.ToUpper(key)
		} else if p.tok.Kind != Symbol {
			return left, nil
		}
		op, ok := infix[key]
		if !ok || op.prec < min || (predicate && op.prec > precPredicate) {
			return left, nil
		}
		p.Next()
		right, err := p.expr(op.prec + 1)
		if err != nil {
			return nil, err
		}
		left = &Call{Fn: op.fn, Args: []Expr{left, right}}
		predicate = op.prec <= precPredicate
	}
}

func (p *Parser) prefix(min int) (Expr, error) {
	t := p.tok
	switch {
	case (t.Is("NOT") || t.Is("!")) && min <= precNot:
		p.Next()
		arg, err := p.expr(precNot)
		if err != nil {
			return nil, err
		}
		return &Call{Fn: "not", Args: []Expr{arg}}, nil
	case t.Is("-"):
		p.Next()
		if p.tok.Kind == Number {
			lit, err := p.number(true)
			if err != nil {
				return nil, err
			}
			return p.postfix(lit)
		}
		return p.unary("neg")
	case t.Is("+"):
		p.Next()
		if p.tok.Kind == Number {
			return p.expr(precUnary)
		}
		return p.unary("positive")
	case t.Is("~"):
		p.Next()
		return p.unary("~")
	}
	e, err := p.primary()
	if err != nil {
		return nil, err
	}
	return p.postfix(e)
}

func (p *Parser) unary(fn string) (Expr, error) {
	arg, err := p.expr(precUnary)
	if err != nil {
		return nil, err
	}
	return &Call{Fn: fn, Args: []Expr{arg}}, nil
}

// postfix takes .field, [index], ::type and :path.
func (p *Parser) postfix(e Expr) (Expr, error) {
	for {
		switch {
		case p.tok.Is("."):
			p.Next()
			if p.Accept("*") {
				c, ok := e.(*Column)
				if !ok {
					return nil, p.Errorf(p.tok, "only a table can be followed by .*")
				}
				e = &Star{Qualifier: c.Parts}
				continue
			}
			name, err := p.ParseIdentifier()
			if err != nil {
				return nil, err
			}
			if c, ok := e.(*Column); ok {
				e = NewColumn(append(append([]string(nil), c.Parts...), name)...)
			} else {
				e = &Field{Base: e, Name: name, Index: -1}
			}
		case p.tok.Is("["):
			p.Next()
			i, err := p.expr(precOr)
			if err != nil {
				return nil, err
			}
			if err := p.Expect("]"); err != nil {
				return nil, err
			}
			e = &Call{Fn: "element", Args: []Expr{e, i}}
		case p.tok.Is("::"):
			p.Next()
			t, err := p.ParseDataType()
			if err != nil {
				return nil, err
			}
			e = &Cast{Arg: e, To: t}
		case p.tok.Is(":"):
			path, err := p.variantPath()
			if err != nil {
				return nil, err
			}
			e = &Call{Fn: "path", Args: []Expr{e, path}}
		default:
			return e, nil
		}
	}
}

// predicate takes [NOT] IN, LIKE, RLIKE, ILIKE, BETWEEN and IS ..., if one follows.
func (p *Parser) predicate(left Expr) (Expr, bool, error) {
	if p.tok.Is("IS") {
		p.Next()
		e, err := p.isPredicate(left)
		return e, true, err
	}
	negated := false
	t := p.tok
	if t.Is("NOT") {
		negated, t = true, p.PeekSecond()
	}
	var parse func(Expr) (Expr, error)
	switch {
	case t.Is("IN"):
		parse = p.inPredicate
	case t.Is("BETWEEN"):
		parse = p.betweenPredicate
	case t.Is("LIKE"):
		parse = func(e Expr) (Expr, error) { return p.likePredicate("like", e, negated) }
	case t.Is("ILIKE"):
		parse = func(e Expr) (Expr, error) { return p.likePredicate("ilike", e, negated) }
	case t.Is("RLIKE"), t.Is("REGEXP"):
		parse = func(e Expr) (Expr, error) {
			r, err := p.expr(precCompare)
			return &Call{Fn: "rlike", Args: []Expr{e, r}}, err
		}
	default:
		return left, false, nil
	}
	if negated {
		p.Next()
	}
	p.Next()
	e, err := parse(left)
	if c, ok := e.(*Call); err == nil && negated && !(ok && (c.Fn == "and" || c.Fn == "or") && (t.Is("LIKE") || t.Is("ILIKE"))) {
		e = &Call{Fn: "not", Args: []Expr{e}}
	}
	return e, true, err
}

func (p *Parser) isPredicate(left Expr) (Expr, error) {
	negated := p.Accept("NOT")
	var e Expr
	switch {
	case p.Accept("NULL"):
		if negated {
			return &Call{Fn: "isnotnull", Args: []Expr{left}}, nil
		}
		return &Call{Fn: "isnull", Args: []Expr{left}}, nil
	case p.Accept("TRUE"):
		e = &Call{Fn: "istrue", Args: []Expr{left}}
	case p.Accept("FALSE"):
		e = &Call{Fn: "isfalse", Args: []Expr{left}}
	case p.Accept("UNKNOWN"):
		e = &Call{Fn: "isunknown", Args: []Expr{left}}
	case p.Accept("DISTINCT", "FROM"):
		right, err := p.expr(precCompare)
		if err != nil {
			return nil, err
		}
		e, negated = &Call{Fn: "<=>", Args: []Expr{left, right}}, !negated
	default:
		return nil, p.Errorf(p.tok, "want NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM after IS, found %s", p.tok.describe())
	}
	if negated {
		e = &Call{Fn: "not", Args: []Expr{e}}
	}
	return e, nil
}

func (p *Parser) inPredicate(left Expr) (Expr, error) {
	if err := p.Expect("("); err != nil {
		return nil, err
	}
	if isQuery(p.tok) {
		q, err := p.subquery(false)
		return &Call{Fn: "in", Args: []Expr{left, q}}, err
	}
	list, err := p.list(")")
	return &Call{Fn: "in", Args: append([]Expr{left}, list...)}, err
}

func (p *Parser) betweenPredicate(left Expr) (Expr, error) {
	low, err := p.expr(precCompare)
	if err != nil {
		return nil, err
	}
	if err := p.Expect("AND"); err != nil {
		return nil, err
	}
	high, err := p.expr(precCompare)
	return &Call{Fn: "and", Args: []Expr{
		&Call{Fn: ">=", Args: []Expr{left, low}}, &Call{Fn: "<=", Args: []Expr{left, high}}}}, err
}

// likePredicate takes a pattern, or ANY, SOME or ALL of a list; NOT stands before each
// pattern of a list.
func (p *Parser) likePredicate(fn string, left Expr, negated bool) (Expr, error) {
	join := ""
	if p.tok.Is("ANY") || p.tok.Is("SOME") {
		join = "or"
	} else if p.tok.Is("ALL") {
		join = "and"
	}
	if join != "" && p.PeekSecond().Is("(") {
		p.Next()
		p.Next()
		list, err := p.list(")")
		if err != nil {
			return nil, err
		}
		for i := range list {
			list[i] = &Call{Fn: fn, Args: []Expr{left, list[i]}}
			if negated {
				list[i] = &Call{Fn: "not", Args: []Expr{list[i]}}
			}
		}
		if len(list) == 1 { // so that it is a list for who negates
			list = append(list, list[0])
		}
		return joinAll(join, list), nil
	}
	pattern, err := p.expr(precCompare)
	if err != nil {
		return nil, err
	}
	args := []Expr{left, pattern}
	if p.Accept("ESCAPE") {
		t := p.tok
		if t.Kind != Text || len([]rune(t.Value)) != 1 {
			return nil, p.fail(t, "INVALID_ESC", "42604", "ESCAPE wants a string of one character, found "+t.describe())
		}
		p.Next()
		args = append(args, &Literal{Value: t.Value, T: types.String})
	}
	return &Call{Fn: fn, Args: args}, nil
}

func joinAll(fn string, list []Expr) Expr {
	var out Expr
	for _, e := range list {
		if out == nil {
			out = e
		} else {
			out = &Call{Fn: fn, Args: []Expr{out, e}}
		}
	}
	return out
}
