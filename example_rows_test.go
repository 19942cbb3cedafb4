package sluice_test

import (
	"context"
	"fmt"

	"github.com/sluicelake/sluice"
)

func ExampleSnapshot_Scan() {
	ctx := context.Background()
	t := people(ctx, "memory://scan/people")
	defer t.Close()
	s, err := t.Snapshot(ctx)
	check(err)

	scan := s.Scan(sluice.ScanOptions{Where: "country = 'USA'", Columns: []string{"name"}})
	for batch, err := range scan.Batches(ctx) {
		check(err)
		fmt.Println(batch.NumRows(), batch.Column(0))
	}
	for f, err := range scan.Files() {
		check(err)
		fmt.Println(*f.Add.PartitionValues["country"], f.Kept, f.DroppedBy, f.Reason)
	}
	// Unordered output:
	// 1 ["Cal"]
	// UK false partition values country = 'USA'
	// USA true
}

func ExampleTable_Append() {
	ctx := context.Background()
	t := people(ctx, "memory://append/people")
	defer t.Close()

	// A loader that may run twice names what it loads.
	once := sluice.AppendOptions{CommitOptions: sluice.CommitOptions{AppID: "loader", AppVersion: 7}}
	for range 2 {
		res, err := t.Append(ctx, rows(ctx, `{"user_id":"4","name":"Dan","country":"NO"}`), once)
		check(err)
		fmt.Println(res.Rows, res.Commit.Version, res.Commit.Skipped)
	}
	// Output:
	// 1 2 false
	// 0 2 true
}

func ExampleTable_Update() {
	ctx := context.Background()
	t := people(ctx, "memory://update/people")
	defer t.Close()

	updated, err := t.Update(ctx, map[string]string{"name": "upper(name)"}, sluice.UpdateOptions{Where: "user_id = '2'"})
	check(err)
	deleted, err := t.Delete(ctx, sluice.DeleteOptions{Where: "country = 'USA'"})
	check(err)
	fmt.Println(updated.Rows, deleted.Rows)
	show(ctx, t)
	// Output:
	// 1 1
	// 1 Ada UK
	// 2 BEN UK
}
