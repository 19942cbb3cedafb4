package eval

import (
	"os"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

// testdata/spark42.tsv holds constant expressions as Spark 4.2 (ANSI, UTC) answered
// them: the type and the value in canonical form, [class] for a failure of the row,
// or the class of the refusal in the place of the type.
func TestAsSpark42Says(t *testing.T) {
	raw, err := os.ReadFile("testdata/spark42.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimRight(string(raw), "\n"), "\n") {
		f := strings.SplitN(line, "\t", 3)
		if len(f) != 3 {
			t.Fatalf("no case: %q", line)
		}
		typ, value := answer(f[0])
		if typ != f[1] || value != f[2] {
			t.Errorf("%s: %s %s, want %s %s", f[0], typ, value, f[1], f[2])
		}
	}
}

// answer is the type and the value of a constant expression, as the table has them.
func answer(text string) (typ, value string) {
	e, err := expr.Parse(text)
	if err == nil {
		e, err = expr.Bind(e, expr.Scope{})
	}
	if err != nil {
		return classOf(err), ""
	}
	typ = typeName(e.Type())
	k := e.Type().Kind()
	plain := e.Type() == types.Void || strings.Contains(typ, "interval") || k == types.KindTime
	if value, err = oneRow(e, nil, plain); err != nil {
		value = "[" + classOf(err) + "]"
	}
	return typ, value
}
