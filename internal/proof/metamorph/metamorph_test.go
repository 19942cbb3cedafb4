package metamorph

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/internal/proof/testkit"
)

// TestLayoutsDoNotShow plays a few seeds over layouts in which any two choices
// meet. SLUICE_METAMORPH=n plays n seeds over every layout, or over those that
// SLUICE_SLICE picks, from SLUICE_SEED on.
func TestLayoutsDoNotShow(t *testing.T) {
	seeds, first, layouts := 5, uint64(1), Pairs()
	if text := os.Getenv("SLUICE_METAMORPH"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			t.Fatalf("SLUICE_METAMORPH=%q: want a number of seeds", text)
		}
		seeds, layouts = n, nil
		mine := testkit.Slice(t)
		for i, c := range Every() {
			if mine(i) {
				layouts = append(layouts, c)
			}
		}
	}
	if text := os.Getenv("SLUICE_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("SLUICE_SEED=%q: want a number", text)
		}
		first = n
	}
	for seed := first; seed < first+uint64(seeds); seed++ {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			if err := Check(t.Context(), seed, 10, layouts); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestScriptsDoSomething: statements mostly succeed, and each kind of them does.
func TestScriptsDoSomething(t *testing.T) {
	done := map[string]int{}
	classes := map[string]int{}
	for seed := range uint64(16) {
		s := Write(seed, 12)
		got, err := Play(t.Context(), Plain(), s, nil, nil)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for i, o := range got {
			kind := strings.Join(strings.Fields(s.Statements[i])[:2], " ")
			if o.Error == "" {
				done[kind]++
			} else {
				classes[kind+": "+o.Error]++
			}
		}
	}
	t.Log(done, classes)
	for _, kind := range []string{"INSERT INTO", "INSERT OVERWRITE", "UPDATE target", "DELETE FROM", "MERGE INTO"} {
		if done[kind] == 0 {
			t.Errorf("no %s succeeds: %v", kind, classes)
		}
	}
}

func TestPairsCoverAllPairs(t *testing.T) {
	pairs := Pairs()
	if len(pairs) > 20 {
		t.Errorf("%d layouts", len(pairs))
	}
	for _, want := range []func(Config) bool{
		func(c Config) bool { return c.Vectors && c.Partitioned },
		func(c Config) bool { return !c.Vectors && c.Mapping == "id" },
		func(c Config) bool { return c.Feed && c.RowIDs },
		func(c Config) bool { return c.Tended && c.RowIDs },
		func(c Config) bool { return c.Workers == 1 && c.Checkpoints == 1 },
		func(c Config) bool { return c.V2 && c.Mapping == "name" },
		func(c Config) bool { return !c.SmallFiles && !c.Apart },
	} {
		if !slices.ContainsFunc(pairs, want) {
			t.Error("a pair is missing")
		}
	}
	if n := len(Every()); n != 3<<10 {
		t.Errorf("%d layouts in all", n)
	}
}

func TestShrinkLeavesWhatIsNeeded(t *testing.T) {
	var s Script
	for i := range 20 {
		s.Rows = append(s.Rows, fmt.Sprint("r", i))
		s.Statements = append(s.Statements, fmt.Sprint("s", i))
	}
	small := Shrink(s, func(s Script) bool {
		return slices.Contains(s.Statements, "s3") && slices.Contains(s.Statements, "s17") && slices.Contains(s.Rows, "r9")
	})
	if fmt.Sprint(small) != "{[r9] [s3 s17]}" {
		t.Error(small)
	}
}
