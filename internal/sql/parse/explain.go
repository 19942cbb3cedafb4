package parse

import "github.com/sluicelake/sluice/expr"

// Explain is EXPLAIN: the statement is looked at and not run.
type Explain struct {
	Mode      ExplainMode
	Statement Statement
}

// ExplainMode is the word behind EXPLAIN.
type ExplainMode string

// The modes of EXPLAIN.
const (
	ExplainPlain     ExplainMode = ""
	ExplainExtended  ExplainMode = "EXTENDED"
	ExplainFormatted ExplainMode = "FORMATTED"
	ExplainCost      ExplainMode = "COST"
	ExplainCodegen   ExplainMode = "CODEGEN"
)

func (*Explain) statement() {}

// explaining reads EXPLAIN [EXTENDED | FORMATTED | COST | CODEGEN] statement.
func explaining(p *expr.Parser) (Statement, error) {
	out := &Explain{}
	for _, m := range []ExplainMode{ExplainExtended, ExplainFormatted, ExplainCost, ExplainCodegen} {
		if p.Accept(string(m)) {
			out.Mode = m
			break
		}
	}
	if t := p.Peek(); t.Is("EXPLAIN") {
		return nil, p.Errorf(t, "EXPLAIN of EXPLAIN: name the statement once")
	}
	var err error
	out.Statement, err = statement(p)
	return out, err
}
