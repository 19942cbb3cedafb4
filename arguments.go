package sluice

import (
	"database/sql"
	"fmt"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/sql/parse"
)

// arguments makes literals of values, and refuses those that no placeholder asks for.
func arguments(text string, values []any) (*expr.Arguments, error) {
	a := &expr.Arguments{Named: map[string]*expr.Literal{}}
	for i, v := range values {
		name := ""
		if n, ok := v.(sql.NamedArg); ok {
			name, v = n.Name, n.Value
		}
		l, err := expr.LiteralOf(v)
		switch {
		case err != nil && name != "":
			return nil, fmt.Errorf("argument :%s: %w", name, err)
		case err != nil:
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		case name != "":
			a.Named[name] = l
		default:
			a.Positional = append(a.Positional, l)
		}
	}
	if unused := parse.Unused(text, a); unused != "" {
		return nil, fmt.Errorf("there are more values than placeholders: none takes the value of %s", unused)
	}
	return a, nil
}
