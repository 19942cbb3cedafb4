package sluice_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/sluicelake/sluice"
)

func ExampleTable_Optimize() {
	ctx := context.Background()
	t := people(ctx, "memory://optimize/people")
	defer t.Close()
	for _, name := range []string{"Dan", "Eve"} {
		_, err := t.Append(ctx, rows(ctx, `{"user_id":"9","name":"`+name+`","country":"UK"}`), sluice.AppendOptions{})
		check(err)
	}

	o := sluice.OptimizeOptions{Where: "country = 'UK'"}
	plan, err := t.PlanOptimize(ctx, o)
	check(err)
	fmt.Println("planned:", plan.Rewritten().Files, "files into", plan.After().Files)

	res, err := t.Optimize(ctx, o)
	check(err)
	fmt.Println("done:", res.Removed.Files, "files into", res.Added.Files, "at version", res.Last().Version)
	// Output:
	// planned: 3 files into 1
	// done: 3 files into 1 at version 4
}

func ExampleTable_Purge() {
	ctx := context.Background()
	t := people(ctx, "memory://purge/people")
	defer t.Close()
	_, err := t.Delete(ctx, sluice.DeleteOptions{Where: "name = 'Ben'"}) // the row is marked, its file stays
	check(err)

	res, err := t.Purge(ctx, sluice.PurgeOptions{})
	check(err)
	fmt.Println(res.Removed.Files, "file with", res.DeletionVectors, "deletion vector written again")
	// Output: 1 file with 1 deletion vector written again
}

func ExampleTable_Vacuum() {
	ctx := context.Background()
	t := people(ctx, "memory://vacuum/people")
	defer t.Close()
	_, err := t.Delete(ctx, sluice.DeleteOptions{Where: "country = 'UK'"})
	check(err)

	_, err = t.Vacuum(ctx, sluice.VacuumOptions{Retain: new(time.Duration)}) // other writers and readers may need the file
	fmt.Println(sluice.ErrorClass(err))

	later, err := sluice.Open(ctx, "memory://vacuum/people", sluice.WithClock(func() time.Time { return time.Now().AddDate(0, 0, 8) }))
	check(err)
	defer later.Close()
	found, err := later.Vacuum(ctx, sluice.VacuumOptions{DryRun: true})
	check(err)
	done, err := later.Vacuum(ctx, sluice.VacuumOptions{})
	check(err)
	fmt.Println(found.Found, "found,", done.Deleted, "deleted")
	// Output:
	// DELTA_VACUUM_RETENTION_PERIOD_TOO_SHORT
	// 1 found, 1 deleted
}

func ExampleTable_Restore() {
	ctx := context.Background()
	t := people(ctx, "memory://restore/people")
	defer t.Close()
	_, err := t.Delete(ctx, sluice.DeleteOptions{})
	check(err)

	plan, err := t.PlanRestore(ctx, sluice.Version(1), sluice.RestoreOptions{})
	check(err)
	fmt.Println("would bring back", plan.FilesRestored, "files")
	res, err := t.Restore(ctx, sluice.Version(1), sluice.RestoreOptions{})
	check(err)
	s, err := t.Snapshot(ctx)
	check(err)
	n, err := s.Scan(sluice.ScanOptions{}).Count(ctx)
	check(err)
	fmt.Println("version", res.Commit.Version, "has", n, "rows")
	// Output:
	// would bring back 2 files
	// version 3 has 3 rows
}

