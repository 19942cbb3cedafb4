package changes_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/rows/rewrite"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/changes"
	"github.com/sluicelake/sluice/internal/verbs/insert"
	"github.com/sluicelake/sluice/observe"
)

// One winner takes the only row that a MERGE updates, so that nothing is left to
// record; the next brings another row to update. The inserts belong to the feed again.
func TestFeedThroughRepairs(t *testing.T) {
	ctx := t.Context()
	e := env.New()
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT, p STRING, v INT", PartitionBy: []string{"p"}, Env: e, Properties: map[string]string{"delta.enableChangeDataFeed": "true"},
		Files: [][]string{{`{"k":1,"p":"a","v":1}`}, {`{"k":5,"p":"a","v":5}`}}})
	winners := []func(s *snapshot.Snapshot) []action.Action{
		func(s *snapshot.Snapshot) []action.Action {
			for i := range s.Files().All() {
				a := s.Files().Add(i)
				if rows, err := tablekit.FileRows(ctx, s, a); err != nil || rows[0].Text == `{"k":1,"p":"a","v":1}` {
					must(t, err)
					return []action.Action{rewrite.RemoveOf(a, 1)}
				}
			}
			return nil
		},
		func(s *snapshot.Snapshot) []action.Action {
			src, err := tablekit.Source(k.Schema, `{"k":7,"p":"b","v":7}`)
			must(t, err)
			outs, _, err := insert.Write(ctx, k.Log, s, src, expr.Options{}, nil)
			must(t, err)
			return []action.Action{outs[0].Add}
		},
	}
	e.Listener = &observe.Listener{Attempt: func(a observe.Attempt) {
		if n := a.Number; n <= len(winners) {
			s, err := k.Snapshot(context.WithoutCancel(ctx), snapshot.Latest())
			must(t, err)
			must(t, tablekit.Publish(ctx, k.Bucket, a.Version, "MANUAL", winners[n-1](s)...))
		}
	}}
	must(t, statement(ctx, k, "MERGE INTO target t USING source s ON t.k = s.k WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT *",
		`{"k":1,"p":"a","v":10}`, `{"k":7,"p":"b","v":70}`, `{"k":9,"p":"z","v":90}`))
	e.Listener = &observe.Listener{}
	s, err := k.Snapshot(ctx, snapshot.Latest())
	must(t, err)
	list, _, err := read(ctx, k, changes.Spec{From: snapshot.Version(s.Version())}, -1)
	must(t, err)
	want := []change{{"update_preimage", 5, `{"k":7,"p":"b","v":7}`}, {"update_postimage", 5, `{"k":7,"p":"b","v":70}`},
		{"insert", 5, `{"k":1,"p":"a","v":10}`}, {"insert", 5, `{"k":9,"p":"z","v":90}`}}
	order := func(a, b change) int { return strings.Compare(a.kind+a.row, b.kind+b.row) }
	slices.SortFunc(list, order)
	slices.SortFunc(want, order)
	if !slices.Equal(list, want) {
		t.Errorf("the feed tells %v, want %v", list, want)
	}
}
