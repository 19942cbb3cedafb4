package columns

import (
	"math"
	"testing"

	"github.com/sluicelake/sluice/types"
)

// Two values have equal keys exactly when SQL groups them together.
func TestAppendKey(t *testing.T) {
	list := &types.Array{Element: types.String, ContainsNull: true}
	for _, c := range []struct {
		t    types.Type
		a, b any
		same bool
	}{
		{types.Long, int64(1), int64(1), true},
		{types.Long, int64(1), int64(256), false},
		{types.Long, nil, nil, true},
		{types.Long, nil, int64(0), false},
		{types.Double, 0.0, math.Copysign(0, -1), true},
		{types.Double, math.NaN(), math.Float64frombits(0x7ff8000000000123), true},
		{types.String, "", nil, false},
		{list, []any{"a", "b"}, []any{"ab"}, false},
		{list, []any{"a", nil}, []any{"a"}, false},
		{list, []any{"a", nil}, []any{"a", nil}, true},
	} {
		arr, err := FromValues(c.t, c.a, c.b)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(AppendKey(nil, arr, 0)) == string(AppendKey(nil, arr, 1)); got != c.same {
			t.Errorf("%v and %v of %s: the same is %v", c.a, c.b, c.t, got)
		}
	}
}
