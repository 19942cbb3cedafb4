package sluice_test

import (
	"context"
	"fmt"

	"github.com/sluicelake/sluice"
)

func ExampleTable_Merge() {
	ctx := context.Background()
	t := people(ctx, "memory://merge/people")
	defer t.Close()
	uk := rows(ctx, `{"user_id":"1","name":"Ada Byron","country":"UK"}
		{"user_id":"4","name":"Dan","country":"UK"}`)

	res, err := t.Merge(uk, "t.user_id = s.user_id AND t.country = 'UK'").
		WhenMatched().UpdateAll().
		WhenNotMatched().InsertAll().
		WhenNotMatchedBySource("t.country = 'UK'").Delete().
		Exec(ctx)
	check(err)
	fmt.Println(res.Updated, res.Inserted, res.Deleted)
	show(ctx, t)
	// Output:
	// 1 1 1
	// 1 Ada Byron UK
	// 3 Cal USA
	// 4 Dan UK
}

// Another writer commits between the reading and the publishing of a MERGE. The
// MERGE is fitted behind it, and says so.
func ExampleWinner() {
	ctx := context.Background()
	t := people(ctx, "memory://winner/people")
	defer t.Close()
	other, err := sluice.Open(ctx, "memory://winner/people")
	check(err)
	defer other.Close()

	meanwhile := func(ctx context.Context) error {
		_, err := other.Append(ctx, rows(ctx, `{"user_id":"9","name":"Eve","country":"FR"}`), sluice.AppendOptions{})
		return err
	}
	res, err := t.Merge(rows(ctx, `{"user_id":"1","name":"Ada","country":"UK"}`), "t.user_id = s.user_id").
		WhenNotMatchedBySource().Delete().
		With(sluice.CommitOptions{BeforePublish: meanwhile}).
		Exec(ctx)
	check(err)
	for _, w := range res.Commit.Winners {
		fmt.Println(w.Version, w.Operation, w.Verdict, sluice.SparkException(w.SparkClass))
	}
	show(ctx, t)
	// Output:
	// 2 WRITE repair ConcurrentAppendException
	// 1 Ada UK
}

func ExampleMergeBuilder_Explain() {
	ctx := context.Background()
	t := people(ctx, "memory://explain/people")
	defer t.Close()
	uk := rows(ctx, `{"user_id":"1","name":"Ada Byron","country":"UK"}`)

	x, err := t.MergeSQL(uk, `MERGE INTO people AS t USING uk AS s ON t.user_id = s.user_id AND t.country = 'UK'
		WHEN MATCHED THEN UPDATE SET *
		WHEN NOT MATCHED BY SOURCE THEN DELETE`).Explain(ctx)
	check(err)
	fmt.Println(x.FilesTotal, x.FilesRead, x.FilesWhole, x.Reference.WholeTable)
	for _, f := range x.Findings {
		fmt.Println(f.Code)
		fmt.Println(f.Suggestion)
	}
	// Output:
	// 2 1 1 true
	// unconditional-by-source
	// WHEN NOT MATCHED BY SOURCE AND t.country = 'UK' THEN DELETE
}
