package expr

import (
	"slices"

	"github.com/sluicelake/sluice/types"
)

// unknownFunction is the error for the first call of a function that does not
// exist: functions are looked up before columns are.
func unknownFunction(e Expr) error {
	var err *BindError
	Walk(e, func(e Expr) bool {
		if c, ok := e.(*Call); ok && err == nil && c.T == nil && !known(c) {
			err = noFunction(c.Fn)
		}
		return err == nil
	})
	if err == nil {
		return nil
	}
	return err
}

func known(x *Call) bool {
	_, operator := operators[x.Fn]
	_, named := operatorNames[x.Fn]
	_, cast := castNames[x.Fn]
	_, special := specials[x.Fn]
	_, signed := signatures[x.Fn]
	switch x.Fn {
	case "timestampadd", "timestampdiff": // exist with a unit only
		return len(x.Args) == 3 && unitText(x.Args[0])
	case "struct", "named_struct", "current_date", "curdate", "current_timestamp", "now", "localtimestamp", "current_timezone":
		return true
	}
	return elsewhere[x.Fn] != "" || operator || named || cast || special || signed || higherOrder[x.Fn] != nil || aggregates[x.Fn]
}

func unitText(e Expr) bool {
	lit, ok := e.(*Literal)
	return ok && lit.T == types.String
}

// expand puts columns in the place of each * among arguments: those of the tables
// around, of one of them, or the fields of a struct.
func (b *binder) expand(args []Expr) ([]Expr, error) {
	if !slices.ContainsFunc(args, isStar) {
		return args, nil
	}
	var out []Expr
	for _, a := range args {
		star, ok := a.(*Star)
		if !ok {
			out = append(out, a)
			continue
		}
		list, err := b.starred(star)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

func isStar(e Expr) bool { _, ok := e.(*Star); return ok }

func (b *binder) starred(s *Star) ([]Expr, error) {
	var out []Expr
	for _, t := range b.scope.Tables {
		if len(s.Qualifier) > 0 && (len(s.Qualifier) > 1 || !t.calls(s.Qualifier[0])) {
			continue
		}
		for i, f := range t.Schema.Fields {
			if t.Hidden == nil || !t.Hidden[i] {
				out = append(out, &Column{Parts: []string{f.Name}, Ref: t.Base + i, T: f.Type, Null: f.Nullable})
			}
		}
	}
	if len(out) > 0 || len(s.Qualifier) == 0 {
		return out, nil
	}
	base, err := b.bind(NewColumn(s.Qualifier...))
	if err != nil {
		return nil, err
	}
	t, ok := base.Type().(*types.Struct)
	if !ok {
		return nil, bindErrorf("CANNOT_RESOLVE_STAR_EXPAND", "%s is no table and no struct: %s.* means nothing", base, base)
	}
	for i, f := range t.Fields {
		out = append(out, &Field{Base: base, Name: f.Name, Index: i, T: f.Type})
	}
	return out, nil
}

// alsoPlain is true for functions with lambdas that are something else without one.
func alsoPlain(fn string) bool {
	_, ok := specials[fn]
	return ok || aggregates[fn]
}
