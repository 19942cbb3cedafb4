package parse

import (
	"strconv"
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/sql/query"
)

// dropping reads what stands behind DROP.
func dropping(p *expr.Parser) (Statement, error) {
	d := &Drop{}
	p.Accept("TEMPORARY")
	if d.View = p.Accept("VIEW"); !d.View {
		if err := p.Expect("TABLE"); err != nil {
			return nil, err
		}
	}
	d.IfExists = p.Accept("IF", "EXISTS")
	var err error
	if d.Table, err = p.ParseQualifiedName(); err != nil {
		return nil, err
	}
	p.Accept("PURGE")
	return d, nil
}

// describing reads what stands behind DESCRIBE.
func describing(p *expr.Parser) (Statement, error) {
	d := &Describe{}
	var err error
	switch {
	case query.Starts(p) && !p.Peek().Is("TABLE"), p.Accept("QUERY"):
		d.Query, err = query.Parse(p)
		return d, err
	case p.Accept("HISTORY"):
		d.What = DescribeHistory
	case p.Accept("DETAIL"):
		d.What = DescribeDetail
	default:
		p.Accept("TABLE")
		if p.Accept("EXTENDED") || p.Accept("FORMATTED") {
			d.What = DescribeExtended
		}
	}
	if p.Peek().Kind == expr.Text { // DESCRIBE HISTORY '/path'
		d.Table = []string{"delta", p.Next().Value}
	} else if d.Table, err = p.ParseQualifiedName(); err != nil {
		return nil, err
	}
	if t := p.Peek(); (d.What == DescribeColumns || d.What == DescribeExtended) && (t.Kind == expr.Word || t.Kind == expr.QuotedWord) {
		d.Column, err = p.ParseQualifiedName()
		return d, err
	}
	if d.What == DescribeHistory && p.Accept("LIMIT") {
		t := p.Peek()
		if d.Limit, err = strconv.Atoi(t.Text); err != nil || t.Kind != expr.Number || d.Limit < 1 {
			return nil, p.Errorf(t, "want a number of commits")
		}
		p.Next()
	}
	return d, nil
}

// showing reads what stands behind SHOW.
func showing(p *expr.Parser) (Statement, error) {
	t := p.Peek()
	switch {
	case p.Accept("TBLPROPERTIES"):
		s := &ShowProperties{}
		var err error
		if s.Table, err = p.ParseQualifiedName(); err != nil {
			return nil, err
		}
		if p.Accept("(") {
			if s.Key, err = propertyKey(p); err != nil {
				return nil, err
			}
			return s, p.Expect(")")
		}
		return s, nil
	case p.Accept("COLUMNS"):
		if !p.Accept("IN") && !p.Accept("FROM") {
			return nil, p.Errorf(p.Peek(), "want IN or FROM and a table")
		}
		name, err := p.ParseQualifiedName()
		return &ShowColumns{name}, err
	case p.Accept("TABLES"):
		return listing(p, ListTables)
	case p.Accept("VIEWS"):
		return listing(p, ListViews)
	case p.Accept("DATABASES"), p.Accept("SCHEMAS"), p.Accept("NAMESPACES"):
		return listing(p, ListDatabases)
	case p.Accept("CATALOGS"):
		return listing(p, ListCatalogs)
	}
	return nil, p.Errorf(t, "want TBLPROPERTIES, COLUMNS, TABLES, VIEWS, DATABASES or CATALOGS behind SHOW")
}

// setting reads what stands behind SET: nothing, key, key = value, or TIME ZONE.
func setting(p *expr.Parser) (Statement, error) {
	if p.Accept("TIME", "ZONE") {
		if p.Accept("LOCAL") {
			return &Set{Key: "spark.sql.session.timeZone", Reset: true}, nil
		}
		zone, err := literal(p)
		return &Set{Key: "spark.sql.session.timeZone", Value: zone, HasValue: true}, err
	}
	key, err := settingName(p)
	if err != nil || key == "" || !p.Peek().Is("=") {
		return &Set{Key: key}, err
	}
	p.Next()
	from := p.Peek()
	if end := p.PeekSecond(); from.Kind == expr.Text && (end.Is(";") || end.Kind == expr.EOF) {
		p.Next()
		return &Set{Key: key, Value: from.Value, HasValue: true}, nil
	}
	for !p.Peek().Is(";") && p.Peek().Kind != expr.EOF && p.Peek().Kind != expr.Bad {
		p.Next()
	}
	return &Set{Key: key, Value: strings.TrimSpace(p.Source(from.Pos, max(from.Pos, p.LastEnd()))), HasValue: true}, nil
}

// settingName reads a.b.c, whose parts may be any words; "" at the end.
func settingName(p *expr.Parser) (string, error) {
	if t := p.Peek(); t.Is(";") || t.Kind == expr.EOF {
		return "", nil
	}
	parts, err := p.ParseQualifiedName()
	return strings.Join(parts, "."), err
}
