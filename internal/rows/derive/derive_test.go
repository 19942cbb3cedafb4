package derive

import (
	"strings"
	"testing"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

func table() *types.Struct {
	with := func(f types.Field, key, value string) types.Field {
		f.Metadata = types.Metadata{}.With(key, value)
		return f
	}
	f := func(name string, t types.Type) types.Field { return types.Field{Name: name, Type: t, Nullable: true} }
	return types.NewStruct(f("a", types.Integer), with(f("d", types.String), KeyDefault, "'none'"),
		with(f("n", types.Long), KeyDefault, "40 + 2"), with(f("g", types.Long), KeyGeneration, "a * 10"),
		with(f("h", types.String), KeyGeneration, "upper(d)"), f("z", types.Date))
}

// What a statement leaves out, for a new row and for an updated one.
func TestDerived(t *testing.T) {
	for _, c := range []struct {
		name   string
		fill   func(*types.Struct, []expr.Expr, expr.Options) error
		values map[string]string
		want   string
	}{
		{"insert nothing", Insert, nil, "CAST(NULL AS INT) | 'none' | 42L | CAST(NULL AS BIGINT) | 'NONE' | CAST(NULL AS DATE)"},
		{"insert", Insert, map[string]string{"a": "2", "d": "'x'"}, "2 | 'x' | 42L | 20L | 'X' | CAST(NULL AS DATE)"},
		{"insert a generated value", Insert, map[string]string{"a": "2", "g": "7L"}, "2 | 'none' | 42L | 7L | 'NONE' | CAST(NULL AS DATE)"},
		{"update another column", Update, map[string]string{"z": "NULL"}, "a | d | n | g | h | CAST(NULL AS DATE)"},
		{"update what is generated from", Update, map[string]string{"a": "z2 + 1"}, "z2 + 1 | d | n | (z2 + 1) * 10 | h | z"},
		{"update a generated value too", Update, map[string]string{"a": "1", "g": "5L", "d": "'q'"}, "1 | 'q' | n | 5L | 'Q' | z"},
	} {
		s := table()
		values := make([]expr.Expr, len(s.Fields))
		scope := expr.Scope{Tables: []expr.Table{{Schema: types.NewStruct(types.Field{Name: "z2", Type: types.Integer, Nullable: true}), Base: len(values)}}}
		for name, text := range c.values {
			e, err := expr.Parse(text)
			if err == nil {
				e, err = expr.BindAssign(e, scope, s.Fields[s.Index(name)].Type, name)
			}
			if err != nil {
				t.Fatal(err)
			}
			values[s.Index(name)] = e
		}
		if err := c.fill(s, values, expr.Options{}); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var got []string
		for _, v := range values {
			got = append(got, v.String())
		}
		if text := strings.Join(got, " | "); text != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, text, c.want)
		}
	}
}

// An expression of the table that cannot be used is an error that names the column.
func TestBroken(t *testing.T) {
	for key, text := range map[string]string{KeyDefault: "nope(", KeyGeneration: "no_such_column + 1"} {
		s := types.NewStruct(types.Field{Name: "a", Type: types.Integer, Nullable: true, Metadata: types.Metadata{}.With(key, text)})
		if err := Insert(s, make([]expr.Expr, 1), expr.Options{}); err == nil || !strings.Contains(err.Error(), "column a") {
			t.Errorf("%s %s: %v", key, text, err)
		}
	}
}
