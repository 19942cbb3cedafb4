package parse

import (
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/verbs/dml"
)

// Change is an UPDATE or DELETE statement with the relation it names.
type Change struct {
	Target Relation
	Spec   dml.Statement
}

// UpdateStatement reads UPDATE target [[AS] alias] SET a = expr, ... [WHERE condition].
func UpdateStatement(text string) (*Change, error) {
	p := expr.NewParser(text)
	if err := p.Expect("UPDATE"); err != nil {
		return nil, err
	}
	return whole(p, "SET")
}

// DeleteStatement reads DELETE FROM target [[AS] alias] [WHERE condition].
func DeleteStatement(text string) (*Change, error) {
	p := expr.NewParser(text)
	if err := p.Expect("DELETE", "FROM"); err != nil {
		return nil, err
	}
	return whole(p, "WHERE")
}

func whole(p *expr.Parser, follows string) (*Change, error) {
	c, err := change(p, follows)
	if err != nil {
		return nil, err
	}
	return c, end(p)
}

// change reads the rest of a statement, from the name of the target on; follows
// is the word that stands behind the target.
func change(p *expr.Parser, follows string) (*Change, error) {
	c := &Change{Spec: dml.Statement{Delete: follows == "WHERE"}}
	var err error
	if c.Target, err = relation(p, follows); err != nil {
		return nil, err
	}
	c.Spec.Alias = c.Target.name()
	if !c.Spec.Delete {
		if err := p.Expect("SET"); err != nil {
			return nil, err
		}
		if c.Spec.Set, err = assignments(p); err != nil {
			return nil, err
		}
	}
	if p.Accept("WHERE") {
		if c.Spec.Where, err = p.ParseExpr(); err != nil {
			return nil, err
		}
	}
	return c, nil
}
