// Package parse turns SQL text into the specs of verbs: whole statements, and
// the fragments that the command line takes one by one.
package parse

import (
	"fmt"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/sql/query"
	"github.com/sluicelake/sluice/internal/verbs/merge"
)

// Merge is a MERGE statement: the spec with the relations it names.
type Merge struct {
	Target, Source Relation
	// Query is the source when it is a query in parentheses; nil: Source is a name.
	Query *query.Query
	Spec  merge.Spec
}

// Relation is a table name, delta.`path` or json.`path`, with its alias.
type Relation struct {
	Parts []string
	Alias string
}

// Clause reads what stands behind WHEN MATCHED, WHEN NOT MATCHED or WHEN NOT
// MATCHED BY SOURCE: "[AND condition THEN] action", for example
// "UPDATE SET *" or "AND s.deleted THEN DELETE".
func Clause(kind merge.Kind, text string) (merge.Clause, error) {
	p := expr.NewParser(text)
	p.Accept("WHEN", "MATCHED") // the whole clause is welcome too
	c, err := clause(p, kind, false)
	if err != nil {
		return merge.Clause{}, fmt.Errorf("%s: %w", kind, err)
	}
	if err := end(p); err != nil {
		return merge.Clause{}, fmt.Errorf("%s: %w", kind, err)
	}
	return c, nil
}

func end(p *expr.Parser) error {
	p.Accept(";")
	if t := p.Peek(); t.Kind != expr.EOF {
		return p.Errorf(t, "unexpected text behind the end")
	}
	return nil
}

// clause reads from AND or THEN on. Without strict the word THEN may be
// missing when there is no condition.
func clause(p *expr.Parser, kind merge.Kind, strict bool) (c merge.Clause, err error) {
	c.Kind = kind
	if p.Accept("AND") {
		if c.Cond, err = p.ParseExpr(); err != nil {
			return c, err
		}
		strict = true
	}
	if !p.Accept("THEN") && strict {
		return c, p.Expect("THEN")
	}
	switch {
	case p.Accept("DELETE"):
		c.Action = merge.Delete
	case p.Accept("UPDATE", "SET", "*"):
		c.Action = merge.UpdateAll
	case p.Accept("UPDATE", "SET"):
		c.Action = merge.Update
		c.Set, err = assignments(p)
	case p.Accept("INSERT", "*"):
		c.Action = merge.InsertAll
	case p.Accept("INSERT"):
		c.Action = merge.Insert
		c.Set, err = insertValues(p)
	default:
		return c, p.Errorf(p.Peek(), "want UPDATE SET, DELETE or INSERT")
	}
	return c, err
}

// Assignments reads "a = expr, b = expr".
func Assignments(text string) ([]merge.Assignment, error) {
	p := expr.NewParser(text)
	set, err := assignments(p)
	if err != nil {
		return nil, err
	}
	return set, end(p)
}

func assignments(p *expr.Parser) ([]merge.Assignment, error) {
	var out []merge.Assignment
	for {
		name, err := p.ParseQualifiedName()
		if err != nil {
			return nil, err
		}
		if !p.Accept("=") {
			return nil, p.Expect("=")
		}
		value, err := p.ParseExpr()
		if err != nil {
			return nil, err
		}
		out = append(out, merge.Assignment{Column: name, Value: value})
		if !p.Accept(",") {
			return out, nil
		}
	}
}

func insertValues(p *expr.Parser) ([]merge.Assignment, error) {
	if err := p.Expect("("); err != nil {
		return nil, err
	}
	var out []merge.Assignment
	for {
		name, err := p.ParseQualifiedName()
		if err != nil {
			return nil, err
		}
		out = append(out, merge.Assignment{Column: name})
		if !p.Accept(",") {
			break
		}
	}
	if err := p.Expect(")", "VALUES", "("); err != nil {
		return nil, err
	}
	for i := range out {
		if i > 0 {
			if t := p.Peek(); t.Text == ")" {
				return nil, p.Errorf(t, "%d columns and %d values", len(out), i)
			}
			if err := p.Expect(","); err != nil {
				return nil, err
			}
		}
		value, err := p.ParseExpr()
		if err != nil {
			return nil, err
		}
		out[i].Value = value
	}
	if t := p.Peek(); t.Text == "," {
		return nil, p.Errorf(t, "more values than the %d columns", len(out))
	}
	return out, p.Expect(")")
}

// MergeStatement reads MERGE INTO target USING source ON condition WHEN ...
func MergeStatement(text string) (*Merge, error) {
	p := expr.NewParser(text)
	m, err := merging(p)
	if err != nil {
		return nil, err
	}
	return m, end(p)
}

func merging(p *expr.Parser) (*Merge, error) {
	m := &Merge{}
	if err := p.Expect("MERGE"); err != nil {
		return nil, err
	}
	m.Spec.Evolve = p.Accept("WITH", "SCHEMA", "EVOLUTION")
	if err := p.Expect("INTO"); err != nil {
		return nil, err
	}
	var err error
	if m.Target, err = relation(p, "USING"); err != nil {
		return nil, err
	}
	if err := p.Expect("USING"); err != nil {
		return nil, err
	}
	if p.Peek().Is("(") {
		err = m.subquery(p)
	} else {
		m.Source, err = relation(p, "ON")
	}
	if err != nil {
		return nil, err
	}
	if err := p.Expect("ON"); err != nil {
		return nil, err
	}
	if m.Spec.On, err = p.ParseExpr(); err != nil {
		return nil, err
	}
	m.Spec.TargetAlias, m.Spec.SourceAlias = m.Target.name(), m.Source.name()
	for p.Accept("WHEN") {
		kind := merge.Matched
		if p.Accept("NOT", "MATCHED") {
			kind = merge.NotMatched
			if p.Accept("BY", "SOURCE") {
				kind = merge.NotMatchedBySource
			} else {
				p.Accept("BY", "TARGET")
			}
		} else if err := p.Expect("MATCHED"); err != nil {
			return nil, err
		}
		c, err := clause(p, kind, true)
		if err != nil {
			return nil, err
		}
		m.Spec.Clauses = append(m.Spec.Clauses, c)
	}
	return m, nil
}

// subquery reads the source (SELECT ...) [AS] name.
func (m *Merge) subquery(p *expr.Parser) error {
	if err := p.Expect("("); err != nil {
		return err
	}
	var err error
	if m.Query, err = query.Parse(p); err != nil {
		return err
	}
	if err := p.Expect(")"); err != nil {
		return err
	}
	m.Source.Alias, err = alias(p, "ON")
	return err
}

func (r Relation) name() string {
	if r.Alias != "" || len(r.Parts) == 0 {
		return r.Alias
	}
	return r.Parts[len(r.Parts)-1]
}

// relation reads a name and an alias that is not the word that follows.
func relation(p *expr.Parser, follows string) (Relation, error) {
	parts, err := p.ParseQualifiedName()
	if err != nil {
		return Relation{}, err
	}
	as, err := alias(p, follows)
	return Relation{Parts: parts, Alias: as}, err
}

// alias reads [AS] name, "" for none.
func alias(p *expr.Parser, follows string) (string, error) {
	if p.Accept("AS") {
		return p.ParseIdentifier()
	}
	if t := p.Peek(); (t.Kind == expr.Word || t.Kind == expr.QuotedWord) && !t.Is(follows) {
		return p.Next().Value, nil
	}
	return "", nil
}
