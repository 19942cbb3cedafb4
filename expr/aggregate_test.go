package expr

import (
	"errors"
	"strings"
	"testing"
)

// What only aggregates take is kept, and printed so that it parses again.
func TestAggregateCalls(t *testing.T) {
	for text, want := range map[string]string{
		"count( distinct a,b )":                        "count(DISTINCT a, b)",
		"sum(ALL a)":                                   "sum(a)",
		"sum(a) filter (where b > 1) + 1":              "sum(a) FILTER (WHERE b > 1) + 1",
		"last(a) ignore nulls":                         "last(a) IGNORE NULLS",
		"first(a) respect nulls":                       "first(a)",
		"max(DISTINCT a) FILTER (WHERE b IS NOT NULL)": "max(DISTINCT a) FILTER (WHERE b IS NOT NULL)",
	} {
		e, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		again, err := Parse(e.String())
		if err != nil || e.String() != want || again.String() != want {
			t.Errorf("%s: %s, then %v %v", text, e, again, err)
		}
		var be *BindError
		if _, err := Bind(e, Scope{}); !errors.As(err, &be) || be.Class != "MISSING_GROUP_BY" {
			t.Errorf("%s: %v", text, err)
		}
	}
	var pe *ParseError
	if _, err := Parse("sum(a) OVER (ORDER BY b)"); !errors.As(err, &pe) || pe.Class != "UNSUPPORTED_FEATURE.WINDOW_FUNCTION" || pe.Column != 8 {
		t.Error(err)
	}
}

// Forms with several readings do not double the work at each level.
func TestNestedCallsParseOnce(t *testing.T) {
	for _, c := range [][2]string{{"position(", ", b)"}, {"dateadd(day, ", ")"}, {"position(a IN ", ")"}} {
		text := strings.Repeat(c[0], 100) + "a" + strings.Repeat(c[1], 100)
		if _, err := Parse(text); err != nil {
			t.Errorf("%s: %v", c[0], err)
		}
	}
}
