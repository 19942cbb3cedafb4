package merge

import (
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/rows/derive"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/types"
)

// evolve extends the plan's target schema by what the clauses write: the columns
// that they name, and all of the source where a clause says *. Clauses for rows
// that are not in the source add nothing.
func (p *Plan) evolve(given ...*types.Struct) error {
	for _, to := range given {
		p.evolved = p.evolved || types.JSON(to) != types.JSON(p.target)
		p.target = to
	}
	if !p.spec.Evolve {
		return nil
	}
	var paths [][]string
	for _, c := range p.spec.Clauses {
		switch {
		case c.Kind == NotMatchedBySource:
		case c.Action == UpdateAll || c.Action == InsertAll:
			paths = append(paths, []string{})
		default:
			for _, a := range c.Set {
				if path, ok := p.brought(a.Column); ok {
					paths = append(paths, path)
				}
			}
		}
	}
	to, err := feature.Evolve(p.target, feature.Pick(p.source, paths), p.spec.Widen)
	if err != nil {
		return err
	}
	p.evolved = types.JSON(to) != types.JSON(p.target)
	p.target = to
	return nil
}

// brought is the path of an assignment that may bring a new column or field: what
// the target's name leads to has to be there.
func (p *Plan) brought(path []string) ([]string, bool) {
	if len(path) > 1 && p.target.Index(path[0]) < 0 {
		switch {
		case strings.EqualFold(path[0], p.spec.TargetAlias), p.spec.TargetAlias == "" && strings.EqualFold(path[0], "target"):
			i := p.target.Index(path[1])
			return path[1:], len(path) == 2 && i >= 0
		case strings.EqualFold(path[0], p.spec.SourceAlias):
			return path[1:], true
		}
	}
	return path, true
}

// Evolved is the schema that the statement gives the table; nil when it leaves
// the schema as it is.
func (p *Plan) Evolved() *types.Struct {
	if !p.evolved {
		return nil
	}
	return p.target
}

// Evolution is a change of the table's schema that a statement commits with its
// effects.
type Evolution struct {
	protocol *action.Protocol // nil when it stays
	metadata *action.Metadata
}

// EvolutionOf derives the actions that make the schema the table's.
func EvolutionOf(e *env.Env, s *snapshot.Snapshot, schema *types.Struct) (*Evolution, error) {
	md := *s.Metadata()
	if feature.ColumnMapping(&md) != feature.MappingNone {
		schema, md.Configuration = feature.AssignMapping(schema, md.Configuration, e.NewID)
	}
	md.SchemaString = types.JSON(schema)
	if err := checkWidened(s, schema); err != nil {
		return nil, err
	}
	p, err := feature.ForMetadata(s.Protocol(), &md)
	return &Evolution{protocol: p, metadata: &md}, err
}

// ReplacementOf derives the actions that make another schema, partitioned by other
// columns, the table's, whose rows all go.
func ReplacementOf(e *env.Env, s *snapshot.Snapshot, schema *types.Struct, partitionBy []string) (*Evolution, error) {
	md := *s.Metadata()
	if feature.ColumnMapping(&md) != feature.MappingNone {
		schema, md.Configuration = feature.AssignMapping(schema, md.Configuration, e.NewID)
	}
	md.SchemaString, md.PartitionColumns = types.JSON(schema), partitionBy
	p, err := feature.ForMetadata(s.Protocol(), &md)
	return &Evolution{protocol: p, metadata: &md}, err
}

// checkWidened refuses another type for a column that a constraint or a
// generated column reads: what these say could change with it.
func checkWidened(s *snapshot.Snapshot, to *types.Struct) error {
	reads := func(text, column string) bool {
		e, err := expr.Parse(text)
		found := err != nil
		if err == nil {
			expr.Walk(e, func(x expr.Expr) bool {
				c, ok := x.(*expr.Column)
				found = found || ok && strings.EqualFold(c.Parts[0], column)
				return !found
			})
		}
		return found
	}
	for i, f := range s.Schema().Fields {
		if types.SameIgnoringNullability(f.Type, to.Fields[i].Type) || types.IsNested(f.Type) {
			continue
		}
		for _, c := range feature.Constraints(s.Metadata(), s.Schema()) {
			if reads(c.Expr, f.Name) {
				return refuse("DELTA_CONSTRAINT_DATA_TYPE_MISMATCH", "column %s is %s and cannot become %s: the constraint %s (%s) reads it; cast the source's column, or drop the constraint first",
					types.QuoteIdentifier(f.Name), f.Type, to.Fields[i].Type, c.Name, c.Expr)
			}
		}
		for _, g := range s.Schema().Fields {
			if text, ok := g.Metadata.Text(derive.KeyGeneration); ok && (reads(text, f.Name) || g.Name == f.Name) {
				return refuse("DELTA_GENERATED_COLUMNS_DATA_TYPE_MISMATCH", "column %s is %s and cannot become %s: column %s is generated as %s",
					types.QuoteIdentifier(f.Name), f.Type, to.Fields[i].Type, types.QuoteIdentifier(g.Name), text)
			}
		}
	}
	return nil
}

// On is the snapshot as it looks with the change; for nil as it is.
func (v *Evolution) On(s *snapshot.Snapshot) (*snapshot.Snapshot, error) {
	if v == nil {
		return s, nil
	}
	return s.With(v.protocol, v.metadata)
}

// With is the change with the marks of identity columns moved behind the numbers
// that were given; at is the snapshot as it looks with the change.
func (v *Evolution) With(at *snapshot.Snapshot, ids *derive.Identities) *Evolution {
	schema, ok := ids.Marked(at.Schema())
	if !ok {
		return v
	}
	md := *at.Metadata()
	md.SchemaString = types.JSON(schema)
	out := &Evolution{metadata: &md}
	if v != nil {
		out.protocol = v.protocol
	}
	return out
}

// Actions are the actions that make the change; none for nil.
func (v *Evolution) Actions() []action.Action {
	switch {
	case v == nil:
		return nil
	case v.protocol == nil:
		return []action.Action{v.metadata}
	}
	return []action.Action{v.protocol, v.metadata}
}
