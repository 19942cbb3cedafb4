package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/sluicelake/sluice"
)

// inGoroutines runs each writer on a handle of its own; none publishes before
// all are prepared.
func (d *demoRun) inGoroutines(ctx context.Context) ([]outcome, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	outcomes := make([]outcome, len(d.people))
	errs := make([]error, len(d.people))
	var all, prepared sync.WaitGroup
	prepared.Add(len(d.people))
	ready := make(chan struct{})
	go func() { prepared.Wait(); close(ready) }()
	for i, p := range d.people {
		all.Go(func() {
			var once sync.Once
			arrive := func() { once.Do(prepared.Done) }
			defer arrive() // a writer that failed holds nobody up
			o := &outcomes[i]
			o.writer = p
			errs[i] = d.goroutine(ctx, p, o, arrive, ready)
			if errs[i] != nil {
				cancel()
			}
		})
	}
	all.Wait()
	return outcomes, errors.Join(errs...)
}

func (d *demoRun) goroutine(ctx context.Context, p population, o *outcome, arrive func(), ready <-chan struct{}) error {
	opts, err := d.a.tableOptions(ctx, d.table)
	if err != nil {
		return err
	}
	t, err := sluice.Open(ctx, d.table, opts...)
	if err != nil {
		return err
	}
	defer t.Close()
	b, err := d.builder(ctx, t, p)
	if err != nil {
		return err
	}
	res, err := b.With(sluice.CommitOptions{BeforePublish: func(ctx context.Context) error {
		o.prepared = time.Since(d.began)
		arrive()
		select {
		case <-ready:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}).Exec(ctx)
	if err != nil {
		return fmt.Errorf("writer %s: %w", p.country, err)
	}
	o.ended = res.Commit.Timestamp.Sub(d.began)
	o.result = demoResult{Timestamp: res.Commit.Timestamp, Version: res.Commit.Version, Attempts: res.Commit.Attempts, Inserted: res.Inserted, Updated: res.Updated, Deleted: res.Deleted}
	for _, w := range res.Commit.Winners {
		o.result.Winners = append(o.result.Winners, demoWinner{w.Version, w.Operation, w.Verdict, w.Dropped, w.Computed, w.Rows, ms(w.Elapsed), w.SparkClass})
	}
	return nil
}

// inProcesses runs each writer as a process of this program, held before it
// publishes until all are prepared.
func (d *demoRun) inProcesses(ctx context.Context) ([]outcome, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("--processes: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	holds, err := os.MkdirTemp(d.dir, "hold-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(holds)
	outcomes := make([]outcome, len(d.people))
	errs := make([]error, len(d.people))
	var all sync.WaitGroup
	ended := make(chan int, len(d.people))
	for i, p := range d.people {
		outcomes[i].writer = p
		all.Go(func() {
			errs[i] = d.process(ctx, self, filepath.Join(holds, fmt.Sprint(i)), p, &outcomes[i])
			ended <- i
		})
	}
	if err := d.release(ctx, holds, outcomes, ended); err != nil {
		cancel()
		all.Wait()
		return nil, errors.Join(append(errs, err)...)
	}
	all.Wait()
	return outcomes, errors.Join(errs...)
}

// release waits until every process is ready and lets them all go.
func (d *demoRun) release(ctx context.Context, holds string, outcomes []outcome, ended <-chan int) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for waiting := len(outcomes); waiting > 0; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case i := <-ended:
			return fmt.Errorf("writer %s ended before it was ready", outcomes[i].writer.country)
		case <-tick.C:
		}
		waiting = 0
		for i := range outcomes {
			if outcomes[i].prepared > 0 {
				continue
			}
			if _, err := os.Stat(filepath.Join(holds, fmt.Sprint(i)) + ".ready"); err == nil {
				outcomes[i].prepared = time.Since(d.began)
			} else {
				waiting++
			}
		}
	}
	for i := range outcomes {
		if err := os.WriteFile(filepath.Join(holds, fmt.Sprint(i))+".go", nil, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (d *demoRun) process(ctx context.Context, self, prefix string, p population, o *outcome) error {
	on, clauses := d.statement(p)
	args := []string{"merge", d.table, "--source", p.file, "--source-format", "json", "--source-schema", demoSchema, "--on", on, "--hold", prefix, "--json", "--quiet"}
	flag := map[sluice.ClauseKind]string{sluice.Matched: "--when-matched", sluice.NotMatched: "--when-not-matched", sluice.NotMatchedBySource: "--when-not-matched-by-source"}
	for _, c := range clauses {
		args = append(args, flag[c.kind], c.text)
	}
	for _, o := range d.a.options {
		args = append(args, "--option", o)
	}
	cmd := exec.CommandContext(ctx, self, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("writer %s: %w: %s", p.country, err, bytes.TrimSpace(errs.Bytes()))
	}
	if err := json.Unmarshal(out.Bytes(), &o.result); err != nil {
		return fmt.Errorf("writer %s: reading its result: %w", p.country, err)
	}
	o.ended = max(o.prepared, o.result.Timestamp.Sub(d.began))
	return nil
}
