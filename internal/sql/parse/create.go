package parse

import (
	"fmt"
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/sql/query"
	"github.com/sluicelake/sluice/internal/verbs/create"
	"github.com/sluicelake/sluice/types"
)

// creating reads CREATE TABLE, REPLACE TABLE and CREATE TEMPORARY VIEW.
func creating(p *expr.Parser) (Statement, error) {
	c := &Create{}
	if p.Accept("REPLACE") {
		c.Spec.Replace = true
	} else if err := p.Expect("CREATE"); err != nil {
		return nil, err
	} else if p.Accept("OR", "REPLACE") {
		c.Spec.Replace, c.Spec.OrCreate = true, true
	}
	p.Accept("GLOBAL")
	temporary := p.Accept("TEMPORARY") || p.Accept("TEMP")
	switch {
	case p.Accept("VIEW"):
		return view(p, c.Spec.Replace, temporary)
	case p.Accept("EXTERNAL"):
	}
	if err := p.Expect("TABLE"); err != nil {
		return nil, err
	}
	c.Spec.IfNotExists = p.Accept("IF", "NOT", "EXISTS")
	var err error
	if c.Table, err = p.ParseQualifiedName(); err != nil {
		return nil, err
	}
	if t := p.Peek(); (t.Is("SHALLOW") || t.Is("DEEP")) && p.PeekSecond().Is("CLONE") || t.Is("CLONE") {
		return cloning(p, c)
	}
	if p.Accept("LIKE") {
		return c.like(p)
	}
	if p.Peek().Is("(") && isName(p.PeekSecond()) {
		if err := c.columns(p); err != nil {
			return nil, err
		}
	}
	for {
		done, err := c.clause(p)
		if err != nil || done {
			return c, err
		}
	}
}

func view(p *expr.Parser, replace, temporary bool) (Statement, error) {
	v := &CreateView{Replace: replace}
	if !temporary {
		return nil, p.Errorf(p.Peek(), "views are temporary here: CREATE TEMPORARY VIEW")
	}
	var err error
	if v.Name, err = p.ParseQualifiedName(); err != nil {
		return nil, err
	}
	if p.Peek().Is("(") {
		if v.Columns, err = names(p); err != nil {
			return nil, err
		}
	}
	if err := p.Expect("AS"); err != nil {
		return nil, err
	}
	v.Query, err = query.Parse(p)
	return v, err
}

// columns reads the list of columns and constraints.
func (c *Create) columns(p *expr.Parser) error {
	c.Spec.Schema = &types.Struct{}
	if err := p.Expect("("); err != nil {
		return err
	}
	for {
		if t := p.Peek(); t.Is("CONSTRAINT") || t.Is("CHECK") && p.PeekSecond().Is("(") {
			k, err := constraint(p, len(c.Spec.Constraints))
			if err != nil {
				return err
			}
			c.Spec.Constraints = append(c.Spec.Constraints, k)
		} else {
			f, err := p.ParseColumn()
			if err != nil {
				return err
			}
			c.Spec.Schema.Fields = append(c.Spec.Schema.Fields, f)
		}
		if !p.Accept(",") {
			return p.Expect(")")
		}
	}
}

// constraint reads [CONSTRAINT name] CHECK (condition).
func constraint(p *expr.Parser, n int) (create.Constraint, error) {
	k := create.Constraint{Name: fmt.Sprintf("check_%d", n+1)}
	var err error
	if p.Accept("CONSTRAINT") {
		if k.Name, err = p.ParseIdentifier(); err != nil {
			return k, err
		}
	}
	if t := p.Peek(); t.Is("PRIMARY") || t.Is("FOREIGN") || t.Is("UNIQUE") {
		return k, p.Errorf(t, "Delta tables have CHECK constraints only")
	}
	if err := p.Expect("CHECK", "("); err != nil {
		return k, err
	}
	k.Check, err = condition(p)
	if err != nil {
		return k, err
	}
	return k, p.Expect(")")
}

// condition takes an expression as text, its tokens one blank apart, as the
// reference stores it.
func condition(p *expr.Parser) (string, error) {
	start := p.Peek().Pos
	if err := asWritten(p); err != nil {
		return "", err
	}
	text := p.Source(start, p.LastEnd())
	var words []string
	for q := expr.NewParser(text); q.Peek().Kind != expr.EOF; q.Next() {
		words = append(words, q.Peek().Text)
	}
	return strings.Join(words, " "), nil
}

