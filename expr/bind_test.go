package expr

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/types"
)

func testScope(t *testing.T) Scope {
	left, err := types.ParseDDL("k INT NOT NULL, s STRING, n DECIMAL(10,2), n2 DECIMAL(38,10), l BIGINT, f FLOAT, d DATE, ts TIMESTAMP, b BOOLEAN, a ARRAY<INT>, m MAP<STRING, INT>, o STRUCT<x: INT, z: STRUCT<w: DECIMAL(8,3)>>, i8 TINYINT")
	if err != nil {
		t.Fatal(err)
	}
	right, _ := types.ParseDDL("k BIGINT, v STRING")
	return Scope{Tables: []Table{{Alias: "t", Schema: left}, {Alias: "s", Schema: right, Base: len(left.Fields)}}}
}

// casts shows the implicit casts of a bound tree.
func casts(e Expr) string {
	shown := Rewrite(e, func(e Expr) Expr {
		if c, ok := e.(*Cast); ok && c.Implicit {
			return &Cast{Arg: c.Arg, To: c.To}
		}
		return e
	})
	return shown.String()
}

func TestBindTypesAndCasts(t *testing.T) {
	s := testScope(t)
	for in, want := range map[string]string{
		"t.k = s.k":                "boolean: CAST(t.k AS BIGINT) = s.k",
		"i8 + 1":                   "int: CAST(i8 AS INT) + 1",
		"n + 1":                    "decimal(11,2): n + 1BD",
		"n * n2":                   "decimal(38,6): n * n2",
		"n > 5":                    "boolean: n > CAST(5BD AS DECIMAL(10,2))",
		"f + l":                    "double: CAST(f AS DOUBLE) + CAST(l AS DOUBLE)",
		"t.s + 1":                  "bigint: CAST(t.s AS BIGINT) + CAST(1 AS BIGINT)",
		"t.s = d":                  "boolean: CAST(t.s AS DATE) = d",
		"t.k / 2":                  "double: CAST(t.k AS DOUBLE) / CAST(2 AS DOUBLE)",
		"d + 1":                    "date: date_add(d, 1)",
		"d - INTERVAL 1 YEAR":      "date: d - INTERVAL '1' YEAR",
		"coalesce(t.k, 'x')":       "bigint: coalesce(CAST(t.k AS BIGINT), CAST('x' AS BIGINT))",
		"o.z.w + 1":                "decimal(9,3): o.z.w + 1BD",
		"t.o.x":                    "int: t.o.x",
		"m.key":                    "int: m['key']",
		"a[0]":                     "int: a[0]",
		"length(t.k)":              "int: length(CAST(t.k AS STRING))",
		"if(b, 1, NULL)":           "int: CASE WHEN b THEN 1 ELSE CAST(NULL AS INT) END",
		"transform(a, x -> x + l)": "array<bigint>: transform(a, (x) -> CAST(x AS BIGINT) + l)",
	} {
		e := mustParse(in)
		got, err := Bind(e, s)
		if err != nil {
			t.Errorf("%s: %v", in, err)
		} else if text := got.Type().String() + ": " + casts(got); text != want {
			t.Errorf("%s: got %s, want %s", in, text, want)
		}
	}
}

func TestBindErrors(t *testing.T) {
	s := testScope(t)
	for in, want := range map[string]string{
		"nosuch":                  "UNRESOLVED_COLUMN.WITH_SUGGESTION 42703",
		"k":                       "AMBIGUOUS_REFERENCE 42704",
		"o.nope":                  "FIELD_NOT_FOUND 42704",
		"t.s.x":                   "INVALID_EXTRACT_BASE_FIELD_TYPE 42000",
		"b = 1":                   "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES 42K09",
		"'1' + '2'":               "DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE 42K09",
		"m = m":                   "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE 42K09",
		"CAST(d AS INT)":          "DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION 42K09",
		"nosuch(1)":               "UNRESOLVED_ROUTINE 42883",
		"upper()":                 "WRONG_NUM_ARGS.WITHOUT_SUGGESTION 42605",
		"l IN (SELECT 1)":         "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY 0A000",
		"count(*)":                "MISSING_GROUP_BY 42803",
		"NOT l":                   "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE 42K09",
		"date_add(d, 1.5)":        "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE 42K09",
		"array_contains(a, NULL)": "DATATYPE_MISMATCH.NULL_TYPE 42K09",
	} {
		_, err := Bind(mustParse(in), s)
		var be *BindError
		if !errors.As(err, &be) || be.Class+" "+be.SQLState != want {
			t.Errorf("%s: got %v, want %s", in, err, want)
		}
	}
	_, err := Bind(mustParse("t.kss"), s)
	if err == nil || !strings.Contains(err.Error(), "t.k") {
		t.Errorf("no suggestion: %v", err)
	}
}

func TestBindAssign(t *testing.T) {
	s := testScope(t)
	e, err := BindAssign(mustParse("l + 1"), s, types.Integer, "k")
	if err != nil || casts(e) != "CAST(l + CAST(1 AS BIGINT) AS INT)" || e.(*Cast).Assign != "k" {
		t.Errorf("got %v, %v", e, err)
	}
	if _, err := BindAssign(mustParse("d"), s, types.Integer, "k"); err == nil {
		t.Error("a date was stored in an integer")
	}
	if e, err := BindAssign(mustParse("NULL"), s, types.Integer, "k"); err != nil || e.(*Literal).T != types.Integer {
		t.Errorf("NULL: %v, %v", e, err)
	}
}

func TestBoundTreePrintsWhatBindsAgain(t *testing.T) {
	s := testScope(t)
	for _, in := range []string{"t.k = s.k AND NOT n > 5", "CASE WHEN d > '2020-01-01' THEN a[0] + 1 END", "o.z.w IN (1, 2.5)", "ts + INTERVAL 2 HOURS > d", "nullif(l, 0) <=> f"} {
		one, err := Bind(mustParse(in), s)
		if err != nil {
			t.Fatal(in, err)
		}
		two, err := Bind(mustParse(one.String()), s)
		if err != nil || casts(one) != casts(two) {
			t.Errorf("%s: %s became %v (%v)", in, casts(one), two, err)
		}
	}
}

func TestHelpers(t *testing.T) {
	s := testScope(t)
	e, err := Bind(mustParse("t.k = 1 AND (l > 2 OR b) AND s.v = t.s AND exists(a, x -> x = l)"), s)
	if err != nil {
		t.Fatal(err)
	}
	if got := Refs(e); !reflect.DeepEqual(got, []int{0, 1, 4, 8, 9, 14}) {
		t.Errorf("refs %v", got)
	}
	parts := Conjuncts(e)
	if len(parts) != 4 || And(parts...).String() != e.String() || And() != nil || Or(nil, parts[0]) != parts[0] {
		t.Errorf("conjuncts %v", parts)
	}
	if !Deterministic(e) || Deterministic(mustParse("a + rand()")) {
		t.Error("rand is not deterministic, the rest is")
	}
	before := e.String()
	renamed := Rewrite(e, func(e Expr) Expr {
		if c, ok := e.(*Column); ok && c.Ref == 4 {
			return NewColumn("L")
		}
		return e
	})
	if e.String() != before || !strings.Contains(renamed.String(), "x = L") {
		t.Errorf("rewrite: %s", renamed)
	}
}
