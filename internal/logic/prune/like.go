package prune

import (
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/format/colstats"
)

// like compiles LIKE with a constant pattern, and startswith, by the constant
// prefix that every match has.
func (t *table) like(c *expr.Call) condition {
	if len(c.Args) < 2 {
		return nil
	}
	x, ok := t.scalar(c.Args[0])
	pattern, isText := text(c.Args[1])
	if !ok || !isText {
		return nil
	}
	prefix, exact, only := pattern, false, true
	if c.Fn == "like" {
		escape := `\`
		if len(c.Args) == 3 {
			if escape, isText = text(c.Args[2]); !isText || len(escape) != 1 {
				return nil
			}
		}
		if prefix, exact, only, ok = splitPattern(pattern, escape[0]); !ok {
			return nil
		}
	}
	want := point(colstats.Value{Class: colstats.Text, S: prefix})
	return func(s *state) outcomes {
		i := x(s)
		if exact {
			return compare("=", &i, &want)
		}
		var out outcomes
		if i.null {
			out = canNull
		}
		if !i.value {
			return out | canNull
		}
		lo, hi := i.lo, i.hi
		known := lo.Class == colstats.Text && hi.Class == colstats.Text
		yes := (lo.Class != colstats.Text || lo.S <= prefix || strings.HasPrefix(lo.S, prefix)) && (hi.Class != colstats.Text || hi.S >= prefix)
		all := only && known && strings.HasPrefix(lo.S, prefix) && strings.HasPrefix(hi.S, prefix)
		return out | choose(yes, !all)
	}
}

func text(e expr.Expr) (string, bool) {
	lit, ok := e.(*expr.Literal)
	if !ok {
		return "", false
	}
	s, ok := lit.Value.(string)
	return s, ok
}

// splitPattern finds the constant start of a LIKE pattern. exact: the pattern
// has no wildcard; only: nothing but % follows the prefix. A pattern with a bad
// escape is not understood.
func splitPattern(pattern string, escape byte) (prefix string, exact, only, ok bool) {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch ch := pattern[i]; {
		case ch == escape:
			i++
			if i == len(pattern) || (pattern[i] != '%' && pattern[i] != '_' && pattern[i] != escape) {
				return "", false, false, false
			}
			b.WriteByte(pattern[i])
		case ch == '%' || ch == '_':
			return b.String(), false, strings.Trim(pattern[i:], "%") == "", true
		default:
			b.WriteByte(ch)
		}
	}
	return b.String(), true, false, true
}
