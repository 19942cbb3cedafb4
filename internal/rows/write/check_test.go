package write

import (
	"errors"
	"testing"

	"github.com/sluicelake/sluice/types"
)

func TestChecks(t *testing.T) {
	generated := nullable("g", types.Long)
	generated.Metadata = types.Metadata{}.With("delta.generationExpression", "a * 10")
	bounded := nullable("b", types.Integer)
	bounded.Metadata = types.Metadata{}.With("delta.invariants", `{"expression":{"expression":"b < 5"}}`)
	inner := types.NewStruct(nullable("x", types.Integer))
	schema := types.NewStruct(nullable("a", types.Long), nullable("st", inner), bounded, generated, nullable("p", types.String))
	one := []any{int64(1)}
	for _, c := range []struct {
		row  []any
		want string
	}{
		{[]any{int64(1), one, int64(1), int64(10), "x"}, ""},
		{[]any{int64(0), one, int64(1), int64(0), "x"}, "[DELTA_VIOLATE_CONSTRAINT_WITH_VALUES] CHECK constraint pos (a > 0 AND st.x < 10) violated by row with values:\n - a : 0\n - st : {\"x\":1}"},
		{[]any{int64(1), nil, int64(1), int64(10), "x"}, "[DELTA_VIOLATE_CONSTRAINT_WITH_VALUES] CHECK constraint pos (a > 0 AND st.x < 10) violated by row with values:\n - a : 1\n - st : null"},
		{[]any{int64(1), one, int64(7), int64(10), "x"}, "[DELTA_VIOLATE_CONSTRAINT_WITH_VALUES] CHECK constraint EXPRESSION(b < 5) (b < 5) violated by row with values:\n - b : 7"},
		{[]any{int64(1), one, int64(1), int64(11), "x"}, "[DELTA_VIOLATE_CONSTRAINT_WITH_VALUES] CHECK constraint Generated Column (g <=> (a * 10)) violated by row with values:\n - a : 1\n - g : 11"},
		{[]any{int64(1), one, int64(1), int64(10), "long"}, "[DELTA_VIOLATE_CONSTRAINT_WITH_VALUES] CHECK constraint len (p <> 'long') violated by row with values:\n - p : \"long\""},
	} {
		tb := newTable(t, schema, "p")
		tb.spec.Metadata.Configuration["delta.constraints.pos"] = "a > 0 AND st.x < 10"
		tb.spec.Metadata.Configuration["delta.constraints.len"] = "p <> 'long'"
		w := tb.writer()
		_, err := w.Write(batch(t, schema, []any{int64(1), one, int64(1), int64(10), "x"}, c.row), 2)
		w.Abort()
		got := ""
		var broken *ConstraintError
		if errors.As(err, &broken) {
			got = broken.Error()
		} else if err != nil {
			t.Fatal(err)
		}
		if got != c.want {
			t.Errorf("%v:\n got %s\nwant %s", c.row, got, c.want)
		}
		tb.spec.Rearranged = true
		w = tb.writer()
		if _, err := w.Write(batch(t, schema, c.row), 1); err != nil {
			t.Errorf("rows that only move are checked: %v", err)
		}
		w.Abort()
	}
}

func TestConstraintThatCannotBeChecked(t *testing.T) {
	for _, sql := range []string{"nope > 1", "a >", "a + 1"} {
		tb := newTable(t, types.NewStruct(nullable("a", types.Long)))
		tb.spec.Metadata.Configuration["delta.constraints.c"] = sql
		w, err := New(t.Context(), tb.env, tb.bucket, tb.spec)
		if err == nil {
			_, err = w.Write(batch(t, tb.spec.Schema, []any{int64(1)}), 1)
			w.Abort()
		}
		if err == nil {
			t.Errorf("a table with constraint %q takes rows", sql)
		}
	}
}
