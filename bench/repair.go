package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/types"
)

const repairFiles, repairRows, repairRounds = 10, 200_000, 3

// repairWorkload is a MERGE into tables of one kind that is fitted behind a winner.
func repairWorkload(name, kind, place, vectors string) workload {
	return workload{name: name, what: "MERGE of 1,000 rows into ten files of 200,000 rows, " + kind + ": alone, and while another updates a row of one of the files",
		prepare: func(ctx context.Context, dir string) error {
			return prepareRepair(ctx, filepath.Join(dir, place), vectors)
		},
		fresh: linked(place), run: runRepair}
}

// sql runs one statement on the table at a place, as a writer who knows nothing of
// the others in this process.
func sql(ctx context.Context, place, text string, beforePublish func(context.Context) error) (*sluice.SQLResult, error) {
	s := sluice.NewSession(sluice.SessionOptions{BeforePublish: beforePublish})
	defer s.Close()
	s.Table("t", place)
	for r, err := range s.SQL(ctx, text) {
		return r, err
	}
	return nil, errWrong
}

func prepareRepair(ctx context.Context, place, vectors string) error {
	if done(place) {
		return nil
	}
	if err := again(place); err != nil {
		return err
	}
	schema, err := types.ParseDDL("id BIGINT, v BIGINT, name STRING")
	if err != nil {
		return err
	}
	t, err := sluice.Create(ctx, place, schema, sluice.CreateOptions{Properties: map[string]string{"delta.enableDeletionVectors": vectors}})
	if err != nil {
		return err
	}
	if err := t.Close(); err != nil {
		return err
	}
	for i := range repairFiles {
		if _, err := sql(ctx, place, fmt.Sprintf("INSERT INTO t SELECT id + %d, id, concat('row ', id) FROM range(%d)", i*repairRows, repairRows), nil); err != nil {
			return err
		}
	}
	return markDone(place)
}

// spent is what something took.
type spent struct{ wall, cpu time.Duration }

func measure(do func() error) (spent, error) {
	wall, cpu := time.Now(), cpuTime()
	err := do()
	return spent{time.Since(wall), cpuTime() - cpu}, err
}

// runRepair merges into every file of a table, by turns alone and while another
// writer, who has opened the table by itself, updates a row of one of the files. It
// tells the share of the statement that the repair costs, by medians: of the time,
// and of the processor time that the statement takes more than alone, without the
// other's.
func runRepair(ctx context.Context, place string) (Line, error) {
	merge := fmt.Sprintf("MERGE INTO t USING (SELECT id * %d AS id, 1 AS v, 'new' AS name FROM range(%d)) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT *",
		repairRows/100, repairFiles*100)
	var alone, contended, repairs, aloneCPU []float64
	began := time.Now()
	for round := range 2 * repairRounds {
		table := fmt.Sprint(place, "-", round)
		if err := link(place, table); err != nil {
			return Line{}, err
		}
		if round%2 == 0 {
			took, err := measure(func() error { _, err := sql(ctx, table, merge, nil); return err })
			if err != nil {
				return Line{}, err
			}
			alone, aloneCPU = append(alone, took.wall.Seconds()), append(aloneCPU, took.cpu.Seconds())
			continue
		}
		var other spent
		var res *sluice.SQLResult
		took, err := measure(func() (err error) {
			res, err = sql(ctx, table, merge, func(context.Context) (err error) {
				other, err = measure(func() error { _, err := sql(ctx, table, "UPDATE t SET v = -1 WHERE id = 7", nil); return err })
				return err
			})
			return err
		})
		if err != nil {
			return Line{}, err
		}
		if won := res.Commit.Winners; len(won) != 1 || won[0].Verdict != "repair" || won[0].Dropped+won[0].Computed == 0 {
			return Line{}, fmt.Errorf("%+v: %w", won, errWrong)
		}
		repairs = append(repairs, res.Commit.Winners[0].Elapsed.Seconds())
		contended = append(contended, (took.cpu - other.cpu).Seconds())
	}
	return Line{WallS: time.Since(began).Seconds(), Extra: map[string]float64{"alone_s": median(alone), "repair_s": median(repairs), "repair_share": median(repairs) / median(alone),
		"alone_cpu_s": median(aloneCPU), "repair_cpu_share": (median(contended) - median(aloneCPU)) / median(aloneCPU)}}, nil
}

// median is the middle of some figures, the lower one of two.
func median(of []float64) float64 {
	s := slices.Sorted(slices.Values(of))
	return s[(len(s)-1)/2]
}
