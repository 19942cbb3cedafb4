package read

import (
	"fmt"
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

// output is a column of the result.
type output struct {
	field types.Field
	value expr.Expr // bound: a column, or a member of one
}

// choose reads the list of wanted columns. An entry is *, or a column, a member
// of one (a.b), _metadata or a member of it, each with AS and another name if
// that is wanted. Names are in backquotes where SQL wants it; a column of the
// table is also found by its bare name, whatever that holds.
func (t *table) choose(entries []string, o expr.Options) ([]output, error) {
	if entries == nil {
		return t.everything(), nil
	}
	out := []output{}
	for _, entry := range entries {
		if strings.TrimSpace(entry) == "*" {
			out = append(out, t.everything()...)
			continue
		}
		one, err := t.one(entry, o)
		if err != nil {
			if i := t.schema().Index(entry); i >= 0 {
				out = append(out, t.top(i))
				continue
			}
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

func (t *table) everything() []output {
	out := make([]output, len(t.schema().Fields))
	for i := range out {
		out[i] = t.top(i)
	}
	return out
}

// top is a top-level column of the table.
func (t *table) top(i int) output {
	f := t.schema().Fields[i]
	return output{f, &expr.Column{Parts: []string{f.Name}, Ref: i, T: f.Type, Null: f.Nullable}}
}

func (t *table) one(entry string, o expr.Options) (output, error) {
	p := expr.NewParser(entry)
	parts, err := p.ParseQualifiedName()
	if err != nil {
		return output{}, err
	}
	alias := ""
	if p.Accept("AS") {
		if alias, err = p.ParseIdentifier(); err != nil {
			return output{}, err
		}
	}
	if tok := p.Peek(); tok.Kind != expr.EOF {
		return output{}, p.Errorf(tok, "a column is a name, a.b for a member of a struct, or * (backquote names with other signs), and AS gives it another name")
	}
	bound, err := t.bind(expr.NewColumn(parts...), o)
	if err != nil {
		return output{}, t.noColumn(parts, err)
	}
	f := types.Field{Name: parts[len(parts)-1], Type: bound.Type(), Nullable: true}
	switch x := bound.(type) {
	case *expr.Column:
		if x.Ref < len(t.schema().Fields) {
			f = t.schema().Fields[x.Ref]
		} else {
			f = t.hidden.field(x.Ref)
		}
	case *expr.Field:
		f.Name = x.Name
	}
	if alias != "" {
		f.Name = alias
	}
	return output{f, bound}, nil
}

// noColumn names the columns that there are.
func (t *table) noColumn(parts []string, err error) error {
	b, ok := err.(*expr.BindError)
	if !ok || !strings.HasPrefix(b.Class, "UNRESOLVED_COLUMN") {
		return err
	}
	return &expr.BindError{Class: "UNRESOLVED_COLUMN.WITH_SUGGESTION", SQLState: "42703",
		Msg: fmt.Sprintf("there is no column %s; the columns are %s", expr.NewColumn(parts...), strings.Join(t.schema().Names(), ", "))}
}
