package query

import (
	"strings"

	"github.com/sluicelake/sluice/expr"
)

// from takes relations joined by commas.
func (p *parser) from() ([]Source, error) {
	var out []Source
	for {
		s, err := p.relation()
		if err != nil {
			return nil, err
		}
		out = append(out, s)
		if !p.Accept(",") {
			return out, nil
		}
	}
}

// relation takes a relation and the joins behind it.
func (p *parser) relation() (Source, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	left, err := p.relationPrimary()
	for err == nil {
		if s, ok, perr := p.pivots(left); ok || perr != nil {
			left, err = s, perr
			continue
		}
		if err := p.refused(); err != nil {
			return nil, err
		}
		j := &Join{Left: left}
		var ok bool
		if ok, err = p.joinKind(j); err != nil || !ok {
			return left, err
		}
		if j.Right, err = p.relationPrimary(); err == nil {
			err = p.joinCondition(j)
		}
		left = j
	}
	return nil, err
}

// joinKind takes the words up to JOIN; false when no join follows.
func (p *parser) joinKind(j *Join) (bool, error) {
	j.Natural = p.Accept("NATURAL")
	switch {
	case p.Accept("INNER"):
	case p.Accept("CROSS"):
		j.Kind = Cross
	case p.Accept("LEFT", "SEMI"), p.Accept("SEMI"):
		j.Kind = Semi
	case p.Accept("LEFT", "ANTI"), p.Accept("ANTI"):
		j.Kind = Anti
	case p.Accept("LEFT"):
		j.Kind = Left
		p.Accept("OUTER")
	case p.Accept("RIGHT"):
		j.Kind = Right
		p.Accept("OUTER")
	case p.Accept("FULL"):
		j.Kind = Full
		p.Accept("OUTER")
	case p.Accept("JOIN"):
		return true, nil
	default:
		if j.Natural {
			return false, p.Expect("JOIN")
		}
		return false, nil
	}
	return true, p.Expect("JOIN")
}

func (p *parser) joinCondition(j *Join) error {
	var err error
	switch {
	case j.Natural:
	case p.Accept("ON"):
		j.On, err = p.ParseExpr()
	case p.Accept("USING"):
		j.Using, err = p.names()
	}
	return err
}

// relationPrimary takes a table, a function, a query or a relation in parentheses, with its alias.
func (p *parser) relationPrimary() (Source, error) {
	t := p.Peek()
	switch {
	case t.Is("LATERAL"):
		p.Next()
		s := Source(nil)
		var err error
		if name := p.Peek(); (name.Kind == expr.Word || name.Kind == expr.QuotedWord) && p.PeekSecond().Is("(") {
			s, err = p.function()
		}
		f, ok := s.(*FunctionRef)
		if err == nil && (!ok || !generators[f.Name]) {
			err = p.Errorf(t, "LATERAL is for explode, posexplode, inline and stack alone")
		}
		if ok {
			f.Lateral = true
		}
		return s, err
	case t.Is("VALUES"):
		v, err := p.values()
		if err != nil {
			return nil, err
		}
		as, err := p.tableAlias()
		return &Derived{Query: &Query{Body: v, Text: p.Source(t.Pos, p.LastEnd())}, As: as}, err
	case t.Is("("):
		return p.parentheses()
	case (t.Kind == expr.Word || t.Kind == expr.QuotedWord) && p.PeekSecond().Is("("):
		return p.function()
	}
	return p.table()
}

// parentheses takes (query) or (relation).
func (p *parser) parentheses() (Source, error) {
	open := p.Next()
	if p.startsQuery() {
		q, err := p.query()
		if err != nil {
			return nil, err
		}
		if err := p.Expect(")"); err != nil {
			return nil, err
		}
		as, err := p.tableAlias()
		return &Derived{Query: q, As: as}, err
	}
	s, err := p.relation()
	if err != nil {
		return nil, err
	}
	if d, ok := s.(*Derived); ok && d.As.Name == "" && !p.Peek().Is(")") {
		return p.continued(d.Query, open.End)
	}
	if err := p.Expect(")"); err != nil {
		return nil, err
	}
	as, err := p.tableAlias()
	if err != nil || as.Name == "" {
		return s, err
	}
	switch x := s.(type) {
	case *TableRef:
		x.As = as
	case *Derived:
		x.As = as
	case *FunctionRef:
		x.As = as
	case *Join:
		x.As = as
	}
	return s, nil
}

// continued takes the rest of a query in parentheses whose first operand is in
// parentheses itself.
func (p *parser) continued(first Body, start int) (Source, error) {
	q := &Query{}
	body, err := p.intersectFrom(first)
	if err == nil {
		q.Body, err = p.unionFrom(body)
	}
	if err == nil {
		err = p.organisation(q)
	}
	if err == nil {
		q.Text = strings.TrimSpace(p.Source(start, p.LastEnd()))
		err = p.Expect(")")
	}
	if err != nil {
		return nil, err
	}
	as, err := p.tableAlias()
	return &Derived{Query: q, As: as}, err
}

// startsQuery tells a query in parentheses from a relation in parentheses; an
// opening parenthesis is left to relation.
func (p *parser) startsQuery() bool {
	t := p.Peek()
	return t.Is("SELECT") || t.Is("WITH") || t.Is("FROM") || t.Is("TABLE") || t.Is("VALUES")
}

func (p *parser) function() (Source, error) {
	f := &FunctionRef{Name: strings.ToLower(p.Next().Value)}
	p.Next()
	if !p.Accept(")") {
		for {
			e, err := p.ParseExpr()
			if err != nil {
				return nil, err
			}
			f.Args = append(f.Args, e)
			if p.Accept(",") {
				continue
			}
			if err := p.Expect(")"); err != nil {
				return nil, err
			}
			break
		}
	}
	var err error
	f.As, err = p.tableAlias()
	return f, err
}

// table takes a name, the version to read and an alias.
func (p *parser) table() (*TableRef, error) {
	name, err := p.ParseQualifiedName()
	if err != nil {
		return nil, err
	}
	r := &TableRef{Name: name}
	switch {
	case p.Accept("VERSION", "AS", "OF"), p.Accept("FOR", "VERSION", "AS", "OF"),
		p.Accept("SYSTEM_VERSION", "AS", "OF"), p.Accept("FOR", "SYSTEM_VERSION", "AS", "OF"):
		r.Version, err = p.ParseExpr()
	case p.Accept("TIMESTAMP", "AS", "OF"), p.Accept("FOR", "TIMESTAMP", "AS", "OF"),
		p.Accept("SYSTEM_TIME", "AS", "OF"), p.Accept("FOR", "SYSTEM_TIME", "AS", "OF"):
		r.Timestamp, err = p.ParseExpr()
	}
	if err != nil {
		return nil, err
	}
	r.As, err = p.tableAlias()
	return r, err
}

// tableAlias takes [[AS] name [(columns)]].
func (p *parser) tableAlias() (Alias, error) {
	var a Alias
	var err error
	if a.Name, err = p.alias(); err != nil || a.Name == "" || !p.Peek().Is("(") {
		return a, err
	}
	a.Columns, err = p.names()
	return a, err
}
