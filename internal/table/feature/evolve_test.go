package feature

import (
	"strings"
	"testing"

	"github.com/sluicelake/sluice/types"
)

func TestEvolve(t *testing.T) {
	for _, c := range []struct {
		table, rows string
		widen       bool
		want        string // DDL, or an error class
	}{
		{"a INT, b STRING", "B STRING, a INT", false, "a INT, b STRING"},
		{"a INT NOT NULL", "n DATE NOT NULL, a INT, m STRUCT<x: INT NOT NULL> COMMENT 'c'", false, "a INT NOT NULL, n DATE, m STRUCT<x: INT> COMMENT 'c'"},
		{"s STRUCT<a: INT, b: STRUCT<c: INT>>", "s STRUCT<b: STRUCT<d: STRING, C: INT>, e: INT>", false, "s STRUCT<a: INT, b: STRUCT<c: INT, d: STRING>, e: INT>"},
		{"l ARRAY<STRUCT<a: INT>>, m MAP<STRING, STRUCT<a: INT>>", "l ARRAY<STRUCT<b: INT>>, m MAP<STRING, STRUCT<b: INT>>", false, "l ARRAY<STRUCT<a: INT, b: INT>>, m MAP<STRING, STRUCT<a: INT, b: INT>>"},
		{"a INT, d DECIMAL(10,2), t DATE, s STRING", "a BIGINT, d DECIMAL(20,4), t STRING, s TIMESTAMP", false, "a INT, d DECIMAL(10,2), t DATE, s STRING"},
		{"a INT, d DECIMAL(10,2), f FLOAT, i INT", "a BIGINT, d DECIMAL(9,4), f DOUBLE, i DOUBLE", true, "a BIGINT, d DECIMAL(12,4), f DOUBLE, i INT"},
		{"a BIGINT, d DECIMAL(10,2)", "a INT, d DECIMAL(5,1)", true, "a BIGINT, d DECIMAL(10,2)"},
		{"b BOOLEAN", "b STRING", false, "DELTA_FAILED_TO_MERGE_FIELDS"},
		{"b STRUCT<a: INT>", "b INT", false, "DELTA_FAILED_TO_MERGE_FIELDS"},
		{"b INT", "b ARRAY<INT>", true, "DELTA_FAILED_TO_MERGE_FIELDS"},
	} {
		table, err := types.ParseDDL(c.table)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := types.ParseDDL(c.rows)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Evolve(table, rows, c.widen)
		if strings.HasPrefix(c.want, "DELTA") {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s and %s: %v, %v", c.table, c.rows, got, err)
			}
			continue
		}
		want, wantErr := types.ParseDDL(c.want)
		if wantErr != nil {
			t.Fatal(wantErr)
		}
		if err != nil || !types.SameIgnoringNullability(got, want) || !c.widen && types.JSON(got) != types.JSON(want) {
			t.Errorf("%s and %s: %v, %v, want %s", c.table, c.rows, got, err, c.want)
		}
	}
}

// A widened type is recorded in the metadata of the nearest field.
func TestTypeChanges(t *testing.T) {
	table, _ := types.ParseDDL("a SMALLINT, m MAP<STRING, ARRAY<INT>>, s STRUCT<f: FLOAT>")
	for _, rows := range []string{"a INT, m MAP<STRING, ARRAY<BIGINT>>, s STRUCT<f: DOUBLE>", "a BIGINT"} {
		r, _ := types.ParseDDL(rows)
		var err error
		if table, err = Evolve(table, r, true); err != nil {
			t.Fatal(err)
		}
	}
	raw := func(f types.Field) string { r, _ := f.Metadata.Raw("delta.typeChanges"); return string(r) }
	for i, want := range []string{`[{"fromType":"short","toType":"integer"},{"fromType":"integer","toType":"long"}]`,
		`[{"fromType":"integer","toType":"long","fieldPath":"value.element"}]`, ``} {
		if got := raw(table.Fields[i]); got != want {
			t.Errorf("%s: %s, want %s", table.Fields[i].Name, got, want)
		}
	}
	if got, want := raw(table.Fields[2].Type.(*types.Struct).Fields[0]), `[{"fromType":"float","toType":"double"}]`; got != want {
		t.Errorf("s.f: %s, want %s", got, want)
	}
}

func TestPick(t *testing.T) {
	s, _ := types.ParseDDL("a INT, s STRUCT<x: INT, y: STRUCT<z: INT, w: INT>>, n STRING")
	for _, c := range []struct {
		paths [][]string
		want  string
	}{
		{[][]string{{"A"}}, "a INT"},
		{[][]string{{"s", "y", "Z"}, {"nope"}}, "s STRUCT<y: STRUCT<z: INT>>"},
		{[][]string{{"s"}, {"s", "x"}}, "s STRUCT<x: INT, y: STRUCT<z: INT, w: INT>>"},
		{[][]string{{}}, "a INT, s STRUCT<x: INT, y: STRUCT<z: INT, w: INT>>, n STRING"},
		{nil, ""},
	} {
		want := &types.Struct{}
		if c.want != "" {
			want, _ = types.ParseDDL(c.want)
		}
		if got := Pick(s, c.paths); types.JSON(got) != types.JSON(want) {
			t.Errorf("%v: %s, want %s", c.paths, got, want)
		}
	}
}
