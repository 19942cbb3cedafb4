package expr

import (
	"fmt"
	"strings"

	"github.com/sluicelake/sluice/types"
)

// primary takes a literal, a column, a function call or something in parentheses.
func (p *Parser) primary() (Expr, error) {
	t := p.tok
	switch t.Kind {
	case Number:
		return p.number(false)
	case Text:
		return p.text(), nil
	case Hex:
		return p.hex()
	case QuotedWord:
		p.Next()
		if p.tok.Is("(") {
			return p.call(t)
		}
		return NewColumn(t.Value), nil
	case Word:
		return p.word()
	}
	switch {
	case t.Is("("):
		return p.parentheses()
	case t.Is("*"):
		p.Next()
		return &Star{}, nil
	}
	if e, ok, err := p.placeholder(); ok {
		return e, err
	}
	return nil, p.Errorf(t, "want an expression, found %s", t.describe())
}

func (p *Parser) parentheses() (Expr, error) {
	p.Next()
	if isQuery(p.tok) {
		return p.subquery(false)
	}
	list, err := p.list(")")
	if err != nil {
		return nil, err
	}
	if _, named := list[0].(*Named); len(list) == 1 && !named {
		return list[0], nil
	}
	return &Call{Fn: "struct", Args: list}, nil
}

// word takes what starts with a bare word: a keyword form, a typed literal, a
// function call or a column.
func (p *Parser) word() (Expr, error) {
	t := p.Next()
	up := strings.ToUpper(t.Text)
	paren := p.tok.Is("(")
	switch up {
	case "NULL":
		return &Literal{T: types.Void}, nil
	case "TRUE", "FALSE":
		return &Literal{Value: up == "TRUE", T: types.Boolean}, nil
	case "CASE":
		return p.caseExpr()
	case "INTERVAL":
		if p.tok.Kind == Text || p.tok.Kind == Number || p.tok.Is("-") || p.tok.Is("+") {
			return p.interval()
		}
	case "EXISTS":
		if paren && isQuery(p.PeekSecond()) {
			p.Next()
			return p.subquery(true)
		}
	case "CAST", "TRY_CAST":
		if paren {
			return p.cast(up == "TRY_CAST")
		}
	case "EXTRACT", "POSITION", "SUBSTRING", "SUBSTR", "OVERLAY", "TRIM":
		if paren {
			return p.keywordCall(t, up)
		}
	case "TIMESTAMPDIFF", "TIMESTAMPADD", "DATEDIFF", "DATEADD", "DATE_DIFF", "DATE_ADD":
		if paren {
			return p.unitCall(t)
		}
	case "AND", "OR", "IN":
		if paren {
			return p.call(t)
		}
		return nil, p.Errorf(t, "want an expression, found %s", t.describe())
	case "SELECT", "FROM", "WHERE", "THEN", "ELSE", "WHEN", "IS":
		return nil, p.Errorf(t, "want an expression, found %s", t.describe())
	}
	if p.tok.Kind == Text {
		return p.typedLiteral(t, up)
	}
	if paren {
		return p.call(t)
	}
	return NewColumn(t.Value), nil
}

func (p *Parser) caseExpr() (Expr, error) {
	var subject Expr
	var err error
	if !p.tok.Is("WHEN") {
		if subject, err = p.expr(precOr); err != nil {
			return nil, err
		}
	}
	out := &Case{}
	for p.Accept("WHEN") {
		cond, err := p.expr(precOr)
		if err != nil {
			return nil, err
		}
		if err := p.Expect("THEN"); err != nil {
			return nil, err
		}
		then, err := p.expr(precOr)
		if err != nil {
			return nil, err
		}
		if subject != nil {
			cond = &Call{Fn: "=", Args: []Expr{subject, cond}}
		}
		out.Whens = append(out.Whens, When{cond, then})
	}
	if len(out.Whens) == 0 {
		return nil, p.Errorf(p.tok, "want WHEN, found %s", p.tok.describe())
	}
	if p.Accept("ELSE") {
		if out.Else, err = p.expr(precOr); err != nil {
			return nil, err
		}
	}
	return out, p.Expect("END")
}

func (p *Parser) cast(try bool) (Expr, error) {
	p.Next()
	arg, err := p.expr(precOr)
	if err != nil {
		return nil, err
	}
	if err := p.Expect("AS"); err != nil {
		return nil, err
	}
	to, err := p.ParseDataType()
	if err != nil {
		return nil, err
	}
	return &Cast{Arg: arg, To: to, Try: try}, p.Expect(")")
}

