package parse

import "github.com/sluicelake/sluice/expr"

// Restore is RESTORE TABLE t TO VERSION AS OF n, or TIMESTAMP AS OF a time.
type Restore struct {
	Table []string
	To    Moment
}

func (*Restore) statement() {}

// restoring reads what stands behind RESTORE.
func restoring(p *expr.Parser) (Statement, error) {
	p.Accept("TABLE")
	st := &Restore{}
	var err error
	if st.Table, err = p.ParseQualifiedName(); err != nil {
		return nil, err
	}
	p.Accept("TO")
	t := p.Peek()
	if st.To, err = asOf(p); err == nil && st.To == (Moment{}) {
		err = p.Errorf(t, "want VERSION AS OF a number, or TIMESTAMP AS OF a time")
	}
	return st, err
}

// Moment is VERSION AS OF or TIMESTAMP AS OF, as it is written; at most one is not nil.
type Moment struct{ Version, Timestamp expr.Expr }

// asOf takes VERSION AS OF n or TIMESTAMP AS OF a time, if there is either.
func asOf(p *expr.Parser) (m Moment, err error) {
	switch {
	case p.Accept("VERSION", "AS", "OF"), p.Accept("FOR", "VERSION", "AS", "OF"):
		m.Version, err = p.ParseExpr()
	case p.Accept("TIMESTAMP", "AS", "OF"), p.Accept("FOR", "TIMESTAMP", "AS", "OF"):
		m.Timestamp, err = p.ParseExpr()
	}
	return m, err
}
