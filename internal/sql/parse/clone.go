package parse

import (
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

// Clone is CREATE TABLE ... [SHALLOW | DEEP] CLONE.
type Clone struct {
	Table                []string
	Location             string // "" when it is not said
	Source               []string
	At                   Moment
	Deep                 bool
	Properties           map[string]string
	IfNotExists, Replace bool
	OrCreate             bool // Replace takes no table as well
}

// Convert is CONVERT TO DELTA.
type Convert struct {
	Source       []string // parquet.`folder`
	PartitionBy  *types.Struct
	NoStatistics bool
}

// Generate is GENERATE: it writes what other engines read in place of the log.
type Generate struct {
	Mode  string
	Table []string
}

func (*Clone) statement()    {}
func (*Convert) statement()  {}
func (*Generate) statement() {}

// cloning reads on from SHALLOW, DEEP or CLONE.
func cloning(p *expr.Parser, c *Create) (Statement, error) {
	st := &Clone{Table: c.Table, IfNotExists: c.Spec.IfNotExists, Replace: c.Spec.Replace, OrCreate: c.Spec.OrCreate, Deep: !p.Accept("SHALLOW")}
	p.Accept("DEEP")
	err := p.Expect("CLONE")
	if err != nil {
		return nil, err
	}
	if st.Source, err = p.ParseQualifiedName(); err != nil {
		return nil, err
	}
	if st.At, err = asOf(p); err != nil {
		return nil, err
	}
	for {
		switch {
		case p.Accept("TBLPROPERTIES"):
			st.Properties, err = properties(p)
		case p.Accept("LOCATION"):
			st.Location, err = literal(p)
		default:
			return st, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// converting reads what stands behind CONVERT TO DELTA.
func converting(p *expr.Parser) (Statement, error) {
	st := &Convert{}
	var err error
	if st.Source, err = p.ParseQualifiedName(); err != nil {
		return nil, err
	}
	for {
		switch {
		case p.Accept("NO", "STATISTICS"):
			st.NoStatistics = true
		case p.Accept("PARTITIONED", "BY"):
			if err := p.Expect("("); err != nil {
				return nil, err
			}
			st.PartitionBy = &types.Struct{}
			for more := true; more; more = p.Accept(",") {
				f, err := p.ParseColumn()
				if err != nil {
					return nil, err
				}
				st.PartitionBy.Fields = append(st.PartitionBy.Fields, f)
			}
			if err := p.Expect(")"); err != nil {
				return nil, err
			}
		default:
			return st, nil
		}
	}
}

// generating reads what stands behind GENERATE.
func generating(p *expr.Parser) (Statement, error) {
	st := &Generate{}
	var err error
	if t := p.Peek(); t.Kind == expr.Text {
		st.Mode, err = literal(p)
	} else {
		st.Mode, err = p.ParseIdentifier()
	}
	if err == nil {
		err = p.Expect("FOR", "TABLE")
	}
	if err == nil {
		st.Table, err = p.ParseQualifiedName()
	}
	return st, err
}
