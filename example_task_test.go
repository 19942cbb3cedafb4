package sluice_test

import (
	"context"
	"fmt"

	"github.com/sluicelake/sluice"
)

func ExampleScan_Tasks() {
	ctx := context.Background()
	t := people(ctx, "memory://tasks/people")
	defer t.Close()
	s, err := t.Snapshot(ctx)
	check(err)

	// The planner makes bytes of each task, for a queue or another machine.
	var queue [][]byte
	scan := s.Scan(sluice.ScanOptions{Where: "country = 'UK'", Columns: []string{"name", "_metadata.row_index AS place"}})
	for task, err := range scan.Tasks(ctx, sluice.TaskOptions{Bytes: 64 << 20}) {
		check(err)
		data, err := task.MarshalBinary()
		check(err)
		queue = append(queue, data)
	}

	// A worker needs the bytes and access to the store, not the log.
	for _, data := range queue {
		task, err := sluice.ParseTask(data)
		check(err)
		for batch, err := range task.Batches(ctx) {
			check(err)
			fmt.Println(task.Version(), task.Files(), batch.Column(0), batch.Column(1))
		}
	}
	// Output:
	// 1 1 ["Ada" "Ben"] [0 1]
}
