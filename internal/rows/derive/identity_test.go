package derive

import (
	"fmt"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/types"
)

// Numbers begin at the start, or on the sequence behind the mark, wherever that is.
func TestIdentities(t *testing.T) {
	for _, c := range []struct {
		start, step int64
		high        any
		want, mark  string
	}{
		{1, 1, nil, "[1 2 3]", "3"},
		{1, 1, 1, "[2 3 4]", "4"},
		{1, 1, 7, "[8 9 10]", "10"},
		{10, 5, nil, "[10 15 20]", "20"},
		{10, 5, 12, "[15 20 25]", "25"},
		{10, 5, 3, "[10 15 20]", "20"},
		{0, -2, nil, "[0 -2 -4]", "-4"},
		{0, -2, -5, "[-6 -8 -10]", "-10"},
		{0, -2, 9, "[0 -2 -4]", "-4"},
	} {
		m := types.Metadata{}.With(KeyIdentityStart, c.start).With(KeyIdentityStep, c.step).With(KeyIdentityExplicit, false)
		if c.high != nil {
			m = m.With(KeyIdentityHigh, c.high)
		}
		s := types.NewStruct(types.Field{Name: "v", Type: types.String}, types.Field{Name: "id", Type: types.Long, Metadata: m})
		d, err := NewIdentities(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := d.Marked(s); ok || d.Is(0) || !d.Is(1) {
			t.Error("nothing was given yet")
		}
		first, err := d.Values(1, 1)
		if err != nil {
			t.Fatal(err)
		}
		rest, err := d.Values(1, 2)
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprint(append(append([]int64{}, first.(*array.Int64).Int64Values()...), rest.(*array.Int64).Int64Values()...))
		marked, ok := d.Marked(s)
		raw, _ := marked.Fields[1].Metadata.Raw(KeyIdentityHigh)
		if got != c.want || !ok || string(raw) != c.mark {
			t.Errorf("from %d by %d behind %v: %s, mark %s, want %s and %s", c.start, c.step, c.high, got, raw, c.want, c.mark)
		}
	}
	if d, err := NewIdentities(types.NewStruct(types.Field{Name: "v", Type: types.Long})); d != nil || err != nil || d.Is(0) {
		t.Errorf("without an identity column: %v, %v", d, err)
	}
	last := types.Metadata{}.With(KeyIdentityStart, 1).With(KeyIdentityStep, 1).With(KeyIdentityHigh, int64(1)<<62+(1<<62-2))
	d, err := NewIdentities(types.NewStruct(types.Field{Name: "id", Type: types.Long, Metadata: last}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Values(0, 2); err == nil {
		t.Error("the numbers have run out")
	}
}