// clause reads one of what stands behind the columns; done at the end.
func (c *Create) clause(p *expr.Parser) (done bool, err error) {
	t := p.Peek()
	switch {
	case p.Accept("USING"):
		c.Using, err = p.ParseIdentifier()
	case p.Accept("PARTITIONED", "BY"):
		err = c.partitions(p)
	case p.Accept("CLUSTER", "BY"):
		c.Spec.ClusterBy, err = paths(p)
	case p.Accept("TBLPROPERTIES"):
		c.Spec.Properties, err = properties(p)
	case p.Accept("LOCATION"):
		c.Location, err = literal(p)
	case p.Accept("COMMENT"):
		c.Spec.Comment, err = literal(p)
	case p.Accept("AS"), query.Starts(p):
		if !query.Starts(p) {
			return false, p.Errorf(p.Peek(), "want a query behind AS")
		}
		c.Query, err = query.Parse(p)
		return true, err
	case t.Is("CLUSTERED"), t.Is("STORED"), t.Is("OPTIONS"), t.Is("ROW"):
		return false, p.Errorf(t, "CREATE TABLE with %s is not supported", strings.ToUpper(t.Text))
	default:
		return true, nil
	}
	return false, err
}

// partitions reads (a, b), or columns with types, which are added to the table.
func (c *Create) partitions(p *expr.Parser) error {
	if err := p.Expect("("); err != nil {
		return err
	}
	for {
		if second := p.PeekSecond(); second.Is(",") || second.Is(")") {
			name, err := p.ParseIdentifier()
			if err != nil {
				return err
			}
			c.Spec.PartitionBy = append(c.Spec.PartitionBy, name)
		} else {
			if second.Is("(") {
				return p.Errorf(p.Peek(), "tables are partitioned by columns, not by expressions of them: a generated column can hold the expression")
			}
			f, err := p.ParseColumn()
			if err != nil {
				return err
			}
			if c.Spec.Schema == nil {
				c.Spec.Schema = &types.Struct{}
			}
			c.Spec.Schema.Fields = append(c.Spec.Schema.Fields, f)
			c.Spec.PartitionBy = append(c.Spec.PartitionBy, f.Name)
		}
		if !p.Accept(",") {
			return p.Expect(")")
		}
	}
}

// literal takes a string.
func literal(p *expr.Parser) (string, error) {
	if t := p.Peek(); t.Kind != expr.Text {
		return "", p.Errorf(t, "want a text in quotes")
	}
	return p.Next().Value, nil
}

// properties reads ('key' = 'value', a.b = 5, ...).
func properties(p *expr.Parser) (map[string]string, error) {
	if err := p.Expect("("); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for {
		at := p.Peek()
		key, err := propertyKey(p)
		if err != nil {
			return nil, err
		}
		if _, twice := out[key]; twice {
			return nil, p.Errorf(at, "the property %s is given twice", key)
		}
		p.Accept("=")
		t := p.Peek()
		minus := ""
		if p.Accept("-") {
			minus, t = "-", p.Peek()
		}
		switch {
		case t.Kind == expr.Text && minus == "":
			out[key] = t.Value
		case t.Kind == expr.Number:
			out[key] = minus + t.Text
		case t.Is("TRUE"), t.Is("FALSE"):
			out[key] = strings.ToLower(t.Text)
		default:
			return nil, p.Errorf(t, "want the value of the property %s: a text, a number, true or false", key)
		}
		p.Next()
		if !p.Accept(",") {
			return out, p.Expect(")")
		}
	}
}

// propertyKey reads 'key' or a.b.c.
func propertyKey(p *expr.Parser) (string, error) {
	if p.Peek().Kind == expr.Text {
		return p.Next().Value, nil
	}
	parts, err := p.ParseQualifiedName()
	return strings.Join(parts, "."), err
}

// propertyKeys reads ('a', b.c, ...).
func propertyKeys(p *expr.Parser) ([]string, error) {
	if err := p.Expect("("); err != nil {
		return nil, err
	}
	var out []string
	for {
		key, err := propertyKey(p)
		if err != nil {
			return nil, err
		}
		out = append(out, key)
		if !p.Accept(",") {
			return out, p.Expect(")")
		}
	}
}
