package sluice_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/types"
)

func ExampleCreate() {
	ctx := context.Background()
	schema, err := types.ParseDDL("user_id STRING NOT NULL, name STRING, country STRING")
	check(err)
	t, err := sluice.Create(ctx, "memory://create/people", schema, sluice.CreateOptions{
		PartitionBy: []string{"country"},
		Properties:  map[string]string{"delta.appendOnly": "true"},
		Comment:     "who lives where",
	})
	check(err)
	defer t.Close()

	s, err := t.Snapshot(ctx)
	check(err)
	fmt.Println(s.Version(), s.Schema().Names(), s.PartitionColumns())
	// Output: 0 [user_id name country] [country]
}

func ExampleOpen() {
	ctx := context.Background()
	people(ctx, "memory://open/people").Close()

	t, err := sluice.Open(ctx, "memory://open/people")
	check(err)
	defer t.Close()
	before, err := t.Snapshot(ctx, sluice.Version(0))
	check(err)
	now, err := t.Snapshot(ctx)
	check(err)
	fmt.Println(before.NumFiles(), now.NumFiles())

	_, err = sluice.Open(ctx, "memory://open/nothing")
	fmt.Println(errors.Is(err, sluice.ErrNotTable))
	// Output:
	// 0 2
	// true
}

func ExampleTable_History() {
	ctx := context.Background()
	t := people(ctx, "memory://history/people")
	defer t.Close()
	_, err := t.Delete(ctx, sluice.DeleteOptions{Where: "country = 'USA'", CommitOptions: sluice.CommitOptions{UserMetadata: "moved"}})
	check(err)

	history, err := t.History(ctx, sluice.HistoryOptions{})
	check(err)
	for _, h := range history {
		fmt.Printf("%d %s %q\n", h.Version, h.Operation, h.UserMetadata)
	}
	// Output:
	// 2 DELETE "moved"
	// 1 WRITE ""
	// 0 CREATE TABLE ""
}
