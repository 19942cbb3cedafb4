package expr

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

func TestUnknownFunctionNamesTheNearest(t *testing.T) {
	for in, want := range map[string][]string{
		"uper('a')": {"upper"}, "colesce(1)": {"coalesce"}, "date_ad(1)": {"date_add"}, "bigin(1)": {"bigint", "bin"}, "nothing_like_it()": nil,
	} {
		_, err := Bind(mustParse(in), Scope{})
		var b *BindError
		if !errors.As(err, &b) || b.Class != "UNRESOLVED_ROUTINE" {
			t.Errorf("%s: %v", in, err)
			continue
		}
		for _, name := range want {
			if !slices.Contains(b.Candidates, name) {
				t.Errorf("%s: candidates %v lack %s", in, b.Candidates, name)
			}
		}
		if want == nil && len(b.Candidates) > 0 {
			t.Errorf("%s: candidates %v", in, b.Candidates)
		}
	}
}

func TestSessionReachesCastsAndCalls(t *testing.T) {
	zone, _ := civil.Zone("+02:00")
	o := Options{Legacy: true, TimeZone: zone, Now: time.Unix(0, 0)}
	e, err := BindAssign(mustParse("try_add(CAST('1' AS INT), 1) + 1"), Scope{Options: o}, types.Long, "c")
	if err != nil {
		t.Fatal(err)
	}
	store := e.(*Cast)
	if store.In != (Session{Zone: zone}) {
		t.Errorf("a store is ANSI: %+v", store.In)
	}
	sum := store.Arg.(*Call)
	if sum.In != (Session{Legacy: true, Zone: zone}) {
		t.Errorf("+ has %+v", sum.In)
	}
	strict := sum.Args[0].(*Call).Args[0].(*Call)
	if strict.In.Legacy || !strict.Args[0].(*Cast).In.Legacy {
		t.Error("try_add fails inside, its operands do not")
	}
}

func TestLiteralWithoutZoneIsAReadingOfTheClock(t *testing.T) {
	zone, _ := civil.Zone("+02:00")
	for in, want := range map[string]string{
		"TIMESTAMP'2024-01-01 00:00:00'":       "TIMESTAMP'2023-12-31 22:00:00Z'",
		"TIMESTAMP'2024-01-01 00:00:00Z'":      "TIMESTAMP'2024-01-01 00:00:00Z'",
		"TIMESTAMP'2024-01-01 00:00:00+01:00'": "TIMESTAMP'2023-12-31 23:00:00Z'",
	} {
		if again := mustParse(mustParse(in).String()).String(); again != mustParse(in).String() {
			t.Errorf("%s prints as %s", in, again)
		}
		e, err := Bind(mustParse(in), Scope{Options: Options{TimeZone: zone}})
		if err != nil || e.String() != want {
			t.Errorf("%s: %v, %v, want %s", in, e, err, want)
		}
	}
}

func TestFoldDecidesByEitherOperand(t *testing.T) {
	s := Scope{Tables: []Table{{Schema: types.NewStruct(types.Field{Name: "b", Type: types.Boolean, Nullable: true})}}}
	fail := func(Expr) (Literal, error) { return Literal{}, errors.New("no") }
	for in, want := range map[string]string{
		"b AND false": "FALSE", "false AND b": "FALSE", "b AND true": "b", "b OR true": "TRUE", "b OR false": "b", "b AND NULL": "b AND CAST(NULL AS BOOLEAN)",
		"1 / 0 > 1 AND false": "FALSE", "NOT b OR (b AND false) OR true": "TRUE",
	} {
		e, err := Bind(mustParse(in), s)
		if err != nil {
			t.Fatal(err)
		}
		if got := Fold(e, fail).String(); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
