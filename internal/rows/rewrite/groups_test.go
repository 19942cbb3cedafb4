package rewrite_test

import (
	"fmt"
	"testing"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/rows/rewrite"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/rows/write"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// Change data that a winner made out of date is recorded in several files, so that
// the next winner leaves most of them as they are.
func TestChangeDataIsRecordedInGroups(t *testing.T) {
	const files = 64
	spec := tablekit.Spec{DDL: "k INT", Properties: map[string]string{"delta.enableChangeDataFeed": "true"}}
	for i := range files {
		spec.Files = append(spec.Files, []string{fmt.Sprintf(`{"k":%d}`, i), fmt.Sprintf(`{"k":%d}`, 100+i)})
	}
	k := tablekit.New(t, spec)
	s, err := k.Snapshot(t.Context(), snapshot.Latest())
	if err != nil {
		t.Fatal(err)
	}
	l := rewrite.New(rewrite.Config{Env: env.New(), Bucket: k.Bucket, Source: scan.SourceOf(s), Spec: write.SpecOf(s), Marks: true, Changes: rewrite.AllChanges})
	var effects []*rewrite.Effect
	for i := range files {
		e := &rewrite.Effect{File: s.Files().Add(i), Physical: 2, Rows: []rewrite.Row{{Pos: 0}}}
		effects = append(effects, e)
		l.Enter(e)
	}
	before := map[string]bool{}
	for round, want := range []int{1, 8, 8} { // new files of change data
		acts, _, err := l.Actions(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		fresh, all, rows := 0, map[string]bool{}, 0
		for _, a := range acts {
			if c, ok := a.(*action.AddCDC); ok {
				if all[c.Path] = true; !before[c.Path] {
					fresh++
				}
			}
			if _, ok := a.(*action.Remove); ok {
				rows++
			}
		}
		if round == 2 && (fresh != 1 || len(all) != want) || round < 2 && fresh != want || rows != files-round {
			t.Errorf("round %d: %d new files of %d, %d effects", round, fresh, len(all), rows)
		}
		before = all
		l.Drop(effects[round*9].ID()) // a winner removed a file
	}
	_, superseded := l.Written()
	if superseded == 0 {
		t.Error("nothing was written twice")
	}
	l.Discard(t.Context(), false)
}
