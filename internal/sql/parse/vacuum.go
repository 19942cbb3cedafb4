package parse

import (
	"strconv"
	"time"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/sql/query"
	"github.com/sluicelake/sluice/internal/verbs/repair"
	"github.com/sluicelake/sluice/internal/verbs/vacuum"
)

// Vacuum is VACUUM. The inventory of the spec comes from the query.
type Vacuum struct {
	Table     []string
	Spec      vacuum.Spec
	Inventory *query.Query // nil: none
}

// Fsck is FSCK REPAIR TABLE.
type Fsck struct {
	Table []string
	Spec  repair.Spec
}

func (*Vacuum) statement() {}
func (*Fsck) statement()   {}

// pathOrName reads the name of a table, or its path as text.
func pathOrName(p *expr.Parser) ([]string, error) {
	if p.Peek().Kind == expr.Text {
		return []string{"delta", p.Next().Value}, nil
	}
	return p.ParseQualifiedName()
}

// vacuuming reads what stands behind VACUUM: a table, and then, in any order and
// each once, LITE or FULL, USING INVENTORY, RETAIN and DRY RUN.
func vacuuming(p *expr.Parser) (Statement, error) {
	s := &Vacuum{}
	var err error
	if s.Table, err = pathOrName(p); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for {
		t := p.Peek()
		what := ""
		switch {
		case p.Accept("LITE"):
			what, s.Spec.Lite = "LITE or FULL", true
		case p.Accept("FULL"):
			what = "LITE or FULL"
		case p.Accept("USING", "INVENTORY"):
			what = "USING INVENTORY"
			if s.Inventory, err = inventory(p); err != nil {
				return nil, err
			}
		case p.Accept("RETAIN"):
			what = "RETAIN"
			if s.Spec.Retain, err = retained(p); err != nil {
				return nil, err
			}
		case p.Accept("DRY", "RUN"):
			what, s.Spec.DryRun = "DRY RUN", true
		default:
			if s.Spec.Lite && s.Inventory != nil {
				return nil, p.Errorf(t, "an inventory lists the files, and LITE takes them from the log: want one of the two")
			}
			return s, nil
		}
		if seen[what] {
			return nil, p.Errorf(t, "%s is there twice", what)
		}
		seen[what] = true
	}
}

// inventory reads a table or a query in parentheses.
func inventory(p *expr.Parser) (*query.Query, error) {
	if p.Accept("(") {
		q, err := query.Parse(p)
		if err != nil {
			return nil, err
		}
		return q, p.Expect(")")
	}
	name, err := p.ParseQualifiedName()
	if err != nil {
		return nil, err
	}
	return &query.Query{Body: &query.Select{Items: []query.Item{{Expr: &expr.Star{}}}, From: []query.Source{&query.TableRef{Name: name}}}}, nil
}

func retained(p *expr.Parser) (*time.Duration, error) {
	minus := p.Accept("-")
	t := p.Peek()
	n, err := strconv.ParseFloat(t.Text, 64)
	if err != nil || t.Kind != expr.Number {
		return nil, p.Errorf(t, "want a number of hours behind RETAIN")
	}
	p.Next()
	if minus {
		n = -n
	}
	d := vacuum.Hours(n)
	return &d, p.Expect("HOURS")
}

// checking reads what stands behind FSCK.
func checking(p *expr.Parser) (Statement, error) {
	if err := p.Expect("REPAIR"); err != nil {
		return nil, err
	}
	if err := p.Expect("TABLE"); err != nil {
		return nil, err
	}
	s := &Fsck{}
	var err error
	if s.Table, err = pathOrName(p); err != nil {
		return nil, err
	}
	s.Spec.DryRun = p.Accept("DRY", "RUN")
	return s, nil
}
