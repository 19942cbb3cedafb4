package parse

import (
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/verbs/optimize"
)

// Optimize is OPTIMIZE or REORG.
type Optimize struct {
	Table []string
	Spec  optimize.Spec
}

func (*Optimize) statement() {}

// optimizing reads what stands behind OPTIMIZE:
// table [FULL] [WHERE condition] [ZORDER BY (a, b)].
func optimizing(p *expr.Parser) (Statement, error) {
	o := &Optimize{}
	var err error
	if o.Table, err = p.ParseQualifiedName(); err != nil {
		return nil, err
	}
	o.Spec.Full = p.Accept("FULL")
	if p.Accept("WHERE") {
		if o.Spec.Where, err = p.ParseExpr(); err != nil {
			return nil, err
		}
	}
	o.Spec.Full = p.Accept("FULL") || o.Spec.Full
	if !p.Accept("ZORDER", "BY") {
		return o, nil
	}
	columns, err := zorder(p)
	o.Spec.ZOrderBy = columns
	return o, err
}

// zorder reads columns, in parentheses or not.
func zorder(p *expr.Parser) (out []string, err error) {
	list := p.Accept("(")
	for {
		name, err := p.ParseQualifiedName()
		if err != nil {
			return nil, err
		}
		for i, part := range name {
			if strings.ContainsAny(part, ".`") {
				name[i] = "`" + strings.ReplaceAll(part, "`", "``") + "`"
			}
		}
		out = append(out, strings.Join(name, "."))
		if !p.Accept(",") {
			break
		}
	}
	if list {
		err = p.Expect(")")
	}
	return out, err
}

// reorganising reads what stands behind REORG:
// TABLE name [WHERE condition] APPLY (PURGE).
func reorganising(p *expr.Parser) (Statement, error) {
	if err := p.Expect("TABLE"); err != nil {
		return nil, err
	}
	o := &Optimize{Spec: optimize.Spec{Purge: true}}
	var err error
	if o.Table, err = p.ParseQualifiedName(); err != nil {
		return nil, err
	}
	if p.Accept("WHERE") {
		if o.Spec.Where, err = p.ParseExpr(); err != nil {
			return nil, err
		}
	}
	if err := p.Expect("APPLY", "("); err != nil {
		return nil, err
	}
	if t := p.Peek(); t.Is("UPGRADE") {
		return nil, p.Errorf(t, "REORG ... APPLY (UPGRADE UNIFORM ...) is not supported: sluice writes no metadata of other formats")
	}
	return o, p.Expect("PURGE", ")")
}
