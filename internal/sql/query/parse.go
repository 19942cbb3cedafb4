package query

import (
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

// maxDepth bounds the nesting of queries: text may be hostile, stacks are not endless.
const maxDepth = 60

// parser reads a query from the tokens of a statement.
type parser struct {
	*expr.Parser
	depth int
}

// Parse takes a query: SELECT, FROM, VALUES, TABLE, WITH, set operations,
// parentheses. It stops behind the query.
func Parse(p *expr.Parser) (*Query, error) {
	q := &parser{Parser: p}
	before := p.Queries
	p.Queries = func(*expr.Parser) (any, error) { return q.query() }
	defer func() { p.Queries = before }()
	return q.query()
}

// ParseText reads a query that takes the whole text.
func ParseText(text string) (*Query, error) {
	p := expr.NewParser(text)
	q, err := Parse(p)
	if err != nil {
		return nil, err
	}
	p.Accept(";")
	if t := p.Peek(); t.Kind != expr.EOF {
		return nil, p.Errorf(t, "unexpected %s after the query", describe(t))
	}
	return q, nil
}

// Starts reports whether a query can start at the next token.
func Starts(p *expr.Parser) bool {
	t := p.Peek()
	return t.Is("SELECT") || t.Is("WITH") || t.Is("FROM") || t.Is("VALUES") || t.Is("(") || t.Is("TABLE")
}

func describe(t expr.Token) string {
	if t.Kind == expr.EOF {
		return "the end of the text"
	}
	if len(t.Text) > 40 {
		return "'" + t.Text[:40] + "...'"
	}
	return "'" + t.Text + "'"
}

// enter guards recursion.
func (p *parser) enter() error {
	if p.depth++; p.depth > maxDepth {
		return p.Errorf(p.Peek(), "queries are nested deeper than %d levels", maxDepth)
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

// query takes [WITH ...] body [ORDER BY ...] [LIMIT ...] [OFFSET ...].
func (p *parser) query() (*Query, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	q := &Query{}
	start := p.Peek().Pos
	if p.Accept("WITH") {
		if t := p.Peek(); t.Is("RECURSIVE") && !p.PeekSecond().Is("AS") {
			return nil, p.Errorf(t, "WITH RECURSIVE is not supported")
		}
		for {
			c, err := p.cte()
			if err != nil {
				return nil, err
			}
			q.With = append(q.With, c)
			if !p.Accept(",") {
				break
			}
		}
	}
	var err error
	if q.Body, err = p.union(); err != nil {
		return nil, err
	}
	if err := p.organisation(q); err != nil {
		return nil, err
	}
	q.Text = p.Source(start, p.LastEnd())
	return q, nil
}

func (p *parser) cte() (CTE, error) {
	var c CTE
	var err error
	if c.Name, err = p.ParseIdentifier(); err != nil {
		return c, err
	}
	if p.Peek().Is("(") {
		if c.Columns, err = p.names(); err != nil {
			return c, err
		}
	}
	p.Accept("AS")
	if err = p.Expect("("); err != nil {
		return c, err
	}
	if c.Query, err = p.query(); err != nil {
		return c, err
	}
	return c, p.Expect(")")
}

// names takes (a, b, ...).
func (p *parser) names() ([]string, error) {
	if err := p.Expect("("); err != nil {
		return nil, err
	}
	var out []string
	for {
		n, err := p.ParseIdentifier()
		if err != nil {
			return nil, err
		}
		out = append(out, n)
		if !p.Accept(",") {
			return out, p.Expect(")")
		}
	}
}

// union takes bodies joined by UNION and EXCEPT, which bind alike and less than INTERSECT.
func (p *parser) union() (Body, error) {
	left, err := p.intersect()
	if err != nil {
		return nil, err
	}
	return p.unionFrom(left)
}

func (p *parser) unionFrom(left Body) (Body, error) {
	for {
		var op SetOp
		switch {
		case p.Accept("UNION"):
			op = Union
		case p.Accept("EXCEPT"), p.Accept("MINUS"), p.Accept("SETMINUS"):
			op = Except
		default:
			return left, nil
		}
		var err error
		if left, err = p.combine(op, left, p.intersect); err != nil {
			return nil, err
		}
	}
}

func (p *parser) intersect() (Body, error) {
	left, err := p.primary()
	if err != nil {
		return nil, err
	}
	return p.intersectFrom(left)
}

func (p *parser) intersectFrom(left Body) (Body, error) {
	for p.Accept("INTERSECT") {
		var err error
		if left, err = p.combine(Intersect, left, p.primary); err != nil {
			return nil, err
		}
	}
	return left, nil
}

func (p *parser) combine(op SetOp, left Body, next func() (Body, error)) (Body, error) {
	all := p.Accept("ALL")
	if !all {
		p.Accept("DISTINCT")
	}
	if t := p.Peek(); t.Is("BY") && p.PeekSecond().Is("NAME") {
		return nil, p.Errorf(t, "%s BY NAME is not supported", op)
	}
	right, err := next()
	return &Set{Op: op, All: all, Left: left, Right: right}, err
}

// primary takes a SELECT, an inline table, TABLE name or a query in parentheses.
func (p *parser) primary() (Body, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	t := p.Peek()
	switch {
	case t.Is("SELECT"), t.Is("FROM"):
		return p.selection()
	case t.Is("VALUES"):
		return p.values()
	case t.Is("TABLE"):
		p.Next()
		r, err := p.table()
		return &Select{Items: []Item{{Expr: &expr.Star{}}}, From: []Source{r}}, err
	case t.Is("("):
		p.Next()
		q, err := p.query()
		if err != nil {
			return nil, err
		}
		return q, p.Expect(")")
	}
	return nil, p.Errorf(t, "want a query, found %s", describe(t))
}

func (p *parser) values() (Body, error) {
	p.Next()
	v := &Values{}
	for {
		e, err := p.ParseExpr()
		if err != nil {
			return nil, err
		}
		row := []expr.Expr{e}
		if c, ok := e.(*expr.Call); ok && c.Fn == "struct" {
			row = c.Args
		}
		v.Rows = append(v.Rows, row)
		if !p.Accept(",") {
			return v, nil
		}
	}
}

// organisation takes ORDER BY, LIMIT and OFFSET.
func (p *parser) organisation(q *Query) error {
	var err error
	if t := p.Peek(); (t.Is("SORT") || t.Is("CLUSTER") || t.Is("DISTRIBUTE")) && p.PeekSecond().Is("BY") {
		return p.Errorf(t, "%s BY is not supported: use ORDER BY", strings.ToUpper(t.Text))
	}
	if p.Accept("ORDER", "BY") {
		if q.Order, err = p.orders(); err != nil {
			return err
		}
		if s, ok := q.Body.(*Select); ok && len(s.Windows) == 0 {
			if err := p.windows(s); err != nil {
				return err
			}
		}
	}
	for {
		switch {
		case q.Limit == nil && q.Offset == nil && p.Accept("LIMIT", "ALL"):
			continue
		case q.Limit == nil && p.Accept("LIMIT"):
			q.Limit, err = p.rowCount()
		case q.Offset == nil && p.Accept("OFFSET"):
			q.Offset, err = p.rowCount()
		default:
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (p *parser) orders() ([]Order, error) {
	var out []Order
	for {
		k, err := p.ParseSortKey()
		if err != nil {
			return nil, err
		}
		out = append(out, Order(k))
		if !p.Accept(",") {
			return out, nil
		}
	}
}

// rowCount takes what stands behind LIMIT and OFFSET. The value of a placeholder may
// be a BIGINT, since Go's numbers are.
func (p *parser) rowCount() (expr.Expr, error) {
	t := p.Peek()
	e, err := p.ParseExpr()
	if l, ok := e.(*expr.Literal); ok && t.Kind == expr.Symbol && !t.Is("(") && l.T == types.Long {
		if n, ok := l.Value.(int64); ok && n == int64(int32(n)) {
			return &expr.Literal{Value: n, T: types.Integer}, err
		}
	}
	return e, err
}
