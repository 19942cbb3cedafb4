package sluice_test

import (
	"context"
	"fmt"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/types"
)

// A consumer reads the table once, and from then on what changes. The cursor that
// it stores with its own work is all that it has to remember.
func ExampleTable_Changes() {
	ctx := context.Background()
	schema, err := types.ParseDDL("user_id STRING, name STRING, country STRING")
	check(err)
	t, err := sluice.Create(ctx, "memory://changes/people", schema, sluice.CreateOptions{Properties: map[string]string{"delta.enableChangeDataFeed": "true"}})
	check(err)
	defer t.Close()
	s, err := t.Snapshot(ctx)
	check(err)
	cursor := s.ChangeCursor() // behind the rows of this version

	follow := func() {
		for b, err := range t.Changes(sluice.ChangeOptions{After: cursor, Columns: []string{"_commit_version", "_change_type", "name"}}).Batches(ctx) {
			check(err)
			for i := range int(b.NumRows()) {
				fmt.Println(b.Column(0).ValueStr(i), b.Column(1).ValueStr(i), b.Column(2).ValueStr(i))
			}
			cursor = b.Cursor
		}
	}
	_, err = t.Append(ctx, rows(ctx, `{"user_id":"1","name":"Ada","country":"UK"}`), sluice.AppendOptions{})
	check(err)
	follow()
	_, err = t.Update(ctx, map[string]string{"name": "'Ada Byron'"}, sluice.UpdateOptions{})
	check(err)
	_, err = t.Delete(ctx, sluice.DeleteOptions{})
	check(err)
	follow()
	follow() // nothing is new
	// Output:
	// 1 insert Ada
	// 2 update_preimage Ada
	// 2 update_postimage Ada Byron
	// 3 delete Ada Byron
}
