package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice"
)

// contentionWorkloads are the contests. Nobody retries a statement in sluice; in
// deltalake its users do, up to ten times.
var contentionWorkloads = []workload{
	contestOf("merge-8x20", "8 writers x 20 single-row MERGEs with keys of their own on one unpartitioned table, goroutines",
		contest{Roles: []entry{{"merge", 8, 20}}, inside: true}),
	contestOf("merge-8x20-processes", "the same by processes", contest{Roles: []entry{{"merge", 8, 20}}}),
	contestOf("append-4x50", "4 writers x 50 single-row appends by processes", contest{Roles: []entry{{"append", 4, 50}}}),
	contestOf("merge-against-appends", "5 MERGEs of 1,000 rows into 200,000 in ten files, while 2 processes append single rows all the time",
		contest{Files: 10, Rows: 20_000, Roles: []entry{{"bulk", 1, 5}, {"append", 2, 0}}}),
	contestOf("optimize-against-updates", "5 times ten new files and an OPTIMIZE, while 2 processes update single rows all the time",
		contest{Files: 10, Rows: 20_000, Roles: []entry{{"optimize", 1, 5}, {"update", 2, 0}}}),
	contestOf("append-8-goroutines", "8 x 200 one-row appends by goroutines", contest{Roles: []entry{{"append", 8, 200}}, inside: true}),
	contestOf("append-8-processes", "8 x 200 one-row appends by processes", contest{Roles: []entry{{"append", 8, 200}}, alone: true}),
	contestOf("append-1-process", "200 one-row appends by one process", contest{Roles: []entry{{"append", 1, 200}}, alone: true}),
}

func contestOf(name, what string, c contest) workload {
	w := workload{name: name, what: what + ", durable", prepare: prepareDir, fresh: c.fresh, run: c.run, slow: true}
	if !c.inside && !c.alone {
		w.peer = "contest"
	}
	return w
}

// makeTable makes the table of a contest, whose rows have done nothing yet.
func (c contest) makeTable(ctx context.Context, url string) error {
	t, err := sluice.Create(ctx, url, rowSchema, sluice.CreateOptions{})
	if err != nil {
		return err
	}
	for i := range c.Files {
		if _, err := t.Append(ctx, someRows(int64(i*c.Rows), c.Rows, 1, 0), sluice.AppendOptions{}); err != nil {
			return err
		}
	}
	return t.Close()
}

// statement is the n-th statement of a writer. It counts what it did.
type statement func(ctx context.Context, t *sluice.Table, w writer, n int, done *tally) error

const bulkRows, newFiles, newRows = 1_000, 10, 1_000

// roles are what writers do; peer.py has the same.
var roles = map[string]statement{
	"append": func(ctx context.Context, t *sluice.Table, w writer, n int, done *tally) error {
		res, err := t.Append(ctx, someRows(w.own(n), 1, 1, 1), sluice.AppendOptions{})
		if err != nil {
			return err
		}
		done.commit(res.Commit)
		done.Inserted, done.Effects = done.Inserted+1, done.Effects+1
		return nil
	},
	"merge": func(ctx context.Context, t *sluice.Table, w writer, n int, done *tally) error {
		return mergeRows(ctx, t, someRows(w.own(n%5), 1, 1, 1), done) // each key is merged several times
	},
	"bulk": func(ctx context.Context, t *sluice.Table, w writer, n int, done *tally) error {
		return mergeRows(ctx, t, someRows(int64(n), bulkRows, w.rows/bulkRows, 1), done)
	},
	"update": func(ctx context.Context, t *sluice.Table, w writer, n int, done *tally) error {
		id := (int64(n)*7919 + int64(w.number)) % w.rows
		res, err := t.Update(ctx, map[string]string{"at": "at + 1"}, sluice.UpdateOptions{Where: fmt.Sprint("id = ", id)})
		if err != nil {
			return err
		}
		done.commit(res.Commit)
		done.Effects += res.Rows
		return nil
	},
	"optimize": func(ctx context.Context, t *sluice.Table, w writer, n int, done *tally) error {
		for i := range newFiles {
			res, err := t.Append(ctx, someRows(w.own((n*newFiles+i)*newRows), newRows, 1, 0), sluice.AppendOptions{})
			if err != nil {
				return err
			}
			done.commit(res.Commit)
			done.Inserted += newRows
		}
		res, err := t.Optimize(ctx, sluice.OptimizeOptions{})
		if err != nil {
			return err
		}
		for _, c := range res.Commits {
			done.commit(c)
		}
		return nil
	},
}

func mergeRows(ctx context.Context, t *sluice.Table, src sluice.Source, done *tally) error {
	res, err := t.Merge(src, "t.id = s.id").WhenMatched().Update(map[string]string{"at": "t.at + s.at"}).WhenNotMatched().InsertAll().Exec(ctx)
	if err != nil {
		return err
	}
	done.commit(res.Commit)
	done.Inserted, done.Effects = done.Inserted+res.Inserted, done.Effects+res.Inserted+res.Updated
	return nil
}

// own is a key that only this writer inserts.
func (w writer) own(n int) int64 { return int64(w.number)*1_000_000 + int64(n) }

// work opens the table, says that it is ready, waits, and runs the statements.
func (w writer) work(ctx context.Context, ready func(), wait func() error) (done tally, err error) {
	t, b, err := open(ctx, w.table, true)
	ready()
	if err != nil {
		return done, err
	}
	if err := wait(); err != nil {
		return done, err
	}
	for n := 0; w.each == 0 || n < w.each; n++ {
		if _, err := os.Stat(w.stop); w.each == 0 && !errors.Is(err, fs.ErrNotExist) {
			break
		}
		done.Statements++
		if err := roles[w.role](ctx, t, w, n, &done); err != nil {
			done.Failed++
			fmt.Fprintf(os.Stderr, "bench: writer %d: %s: %v\n", w.number, w.role, err)
		}
	}
	if err := t.Close(); err != nil {
		return done, err
	}
	line := counted(Line{}, b)
	s := b.Stats()
	done.Requests, done.Read, done.Written = line.Requests, s.BytesRead, s.BytesWritten
	return done, nil
}

// wrong is how many rows the table has too many or too few, and how many effects.
func (c contest) wrong(ctx context.Context, table string, done tally) (int64, error) {
	t, err := sluice.Open(ctx, table)
	if err != nil {
		return 0, err
	}
	defer t.Close()
	s, err := t.Snapshot(ctx)
	if err != nil {
		return 0, err
	}
	rows, effects := int64(0), 0.0
	for b, err := range s.Scan(sluice.ScanOptions{Columns: []string{"at"}}).Batches(ctx) {
		if err != nil {
			return 0, err
		}
		rows += b.NumRows()
		for _, at := range b.Column(0).(*array.Float64).Float64Values() {
			effects += at
		}
	}
	off := func(n int64) int64 { return max(n, -n) }
	return off(rows-int64(c.Files*c.Rows)-done.Inserted) + off(int64(effects)-done.Effects), nil
}
