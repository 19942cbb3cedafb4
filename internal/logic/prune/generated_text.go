package prune

import (
	"unicode/utf8"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/types"
)

// prefixOf inverts the first n characters of a string: substring(s, 1, n), left(s, n).
func prefixOf(e expr.Expr) (derivation, []int, bool) {
	c, ok := e.(*expr.Call)
	if !ok {
		return derivation{}, nil, false
	}
	var count expr.Expr
	switch {
	case (c.Fn == "substring" || c.Fn == "substr") && len(c.Args) == 3:
		if from, ok := whole(c.Args[1]); !ok || from != 0 && from != 1 {
			return derivation{}, nil, false
		}
		count = c.Args[2]
	case c.Fn == "left" && len(c.Args) == 2:
		count = c.Args[1]
	default:
		return derivation{}, nil, false
	}
	n, ok := whole(count)
	path, base, okPath := columnPath(c.Args[0])
	if !ok || !okPath || n < 1 || !types.Equal(base, types.String) {
		return derivation{}, nil, false
	}
	return derivation{within: func(v any) (lo, hi colstats.Value) {
		s, ok := v.(string)
		if !ok {
			return lo, hi
		}
		lo = colstats.Value{Class: colstats.Text, S: s}
		if int64(utf8.RuneCountInString(s)) < n { // the string was no longer
			return lo, lo
		}
		return lo, after(s)
	}}, path, true
}

func whole(e expr.Expr) (int64, bool) {
	if l, ok := e.(*expr.Literal); ok {
		n, ok := l.Value.(int64)
		return n, ok
	}
	return 0, false
}

// after is not below any string that begins with s; unknown when there is none.
func after(s string) colstats.Value {
	b := []byte(s)
	for len(b) > 0 {
		if b[len(b)-1] < 0xff {
			b[len(b)-1]++
			return colstats.Value{Class: colstats.Text, S: string(b)}
		}
		b = b[:len(b)-1]
	}
	return colstats.Value{}
}