// call takes the arguments of a function whose name has been taken.
func (p *Parser) call(name Token) (Expr, error) {
	p.Next()
	out := &Call{Fn: strings.ToLower(name.Value)}
	if p.Accept(")") {
		return p.aggregate(out, false)
	}
	distinct := p.tok.Is("DISTINCT")
	if distinct || p.tok.Is("ALL") && !p.PeekSecond().Is(",") && !p.PeekSecond().Is(")") {
		p.Next()
	}
	var err error
	if out.Args, err = p.list(")"); err != nil {
		return nil, err
	}
	return p.aggregate(out, distinct)
}

// aggregate takes what may follow the arguments of an aggregate function.
func (p *Parser) aggregate(c *Call, distinct bool) (Expr, error) {
	a := &Aggregate{Fn: c.Fn, Args: c.Args, Distinct: distinct}
	if a.IgnoreNulls = p.Accept("IGNORE", "NULLS"); !a.IgnoreNulls {
		p.Accept("RESPECT", "NULLS")
	}
	if p.tok.Is("FILTER") && p.PeekSecond().Is("(") {
		p.Next()
		err := p.Expect("(", "WHERE")
		if err == nil {
			a.Filter, err = p.expr(precOr)
		}
		if err == nil {
			err = p.Expect(")")
		}
		if err != nil {
			return nil, err
		}
	}
	if p.tok.Is("IGNORE") && !a.IgnoreNulls {
		a.IgnoreNulls = p.Accept("IGNORE", "NULLS")
	}
	if p.tok.Is("OVER") {
		return p.window(a)
	}
	if a.Distinct || a.IgnoreNulls || a.Filter != nil {
		return a, nil
	}
	return c, nil
}

// argument is an expression, a lambda or an expression with an alias.
func (p *Parser) argument() (Expr, error) {
	if params, ok := p.lambdaParams(); ok {
		body, err := p.expr(precOr)
		return &Lambda{Params: params, Body: body}, err
	}
	e, err := p.expr(precOr)
	if err != nil {
		return nil, err
	}
	if p.Accept("AS") {
		name, err := p.ParseIdentifier()
		return &Named{Arg: e, Name: name}, err
	}
	return e, nil
}

// lambdaParams takes x -> or (x, y) -> when a lambda starts here.
func (p *Parser) lambdaParams() ([]string, bool) {
	mark := *p
	var params []string
	switch {
	case (p.tok.Kind == Word || p.tok.Kind == QuotedWord) && p.PeekSecond().Is("->"):
		params = append(params, p.Next().Value)
	case p.tok.Is("("):
		for {
			p.Next()
			if p.tok.Kind != Word && p.tok.Kind != QuotedWord {
				*p = mark
				return nil, false
			}
			params = append(params, p.Next().Value)
			if p.tok.Is(",") {
				continue
			}
			if !p.tok.Is(")") {
				*p = mark
				return nil, false
			}
			p.Next()
			break
		}
	default:
		return nil, false
	}
	if !p.Accept("->") {
		*p = mark
		return nil, false
	}
	return params, true
}

// keywordCall takes calls with keywords between the arguments.
func (p *Parser) keywordCall(name Token, up string) (Expr, error) {
	p.Next()
	if up == "EXTRACT" {
		field, err := p.unitName()
		if err != nil {
			return nil, err
		}
		if err := p.Expect("FROM"); err != nil {
			return nil, err
		}
		src, err := p.expr(precOr)
		if err != nil {
			return nil, err
		}
		return &Call{Fn: "date_part", Args: []Expr{field, src}}, p.Expect(")")
	}
	out := &Call{Fn: strings.ToLower(name.Text)}
	if up == "TRIM" {
		return p.trim(out)
	}
	level := precOr
	if up == "POSITION" {
		if !p.inAhead() {
			p.Seek(name.End)
			return p.call(name)
		}
		level = precCompare // IN separates the arguments
	}
	for {
		e, err := p.expr(level)
		if err != nil {
			return nil, err
		}
		level = precOr
		out.Args = append(out.Args, e)
		if p.Accept(",") || (p.keywordOf(up) && p.Accept(strings.ToUpper(p.tok.Text))) {
			continue
		}
		return out, p.Expect(")")
	}
}

// inAhead reports whether IN comes before the comma or the parenthesis that ends
// the first argument.
func (p *Parser) inAhead() bool {
	mark := *p
	defer func() { *p = mark }()
	for depth := 0; p.tok.Kind != EOF && p.tok.Kind != Bad; p.Next() {
		switch {
		case p.tok.Is("(") || p.tok.Is("["):
			depth++
		case depth > 0 && (p.tok.Is(")") || p.tok.Is("]")):
			depth--
		case depth == 0 && p.tok.Is("IN"):
			return true
		case depth == 0 && (p.tok.Is(",") || p.tok.Is(")")):
			return false
		}
	}
	return false
}

