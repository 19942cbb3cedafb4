package expr

import (
	"errors"
	"strings"
	"testing"
)

// What only aggregates take is kept, and printed so that it parses again.
func TestAggregateCalls(t *testing.T) {
	printsAgain(t, "MISSING_GROUP_BY", map[string]string{
		"count( distinct a,b )":                        "count(DISTINCT a, b)",
		"sum(ALL a)":                                   "sum(a)",
		"sum(a) filter (where b > 1) + 1":              "sum(a) FILTER (WHERE b > 1) + 1",
		"last(a) ignore nulls":                         "last(a) IGNORE NULLS",
		"first(a) respect nulls":                       "first(a)",
		"max(DISTINCT a) FILTER (WHERE b IS NOT NULL)": "max(DISTINCT a) FILTER (WHERE b IS NOT NULL)",
	})
}

// A window is printed so that it parses again, and is no value of a single row.
func TestWindows(t *testing.T) {
	printsAgain(t, "UNSUPPORTED_EXPR_FOR_WINDOW", map[string]string{
		"sum(a) over w": "sum(a) OVER w",
		"row_number() over (partition by a, b order by c desc)":                                   "row_number() OVER (PARTITION BY a, b ORDER BY c DESC)",
		"sum(a) filter (where b) over (w rows 2 preceding) + 1":                                   "sum(a) FILTER (WHERE b) OVER (w ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) + 1",
		"lag(a, 1) ignore nulls over (order by b asc nulls last)":                                 "lag(a, 1) IGNORE NULLS OVER (ORDER BY b NULLS LAST)",
		"max(a) over (order by b range between interval 1 day preceding and unbounded following)": "max(a) OVER (ORDER BY b RANGE BETWEEN INTERVAL '1' DAY PRECEDING AND UNBOUNDED FOLLOWING)",
		"count(*) over ()": "count(*) OVER ()",
	})
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

// printsAgain parses expressions, prints them and parses that again; none is a value
// of a single row, for a reason of the class.
func printsAgain(t *testing.T, class string, texts map[string]string) {
	t.Helper()
	for text, want := range texts {
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
		if _, err := Bind(e, Scope{}); !errors.As(err, &be) || be.Class != class {
			t.Errorf("%s: %v", text, err)
		}
	}
}