func ExampleSnapshot_Clone() {
	ctx := context.Background()
	t := people(ctx, "memory://clone/people")
	defer t.Close()
	s, err := t.Snapshot(ctx, sluice.Version(1))
	check(err)

	copied, res, err := s.Clone(ctx, "memory://clone/archive", sluice.CloneOptions{Properties: map[string]string{"delta.appendOnly": "true"}})
	check(err)
	defer copied.Close()
	fmt.Println(res.Copied, "files copied to", copied.URL())

	// A shallow clone reads the files where they are, which must be allowed.
	linked, res, err := s.Clone(ctx, "memory://clone/experiment", sluice.CloneOptions{Shallow: true}, sluice.WithOutside("memory://clone/people"))
	check(err)
	defer linked.Close()
	fmt.Println(res.Files, "files named;", res.Registered)
	// Output:
	// 2 files copied to memory://clone/archive
	// 2 files named; true
}

func ExampleConvert() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "sluice")
	check(err)
	defer os.RemoveAll(dir)
	t := people(ctx, dir)
	check(t.Close())
	check(os.RemoveAll(filepath.Join(dir, "_delta_log"))) // Parquet files in folders country=UK and country=USA are left

	converted, res, err := sluice.Convert(ctx, dir, sluice.ConvertOptions{InferPartitions: true})
	check(err)
	defer converted.Close()
	fmt.Println(res.Plan.Files, "files,", res.Plan.Rows, "rows, by", res.Plan.PartitionBy)
	// Output: 2 files, 3 rows, by [country]
}

func ExampleTable_Repair() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "sluice")
	check(err)
	defer os.RemoveAll(dir)
	t := people(ctx, dir)
	defer t.Close()
	gone, err := filepath.Glob(filepath.Join(dir, "country=USA", "*.parquet"))
	check(err)
	check(os.Remove(gone[0]))

	for f, err := range t.Check(sluice.CheckOptions{}).Findings(ctx) {
		check(err)
		fmt.Println(f.Severity, f.Code)
	}
	res, err := t.Repair(ctx, sluice.RepairOptions{})
	check(err)
	fmt.Println(res.Removed, "of", res.Scanned, "files taken out of the table")
	// Output:
	// error FSCK_MISSING_DATA_FILE
	// 1 of 2 files taken out of the table
}

func ExampleTable_Checkpoint() {
	ctx := context.Background()
	t := people(ctx, "memory://checkpoint/people")
	defer t.Close()

	res, err := t.Checkpoint(ctx, sluice.CheckpointOptions{})
	check(err)
	fmt.Println(res.Kind, "of version", res.Version, "with", res.Files, "files")

	log, err := t.CompactLog(ctx, sluice.CompactLogOptions{From: new(int64)})
	check(err)
	fmt.Println(log.Commits, "commits in", log.File)

	cleaned, err := t.CleanLog(ctx, sluice.CleanLogOptions{})
	check(err)
	fmt.Println(len(cleaned.Files), "files of the log are older than 30 days")
	// Output:
	// classic of version 1 with 2 files
	// 2 commits in _delta_log/00000000000000000000.00000000000000000001.compacted.json
	// 0 files of the log are older than 30 days
}

func ExampleTable_Life() {
	ctx := context.Background()
	t := people(ctx, "memory://life/people")
	defer t.Close()
	s, err := t.Snapshot(ctx)
	check(err)
	_, err = t.Delete(ctx, sluice.DeleteOptions{Where: "name = 'Ben'"})
	check(err)

	for f := range s.Files() {
		if f.PartitionValues["country"] == nil || *f.PartitionValues["country"] != "UK" {
			continue
		}
		life, err := t.Life(ctx, f.Path)
		check(err)
		for _, e := range life.Events {
			fmt.Println(e.Version, e.What)
		}
	}
	// Output:
	// 1 added
	// 2 marked
}

func ExampleDoctor() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "sluice")
	check(err)
	defer os.RemoveAll(dir)

	d, err := sluice.Doctor(ctx, dir)
	check(err)
	fmt.Println("readable:", d.Readable, "writable:", d.Writable, "a table there:", d.Table)
	for _, c := range d.Checks {
		if c.Status == "failed" {
			fmt.Println(c.Name, c.Text, c.Advice)
		}
	}
	// Output: readable: true writable: true a table there: false
}
