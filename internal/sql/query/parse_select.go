package query

import (
	"strings"

	"github.com/sluicelake/sluice/expr"
)

// clauseWords cannot be an alias without AS: they begin what follows.
var clauseWords = words(`FROM WHERE GROUP HAVING ORDER LIMIT OFFSET UNION INTERSECT EXCEPT MINUS SETMINUS LATERAL WINDOW SORT CLUSTER
	DISTRIBUTE ON USING JOIN INNER LEFT RIGHT FULL CROSS SEMI ANTI NATURAL QUALIFY PIVOT UNPIVOT TABLESAMPLE
	AND OR NOT IN IS LIKE ILIKE RLIKE REGEXP BETWEEN ESCAPE THEN WHEN ELSE END AS SELECT SET INTO VALUES WITH OVER FILTER`)

func words(text string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(text) {
		out[w] = true
	}
	return out
}

// alias takes [AS] name.
func (p *parser) alias() (string, error) {
	if p.Accept("AS") {
		return p.ParseIdentifier()
	}
	t := p.Peek()
	if t.Kind == expr.QuotedWord || t.Kind == expr.Word && !clauseWords[strings.ToUpper(t.Text)] {
		return p.Next().Value, nil
	}
	return "", nil
}

// selection takes SELECT ... FROM ..., or FROM ... [SELECT ...].
func (p *parser) selection() (Body, error) {
	s := &Select{}
	var err error
	if p.Accept("FROM") {
		if s.From, err = p.from(); err != nil {
			return nil, err
		}
		if s.Views, err = p.lateralViews(); err != nil {
			return nil, err
		}
		if !p.Peek().Is("SELECT") {
			s.Items = []Item{{Expr: &expr.Star{}}}
			return s, p.refused()
		}
	}
	if err := p.Expect("SELECT"); err != nil {
		return nil, err
	}
	if s.Distinct = p.Accept("DISTINCT"); !s.Distinct && !p.PeekSecond().Is(",") {
		p.Accept("ALL")
	}
	for {
		it, err := p.item()
		if err != nil {
			return nil, err
		}
		s.Items = append(s.Items, it)
		if !p.Accept(",") {
			break
		}
	}
	if s.From == nil && p.Accept("FROM") {
		if s.From, err = p.from(); err != nil {
			return nil, err
		}
	}
	views, err := p.lateralViews()
	if err != nil {
		return nil, err
	}
	s.Views = append(s.Views, views...)
	if p.Accept("WHERE") {
		if s.Where, err = p.ParseExpr(); err != nil {
			return nil, err
		}
	}
	if err := p.grouping(s); err != nil {
		return nil, err
	}
	if p.Accept("HAVING") {
		if s.Having, err = p.ParseExpr(); err != nil {
			return nil, err
		}
	}
	if err := p.windows(s); err != nil {
		return nil, err
	}
	return s, p.refused()
}

// lateralViews takes LATERAL VIEW [OUTER] call [table] [AS column, ...], any number of times.
func (p *parser) lateralViews() ([]LateralView, error) {
	var out []LateralView
	for p.Accept("LATERAL", "VIEW") {
		v := LateralView{Outer: p.Accept("OUTER")}
		t := p.Peek()
		e, err := p.ParseExpr()
		if err != nil {
			return nil, err
		}
		c, ok := e.(*expr.Call)
		if v.Call = c; !ok {
			return nil, p.Errorf(t, "LATERAL VIEW needs explode, posexplode, inline or stack")
		}
		if n := p.Peek(); n.Kind == expr.QuotedWord || n.Kind == expr.Word && !clauseWords[strings.ToUpper(n.Text)] {
			v.As.Name = p.Next().Value
		}
		if n := p.Peek(); p.Accept("AS") || n.Kind == expr.QuotedWord || n.Kind == expr.Word && !clauseWords[strings.ToUpper(n.Text)] {
			for {
				name, err := p.ParseIdentifier()
				if err != nil {
					return nil, err
				}
				v.As.Columns = append(v.As.Columns, name)
				if !p.Accept(",") {
					break
				}
			}
		}
		out = append(out, v)
	}
	return out, nil
}

// windows takes WINDOW name AS (...), ...
func (p *parser) windows(s *Select) error {
	if !p.Peek().Is("WINDOW") {
		return nil
	}
	p.Next()
	for {
		name, err := p.ParseIdentifier()
		if err == nil {
			err = p.Expect("AS")
		}
		w := NamedWindow{Name: name}
		switch {
		case err != nil:
		case p.Peek().Is("("):
			w.Over, err = p.ParseWindow()
		default:
			w.Over.Name, err = p.ParseIdentifier()
		}
		if err != nil {
			return err
		}
		s.Windows = append(s.Windows, w)
		if !p.Accept(",") {
			return nil
		}
	}
}

// refused names the clauses of Spark that are not here.
func (p *parser) refused() error {
	for _, w := range []string{"LATERAL", "QUALIFY", "TABLESAMPLE"} {
		if t := p.Peek(); t.Is(w) && !p.PeekSecond().Is("VIEW") {
			return p.Errorf(t, "%s is not supported", w)
		}
	}
	return nil
}

func (p *parser) item() (Item, error) {
	e, err := p.ParseExpr()
	if err != nil {
		return Item{}, err
	}
	it := Item{Expr: e}
	if _, ok := e.(*expr.Star); ok {
		if p.Peek().Is("EXCEPT") && p.PeekSecond().Is("(") {
			mark := p.Next().Pos
			if it.Except, err = p.names(); err != nil { // * EXCEPT (SELECT ...)
				p.Seek(mark)
				it.Except = nil
			}
		}
		return it, nil
	}
	if p.Peek().Is("AS") && p.PeekSecond().Is("(") {
		p.Next()
		it.Names, err = p.names()
		return it, err
	}
	it.Alias, err = p.alias()
	return it, err
}

// grouping takes GROUP BY.
func (p *parser) grouping(s *Select) error {
	if !p.Accept("GROUP", "BY") {
		return nil
	}
	if t := p.PeekSecond(); p.Peek().Is("ALL") && !t.Is(",") && !t.Is(".") && !t.Is("(") {
		p.Next()
		s.GroupAll = true
		return nil
	}
	var err error
	s.Group, s.Sets, err = p.groupElements()
	return err
}
