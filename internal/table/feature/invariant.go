package feature

import (
	"encoding/json"

	"github.com/sluicelake/sluice/types"
)

// appendInvariants collects {"expression":{"expression":"x > 3"}} from the
// metadata of fields that are reached through structs alone.
func appendInvariants(out []Constraint, prefix string, s *types.Struct) []Constraint {
	if s == nil {
		return out
	}
	for _, f := range s.Fields {
		name := prefix + types.QuoteIdentifier(f.Name)
		if text, ok := f.Metadata.Text("delta.invariants"); ok {
			var rule struct {
				Expression struct {
					Expression string `json:"expression"`
				} `json:"expression"`
			}
			if json.Unmarshal([]byte(text), &rule) == nil && rule.Expression.Expression != "" {
				out = append(out, Constraint{Name: "EXPRESSION(" + rule.Expression.Expression + ")", Expr: rule.Expression.Expression, Column: name})
			}
		}
		if inner, ok := f.Type.(*types.Struct); ok {
			out = appendInvariants(out, name+".", inner)
		}
	}
	return out
}
