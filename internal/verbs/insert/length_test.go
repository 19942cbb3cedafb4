package insert_test

import (
	"errors"
	"testing"

	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/rows/write"
)

// TestLengths: text is no longer than CHAR(n) or VARCHAR(n) says, in characters.
func TestLengths(t *testing.T) {
	for _, c := range []struct {
		row string
		bad string // column
	}{
		{`{"v":"äö","c":"abc","s":{"w":"x"}}`, ""},
		{`{"v":null,"c":null,"s":null}`, ""},
		{`{"v":"abc","c":"abc","s":null}`, "v"},
		{`{"v":"ab","c":"abcd","s":null}`, "c"},
		{`{"v":"ab","c":"","s":{"w":"xy"}}`, "s.w"},
	} {
		k := tablekit.New(t, tablekit.Spec{DDL: "v VARCHAR(2), c CHAR(3), s STRUCT<w: VARCHAR(1)>"})
		err := k.Append(t.Context(), c.row)
		var broken *write.ConstraintError
		switch {
		case c.bad == "" && err != nil:
			t.Errorf("%s: %v", c.row, err)
		case c.bad != "" && (!errors.As(err, &broken) || broken.Class != write.ClassLength || broken.Column != c.bad):
			t.Errorf("%s: %v, want a length of %s", c.row, err, c.bad)
		}
	}
}
