package main

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/types"
)

// runMerges lets writers, each with a handle of its own, merge single rows with
// keys of their own into one unpartitioned table. Nobody retries.
func runMerges(writers, each int) func(ctx context.Context, place string) (Line, error) {
	return func(ctx context.Context, place string) (Line, error) {
		schema, err := types.ParseDDL(appendDDL)
		if err != nil {
			return Line{}, err
		}
		table := filepath.Join(place, "merges")
		t, err := sluice.Create(ctx, table, schema, sluice.CreateOptions{})
		if err != nil {
			return Line{}, err
		}
		defer t.Close()
		line := Line{Extra: map[string]float64{}}
		var (
			wg sync.WaitGroup
			mu sync.Mutex
		)
		errs := make([]error, writers)
		start := time.Now()
		for w := range writers {
			wg.Go(func() {
				own, b, err := open(ctx, table, true)
				if err != nil {
					errs[w] = err
					return
				}
				defer own.Close()
				for i := range each {
					src, err := oneRow(schema, w, i%5) // each key is merged several times
					if err != nil {
						errs[w] = err
						return
					}
					res, err := own.Merge(src, "t.id = s.id").WhenMatched().UpdateAll().WhenNotMatched().InsertAll().Exec(ctx)
					if err != nil {
						errs[w] = err
						return
					}
					mu.Lock()
					line.Extra["winners_met"] += float64(len(res.Commit.Winners))
					for _, won := range res.Commit.Winners {
						if won.Verdict == "repair" {
							line.Extra["repairs"]++
						}
					}
					mu.Unlock()
				}
				mu.Lock()
				one := counted(Line{}, b)
				line.Requests, line.ReadMB, line.WriteMB = line.Requests+one.Requests, line.ReadMB+one.ReadMB, line.WriteMB+one.WriteMB
				mu.Unlock()
			})
		}
		wg.Wait()
		line.WallS = time.Since(start).Seconds()
		for _, err := range errs {
			if err != nil {
				return line, err
			}
		}
		s, err := t.Snapshot(ctx)
		if err != nil {
			return line, err
		}
		n, err := s.Scan(sluice.ScanOptions{}).Count(ctx)
		if err != nil {
			return line, err
		}
		if n != int64(writers*min(each, 5)) || s.Version() != int64(writers*each) {
			return line, fmt.Errorf("%d rows at version %d: %w", n, s.Version(), errWrong)
		}
		line.Extra["merges_per_s"] = float64(writers*each) / line.WallS
		return line, nil
	}
}
