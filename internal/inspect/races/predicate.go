package races

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

// attribute is the number that Spark puts behind the name of a column.
var attribute = regexp.MustCompile(`([A-Za-z0-9_` + "`" + `])#\d+L?`)

// recorded lists the conditions of an operation parameter: a JSON list of texts,
// or one text.
func recorded(text string) []string {
	var list []string
	if json.Unmarshal([]byte(text), &list) == nil {
		return list
	}
	if text = strings.TrimSpace(text); text == "" {
		return nil
	}
	return []string{text}
}

// understood binds a recorded condition to the table's columns. Spark writes
// constants without quotes: a bare word that is no column is one.
func understood(text string, schema *types.Struct) (expr.Expr, bool) {
	e, err := expr.Parse(attribute.ReplaceAllString(text, "$1"))
	if err != nil {
		return nil, false
	}
	return bound(e, schema)
}

func bound(e expr.Expr, schema *types.Struct) (expr.Expr, bool) {
	e = expr.Rewrite(e, func(e expr.Expr) expr.Expr {
		c, ok := e.(*expr.Column)
		switch {
		case !ok:
			return e
		case len(c.Parts) > 1 && schema.Index(c.Parts[0]) < 0:
			return expr.NewColumn(c.Parts[1:]...) // t.a
		case len(c.Parts) == 1 && schema.Index(c.Parts[0]) < 0:
			return &expr.Literal{Value: c.Parts[0], T: types.String}
		}
		return e
	})
	out, err := expr.Bind(e, expr.Scope{Tables: []expr.Table{{Name: "t", Schema: schema}}})
	if err != nil || out.Type().Kind() != types.KindBoolean {
		return nil, false
	}
	return out, true
}

// overTarget takes the conjuncts of a MERGE's ON that speak of the table alone.
// The names of the two sides are not recorded: t and target are the table, else
// what stands left in the first equality of the two.
func overTarget(text string, schema *types.Struct) (cond expr.Expr, ok bool) {
	e, err := expr.Parse(attribute.ReplaceAllString(text, "$1"))
	if err != nil {
		return nil, false
	}
	conjuncts := expr.Conjuncts(e)
	var sides []string
	for _, c := range conjuncts {
		for _, q := range qualifiers(c, schema) {
			if !slices.Contains(sides, q) {
				sides = append(sides, q)
			}
		}
	}
	target := ""
	if len(sides) > 0 {
		target = sides[0]
	}
	for _, q := range sides {
		if strings.EqualFold(q, "t") || strings.EqualFold(q, "target") {
			target = q
		}
	}
	var keep []expr.Expr
	for _, c := range conjuncts {
		if q := qualifiers(c, schema); len(q) > 1 || len(q) == 1 && q[0] != target {
			continue
		}
		if target == "" && len(columnsOf(c, schema)) != 1 {
			continue // Spark names both sides alike: two columns are one of each
		}
		b, ok := bound(c, schema)
		if !ok {
			return nil, false
		}
		keep = append(keep, b)
	}
	if len(keep) == 0 {
		return nil, true
	}
	return expr.And(keep...), true
}

func qualifiers(e expr.Expr, schema *types.Struct) (out []string) {
	expr.Walk(e, func(e expr.Expr) bool {
		if c, ok := e.(*expr.Column); ok && len(c.Parts) > 1 && schema.Index(c.Parts[0]) < 0 && !slices.Contains(out, c.Parts[0]) {
			out = append(out, c.Parts[0])
		}
		return true
	})
	return out
}

// columnsOf lists the columns of the table in an expression, as often as they stand there.
func columnsOf(e expr.Expr, schema *types.Struct) (out []string) {
	expr.Walk(e, func(e expr.Expr) bool {
		if c, ok := e.(*expr.Column); ok && schema.Index(c.Parts[0]) >= 0 {
			out = append(out, c.Parts[0])
		}
		return true
	})
	return out
}
