package eval

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"pgregory.net/rapid"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

func sessions(t testing.TB) map[string]expr.Options {
	zone, ok := civil.Zone("America/St_Johns")
	if !ok {
		t.Fatal("no zone")
	}
	now := time.Date(2024, 7, 1, 12, 0, 0, 0, time.UTC)
	return map[string]expr.Options{"ansi": {Now: now}, "legacy": {Now: now, Legacy: true}, "zone": {Now: now, TimeZone: zone}}
}

// shape spells a bound tree without its session; mode is false when a node means
// something else outside ANSI mode without failing in it.
func shape(e expr.Expr) (text string, same bool) {
	var b strings.Builder
	same = true
	expr.Walk(e, func(e expr.Expr) bool {
		fmt.Fprintf(&b, "%T %v;", e, e.Type())
		switch x := e.(type) {
		case *expr.Call:
			b.WriteString(x.Fn)
			same = same && x.Fn != "size" && x.Fn != "array_join" && x.Fn != "try"
		case *expr.Cast: // decimals may be written with an exponent
			same = same && (x.To != types.String && !types.IsNested(x.To) || x.Arg.Type().Kind() != types.KindDecimal && !types.IsNested(x.Arg.Type()))
		}
		return true
	})
	return b.String(), same
}

// TestModesAgreeWhereNothingFails: an expression that binds to the same tree with
// and without ANSI mode has the same values, unless ANSI mode fails.
func TestModesAgreeWhereNothingFails(t *testing.T) {
	scope, cols, n := testTable(t)
	other := scope
	other.Options.Legacy = true
	compared := 0
	rapid.Check(t, func(t *rapid.T) {
		text := genText(t, 3)
		e, err := expr.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		strict, err1 := expr.Bind(e, scope)
		loose, err2 := expr.Bind(e, other)
		if err1 != nil || err2 != nil {
			return
		}
		a, same := shape(strict)
		if b, _ := shape(loose); a != b || !same {
			return
		}
		want, err := Eval(strict, Input{cols, n})
		if err != nil {
			return
		}
		got, err := Eval(loose, Input{cols, n})
		if err != nil {
			t.Fatalf("%s fails outside ANSI mode alone: %v", text, err)
		}
		compared++
		for i := range n {
			if show(got, i) != show(want, i) {
				t.Fatalf("%s: row %d is %s outside ANSI mode, else %s", text, i, show(got, i), show(want, i))
			}
		}
	})
	t.Logf("%d compared", compared)
}

var longNumber = regexp.MustCompile(`[0-9]{4}|[0-9][eE]`)

// FuzzEvaluate binds and computes any text in every session: it may fail, never panic.
func FuzzEvaluate(f *testing.F) {
	for _, w := range workloads {
		f.Add(w.text)
	}
	for _, s := range []string{"transform(a, e -> e + 1)", "CAST(n2 AS STRING)", "t + INTERVAL '1 2' DAY TO HOUR", "date_format(t, 'yyyy XXX')", "m['a'] IN (1, NULL)", "CAST(bin AS STRING) LIKE '%a'", "try_add(i, 1) <=> o.x"} {
		f.Add(s)
	}
	scope, cols, n := testTable(f)
	f.Fuzz(func(t *testing.T, s string) {
		e, err := expr.Parse(s)
		if err != nil || longNumber.MatchString(s) || len(s) > 200 {
			return // no result that needs much memory
		}
		for _, o := range sessions(t) {
			scope := scope
			scope.Options = o
			bound, err := expr.Bind(e, scope)
			if err != nil {
				continue
			}
			a, err := Eval(bound, Input{cols, n})
			if err != nil {
				continue
			}
			if dt, _ := arrowType(bound.Type()); !arrow.TypeEqual(a.DataType(), dt) || a.Len() != n {
				t.Fatalf("%q: %d values of type %s, want %d of %s", s, a.Len(), a.DataType(), n, dt)
			}
		}
	})
}
