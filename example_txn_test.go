package sluice_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/action"
)

// What a transaction reads decides what it conflicts with.
func ExampleTable_Transact() {
	ctx := context.Background()
	t := people(ctx, "memory://transact/people")
	defer t.Close()

	err := t.Transact(ctx, func(ctx context.Context, tx *sluice.Txn) error {
		n, err := tx.Snapshot().Scan(sluice.ScanOptions{Where: "country = 'UK'"}).Count(ctx) // recorded as read
		if err != nil {
			return err
		}
		adds, err := tx.WriteRows(ctx, rows(ctx, fmt.Sprintf(`{"user_id":"sum","name":"%d","country":"all"}`, n)))
		if err != nil {
			return err
		}
		actions := make([]action.Action, len(adds))
		for i, a := range adds {
			actions[i] = a
		}
		_, err = tx.Commit(ctx, actions, sluice.Operation{Name: "SUMMARY"})
		return err
	})
	check(err)
	show(ctx, t)
	// Output:
	// 1 Ada UK
	// 2 Ben UK
	// 3 Cal USA
	// sum 2 all
}

func ExampleConflictError() {
	ctx := context.Background()
	t := people(ctx, "memory://conflict/people")
	defer t.Close()

	tx, err := t.Begin(ctx)
	check(err)
	defer tx.Abandon()
	files, err := tx.Filter("country = 'UK'")
	check(err)
	_, err = t.Delete(ctx, sluice.DeleteOptions{Where: "country = 'UK'"}) // another writer
	check(err)

	_, err = tx.Commit(ctx, []action.Action{&action.Txn{AppID: "audit", Version: int64(len(files))}}, sluice.Operation{})
	var conflict *sluice.ConflictError
	fmt.Println(errors.Is(err, sluice.ErrConflict), errors.As(err, &conflict))
	fmt.Println(conflict.ReadVersion, conflict.Winner, conflict.WinnerOp)
	fmt.Println(sluice.SparkException(sluice.ErrorClass(err)), sluice.SQLState(err))
	// Output:
	// true true
	// 1 2 DELETE
	// ConcurrentDeleteReadException 2D521
}