func (p *Parser) keywordOf(up string) bool {
	switch up {
	case "POSITION":
		return p.tok.Is("IN")
	case "OVERLAY":
		return p.tok.Is("PLACING") || p.tok.Is("FROM") || p.tok.Is("FOR")
	}
	return p.tok.Is("FROM") || p.tok.Is("FOR")
}

// trim takes TRIM([BOTH | LEADING | TRAILING] [characters] FROM text).
func (p *Parser) trim(out *Call) (Expr, error) {
	side := ""
	for word, fn := range map[string]string{"BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"} {
		if p.tok.Is(word) && !p.PeekSecond().Is(")") && !p.PeekSecond().Is(",") {
			side, out.Fn = word, fn
		}
	}
	if side != "" {
		p.Next()
	}
	if !p.Accept("FROM") {
		e, err := p.argument()
		if err != nil {
			return nil, err
		}
		out.Args = append(out.Args, e)
		if !p.Accept("FROM") {
			if p.Accept(",") {
				rest, err := p.list(")")
				out.Args = append(out.Args, rest...)
				return out, err
			}
			return out, p.Expect(")")
		}
	}
	e, err := p.expr(precOr)
	if err != nil {
		return nil, err
	}
	out.Args = append(out.Args, e)
	return out, p.Expect(")")
}

// unitCall takes timestampdiff(HOUR, a, b) and its kin; the unit becomes a text.
func (p *Parser) unitCall(name Token) (Expr, error) {
	mark := *p
	p.Next()
	if unit := p.tok; unit.Kind == Text && p.PeekSecond().Is(",") {
		p.Next()
		p.Next()
		rest, err := p.list(")")
		if err != nil {
			return nil, err
		}
		if len(rest) == 2 {
			return nil, p.fail(unit, "INVALID_PARAMETER_VALUE.DATETIME_UNIT", "22023", fmt.Sprintf("the unit of %s stands without quotes, as in %s(YEAR, ...)", name.Text, name.Text))
		}
		return &Call{Fn: strings.ToLower(name.Text), Args: append([]Expr{&Literal{Value: unit.Value, T: types.String}}, rest...)}, nil
	}
	if word := p.tok; word.Kind == Word && p.PeekSecond().Is(",") && isUnit(word.Text) {
		p.Next()
		p.Next()
		rest, err := p.list(")")
		if err != nil {
			return nil, err
		}
		fn := strings.ToLower(name.Text)
		if len(rest) != 2 { // a column that has the name of a unit
			return &Call{Fn: fn, Args: append([]Expr{NewColumn(word.Value)}, rest...)}, nil
		}
		switch fn {
		case "datediff", "date_diff":
			fn = "timestampdiff"
		case "dateadd", "date_add":
			fn = "timestampadd"
		}
		unit := &Literal{Value: strings.ToUpper(word.Text), T: types.String}
		return &Call{Fn: fn, Args: append([]Expr{unit}, rest...)}, nil
	}
	*p = mark
	return p.call(name)
}

func (p *Parser) unitName() (Expr, error) {
	if p.tok.Kind == Text {
		return p.text(), nil
	}
	name, err := p.ParseIdentifier()
	return &Literal{Value: strings.ToUpper(name), T: types.String}, err
}

func isUnit(s string) bool {
	switch strings.ToUpper(s) {
	case "MICROSECOND", "MILLISECOND", "SECOND", "MINUTE", "HOUR", "DAY", "DAYOFYEAR", "WEEK", "MONTH", "QUARTER", "YEAR":
		return true
	}
	return false
}

// variantPath takes :name.name[0]['key'] as the text of a JSON path.
func (p *Parser) variantPath() (Expr, error) {
	p.Next()
	var b strings.Builder
	b.WriteByte('$')
	for first := true; ; first = false {
		switch {
		case p.tok.Is("."), first && !p.tok.Is("["):
			if !first {
				p.Next()
			}
			quoted := p.tok.Kind == QuotedWord
			name, err := p.ParseIdentifier()
			if err != nil {
				return nil, err
			}
			if quoted {
				b.WriteString("['" + name + "']")
			} else {
				b.WriteString("." + name)
			}
		case p.tok.Is("["):
			p.Next()
			t := p.Next()
			switch t.Kind {
			case Number:
				b.WriteString("[" + t.Text + "]")
			case Text:
				b.WriteString("['" + t.Value + "']")
			default:
				return nil, p.Errorf(t, "want an index or a key, found %s", t.describe())
			}
			if err := p.Expect("]"); err != nil {
				return nil, err
			}
		default:
			return &Literal{Value: b.String(), T: types.String}, nil
		}
	}
}
