package sluice_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/types"
)

// TestRowsDecide: where statistics admit that a winner's file holds a row that
// was read for, the rows themselves decide.
func TestRowsDecide(t *testing.T) {
	for _, c := range []struct {
		name, winner string
		conflict     bool
	}{
		{"the range holds it, no row does", `{"v":0} {"v":10}`, false},
		{"a row does", `{"v":0} {"v":5} {"v":10}`, true},
		{"out of range", `{"v":50}`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx := context.Background()
			schema := types.NewStruct(types.Field{Name: "v", Type: types.Long, Nullable: true})
			table, err := sluice.Create(ctx, t.TempDir(), schema, sluice.CreateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer table.Close()
			source := func(text string) sluice.Source {
				src, err := sluice.FromReader(ctx, strings.NewReader(text), sluice.SourceOptions{Format: "json", Schema: schema})
				if err != nil {
					t.Fatal(err)
				}
				return src
			}
			tx, err := table.Begin(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Filter("v = 5"); err != nil {
				t.Fatal(err)
			}
			adds, err := tx.WriteRows(ctx, source(`{"v":100}`))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := table.Append(ctx, source(c.winner), sluice.AppendOptions{}); err != nil {
				t.Fatal(err)
			}
			var acts []action.Action
			for _, a := range adds {
				acts = append(acts, a)
			}
			_, err = tx.Commit(ctx, acts, sluice.Operation{Name: "WRITE"})
			var conflict *sluice.ConflictError
			if got := errors.As(err, &conflict); got != c.conflict || (err != nil && !got) {
				t.Fatalf("conflict is %v, want %v: %v", got, c.conflict, err)
			}
			if c.conflict && (len(conflict.Evidence) != 1 || conflict.Evidence[0].Strength != "row" || conflict.Class != "DELTA_CONCURRENT_APPEND") {
				t.Errorf("evidence %+v of class %s, want one row", conflict.Evidence, conflict.Class)
			}
		})
	}
}
