package sluice_test

import (
	"context"
	"fmt"
	"log"

	"github.com/sluicelake/sluice"
)

// Statements are run one by one; the rows of a query come in batches.
func ExampleSession() {
	ctx := context.Background()
	s := sluice.NewSession(sluice.SessionOptions{})
	defer s.Close()
	s.Table("t", "memory://example-sql/t")
	if err := s.Exec(ctx, "CREATE TABLE t (id INT, name STRING DEFAULT 'nobody') TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported')"); err != nil {
		log.Fatal(err)
	}
	for r, err := range s.SQL(ctx, "INSERT INTO t VALUES (1, 'Ann'), (2, DEFAULT); SELECT count(*) AS n FROM t WHERE name = 'nobody'") {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(r.Operation)
		for b, err := range r.Batches(ctx) {
			if err != nil {
				log.Fatal(err)
			}
			fmt.Print(" ", b.Column(0))
		}
		fmt.Println()
	}
	// Output:
	// WRITE [2]
	// SELECT [1]
}
