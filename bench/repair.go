package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/types"
)

const repairFiles, repairRows = 10, 200_000

// runRepair merges into every file of a table while another writer, who has opened
// the table by itself, updates a row of one of them; what the repair took is told
// beside what the whole statement took.
func runRepair(ctx context.Context, place string) (Line, error) {
	table := filepath.Join(place, "repair")
	schema, err := types.ParseDDL("id BIGINT, v BIGINT, name STRING")
	if err != nil {
		return Line{}, err
	}
	t, err := sluice.Create(ctx, table, schema, sluice.CreateOptions{Properties: map[string]string{"delta.enableDeletionVectors": "false"}})
	if err != nil {
		return Line{}, err
	}
	defer t.Close()
	session := func(hook func(context.Context) error) *sluice.Session {
		s := sluice.NewSession(sluice.SessionOptions{BeforePublish: hook})
		s.Table("t", table)
		return s
	}
	run := func(s *sluice.Session, text string) (*sluice.SQLResult, error) {
		for r, err := range s.SQL(ctx, text) {
			return r, err
		}
		return nil, errWrong
	}
	filler := session(nil)
	defer filler.Close()
	for i := range repairFiles {
		if _, err := run(filler, fmt.Sprintf("INSERT INTO t SELECT id + %d, id, concat('row ', id) FROM range(%d)", i*repairRows, repairRows)); err != nil {
			return Line{}, err
		}
	}
	s := session(func(context.Context) error {
		other := session(nil)
		defer other.Close()
		_, err := run(other, "UPDATE t SET v = -1 WHERE id = 7")
		return err
	})
	defer s.Close()
	r, err := run(s, fmt.Sprintf("MERGE INTO t USING (SELECT id * %d AS id, 1 AS v, 'new' AS name FROM range(%d)) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT *",
		repairRows/100, repairFiles*100))
	if err != nil {
		return Line{}, err
	}
	if len(r.Commit.Winners) != 1 || r.Commit.Winners[0].Verdict != "repair" {
		return Line{}, fmt.Errorf("%+v: %w", r.Commit.Winners, errWrong)
	}
	return Line{Extra: map[string]float64{"repair_s": r.Commit.Winners[0].Elapsed.Seconds(), "files_computed": float64(r.Commit.Winners[0].Computed)}}, nil
}
