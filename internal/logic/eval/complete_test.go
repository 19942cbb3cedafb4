package eval

import (
	"errors"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
)

// TestEveryBoundFunctionIsComputed binds each function that the language knows
// with arguments that fit, and computes it.
func TestEveryBoundFunctionIsComputed(t *testing.T) {
	scope, cols, _ := testTable(t)
	rows := []int32{0, 3, 4} // without the extreme values: lengths and counts are among the arguments
	leaf := []string{"s", "array(1.5F)", "'999'", "i", "x", "a", "m", "d", "t", "bin", "n", "b", "'year'", "array(a)", "array(o)", "parse_json('[1]')", "o", "'a INT'", "'$.a'", "INTERVAL 1 DAY"}
	for _, fn := range expr.Functions() {
		ok := false
		for count := 0; count <= 7 && !ok; count++ {
			ok = tryArguments(t, fn, count, leaf, scope, Input{columns.TakeColumns(cols, rows), len(rows)})
		}
		if !ok {
			t.Errorf("no arguments found for %s", fn)
		}
	}
}

// tryArguments computes the function with the first argument lists that bind.
func tryArguments(t *testing.T, fn string, count int, leaf []string, scope expr.Scope, in Input) bool {
	found := false
	for k := range len(leaf) {
		for j := range len(leaf) {
			args := make([]string, count)
			for i := range args {
				if args[i] = leaf[j]; i == 0 {
					args[i] = leaf[k]
				}
			}
			e, err := expr.Parse("`" + fn + "`(" + strings.Join(args, ", ") + ")")
			if err != nil {
				t.Fatal(fn, err)
			}
			if e, err = expr.Bind(e, scope); err != nil {
				continue
			}
			found = true
			var failed *Error
			if _, err := Eval(e, in); err != nil && !errors.As(err, &failed) {
				t.Errorf("%s(%s): %v", fn, strings.Join(args, ", "), err)
			}
			if count < 2 {
				break
			}
		}
	}
	return found
}
