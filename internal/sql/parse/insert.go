package parse

import (
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/sql/query"
)

// insertInto reads what stands behind INSERT.
func insertInto(p *expr.Parser) (Statement, error) {
	s := &Insert{}
	s.Evolve = p.Accept("WITH", "SCHEMA", "EVOLUTION")
	switch {
	case p.Accept("OVERWRITE"):
		s.Overwrite = true
		if t := p.Peek(); t.Is("LOCAL") || t.Is("DIRECTORY") {
			return nil, p.Errorf(t, "INSERT OVERWRITE DIRECTORY is not supported: use sluice cat --format")
		}
	case p.Accept("INTO"):
	default:
		return nil, p.Errorf(p.Peek(), "want INTO or OVERWRITE behind INSERT")
	}
	if second := p.PeekSecond(); p.Peek().Is("TABLE") && isName(second) {
		p.Next()
	}
	var err error
	if s.Target, err = p.ParseQualifiedName(); err != nil {
		return nil, err
	}
	if p.Accept("PARTITION") {
		if s.Partition, err = partitionValues(p); err != nil {
			return nil, err
		}
	}
	if p.Accept("IF", "NOT", "EXISTS") {
		return nil, p.Errorf(p.Peek(), "INSERT ... IF NOT EXISTS is not supported")
	}
	switch {
	case p.Accept("BY", "NAME"):
		s.ByName = true
	case p.Peek().Is("(") && isName(p.PeekSecond()):
		if s.Columns, err = names(p); err != nil {
			return nil, err
		}
	}
	if !s.Overwrite && p.Accept("REPLACE") {
		if t := p.Peek(); !t.Is("WHERE") {
			return nil, p.Errorf(t, "want WHERE behind REPLACE")
		}
		p.Next()
		if s.Where, err = p.ParseExpr(); err != nil {
			return nil, err
		}
		if p.Accept("BY", "NAME") {
			s.ByName = true
		}
	}
	if !query.Starts(p) {
		return nil, p.Errorf(p.Peek(), "want a query: SELECT or VALUES")
	}
	s.Query, err = query.Parse(p)
	return s, err
}

// isName tells a column list from a query in parentheses.
func isName(t expr.Token) bool {
	return t.Kind == expr.QuotedWord || t.Kind == expr.Word && !t.Is("SELECT") && !t.Is("VALUES") && !t.Is("WITH") && !t.Is("FROM") && !t.Is("TABLE")
}

// names reads (a, b, ...).
func names(p *expr.Parser) ([]string, error) {
	if err := p.Expect("("); err != nil {
		return nil, err
	}
	var out []string
	for {
		name, err := p.ParseIdentifier()
		if err != nil {
			return nil, err
		}
		out = append(out, name)
		if !p.Accept(",") {
			return out, p.Expect(")")
		}
	}
}

// paths reads (a, b.c, ...).
func paths(p *expr.Parser) ([][]string, error) {
	if err := p.Expect("("); err != nil {
		return nil, err
	}
	var out [][]string
	for {
		name, err := p.ParseQualifiedName()
		if err != nil {
			return nil, err
		}
		out = append(out, name)
		if !p.Accept(",") {
			return out, p.Expect(")")
		}
	}
}

// partitionValues reads (p = 1, q, ...).
func partitionValues(p *expr.Parser) ([]PartitionValue, error) {
	if err := p.Expect("("); err != nil {
		return nil, err
	}
	var out []PartitionValue
	for {
		name, err := p.ParseIdentifier()
		if err != nil {
			return nil, err
		}
		v := PartitionValue{Column: name}
		if p.Accept("=") {
			if v.Value, err = p.ParseExpr(); err != nil {
				return nil, err
			}
		}
		out = append(out, v)
		if !p.Accept(",") {
			return out, p.Expect(")")
		}
	}
}
