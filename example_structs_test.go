package sluice_test

import (
	"context"
	"fmt"
	"log"

	"github.com/sluicelake/sluice"
)

// Structs make a table, fill it, and come back from a query.
func ExampleRows() {
	type Person struct {
		ID   int64   `delta:"user_id"`
		Name *string `delta:"name"`
		City string  `delta:"city,nullable"`
	}
	ctx := context.Background()
	schema, err := sluice.SchemaOf[Person]()
	if err != nil {
		log.Fatal(err)
	}
	t, err := sluice.Create(ctx, "memory://example-structs/people", schema, sluice.CreateOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer t.Close()
	ann := "Ann"
	if _, err := t.AppendRows(ctx, []Person{{1, &ann, "London"}, {2, nil, "Paris"}}, sluice.AppendOptions{}); err != nil {
		log.Fatal(err)
	}
	s, err := t.Snapshot(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for p, err := range sluice.Rows[Person](ctx, s.Scan(sluice.ScanOptions{Where: "city = 'Paris'"})) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(p.ID, p.Name == nil, p.City)
	}
	// Output: 2 true Paris
}
