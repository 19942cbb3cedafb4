package changes_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/changes"
	"github.com/sluicelake/sluice/storage/tracestore"
)

func parsed(t *testing.T, text string) expr.Expr {
	t.Helper()
	e, err := expr.Parse(text)
	must(t, err)
	return e
}

func millis(n int64) time.Time { return time.UnixMilli(n) }

// stamps are the distinct _commit_timestamp of a version.
func stamps(t *testing.T, k *tablekit.Kit, version int64) (out []int64) {
	t.Helper()
	p, err := changes.NewPlan(t.Context(), k.Env, newest(t, k), changes.Spec{From: snapshot.Version(version), To: snapshot.Version(version), Columns: []string{"_commit_timestamp"}})
	must(t, err)
	for b, err := range p.Rows(t.Context()) {
		must(t, err)
		for i := range int(b.Record.NumRows()) {
			out = append(out, columns.Value(b.Record.Column(0), i).(int64))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Files are read ahead by many, and come in the order of the feed all the same;
// leaving at any batch ends the reading.
func TestOrderIsThatOfTheFeed(t *testing.T) {
	e := env.New()
	e.Workers = 8
	files := make([][]string, 40)
	for i := range files {
		for r := range 1 + i%5*50 {
			files[i] = append(files[i], fmt.Sprintf(`{"k":%d}`, 1000*i+r))
		}
	}
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT", Properties: recording, Files: files, Env: e})
	want := feed(t, k, 0, 40)
	var all []string
	for i := range files {
		for _, row := range files[i] {
			all = append(all, fmt.Sprintf("%d insert %s", i+1, row))
		}
	}
	same(t, "the feed", want, all...)
	p, err := changes.NewPlan(t.Context(), e, newest(t, k), changes.Spec{From: snapshot.Version(0)})
	must(t, err)
	for stop := range 5 {
		n := 0
		for _, err := range p.Rows(t.Context()) {
			must(t, err)
			if n++; n > 9*stop {
				break
			}
		}
	}
}

// Files that cannot hold a row that is wanted are not opened.
func TestConditionsSkipFiles(t *testing.T) {
	trace := tracestore.New(tablekit.Place(), tracestore.AsFar())
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT, p INT", PartitionBy: []string{"p"}, Properties: with("delta.enableDeletionVectors", "false"), Driver: trace,
		Files: [][]string{{`{"k":1,"p":1}`}, {`{"k":2,"p":2}`}, {`{"k":3,"p":1}`}}})
	must(t, statement(t.Context(), k, "DELETE FROM target WHERE p = 2"))
	for _, c := range []struct {
		where string
		files int
		rows  int
	}{
		{"true", 4, 4}, {"p = 1", 2, 2}, {"k = 3", 2, 1}, {"_change_type = 'delete'", 1, 1}, {"_commit_version = 2 AND k > 0", 1, 1},
		{"_commit_version > 2 AND _change_type = 'insert'", 1, 1}, {"_commit_timestamp IS NULL", 0, 0}, {"k = 3 OR _change_type = 'delete'", 4, 2},
	} {
		s := newest(t, k)
		before := opened(trace)
		p, err := changes.NewPlan(t.Context(), k.Env, s, changes.Spec{From: snapshot.Version(0), Where: parsed(t, c.where)})
		must(t, err)
		rows := int64(0)
		for b, err := range p.Rows(t.Context()) {
			must(t, err)
			rows += b.Record.NumRows()
		}
		if files := opened(trace) - before; files > c.files || rows != int64(c.rows) {
			t.Errorf("%s: %d files and %d rows, want at most %d and %d", c.where, files, rows, c.files, c.rows)
		}
	}
}

// opened counts the requests for data files.
func opened(s *tracestore.Store) (n int) {
	for line := range strings.Lines(s.Dump()) {
		if strings.Contains(line, ".parquet") && !strings.Contains(line, "_delta_log") {
			n++
		}
	}
	return n
}

// Whatever stands in a cursor, it is refused or leads somewhere.
func FuzzCursor(f *testing.F) {
	k, err := tablekit.Make(f.Context(), tablekit.Spec{DDL: "k INT", Properties: recording, Files: [][]string{{`{"k":1}`, `{"k":2}`}}})
	if err != nil {
		f.Fatal(err)
	}
	s, err := k.Snapshot(f.Context(), snapshot.Latest())
	if err != nil {
		f.Fatal(err)
	}
	id := s.Metadata().ID
	for _, c := range []string{"", "c1:0:0:0:", "c1:1:0:1:", "c1:1:9:0:", "c1:2:0:0:", "c1:-1:0:0:", "c1:1:0:9223372036854775807:", "c2:0:0:0:", "c1:01:0:0:", "c1:1:4294967296:0:"} {
		f.Add(c + id)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := changes.NewPlan(t.Context(), k.Env, s, changes.Spec{After: changes.Cursor(text)})
		if err != nil {
			return
		}
		for b, err := range p.Rows(t.Context()) {
			if err == nil && b.Cursor == "" {
				t.Error("a batch without a cursor")
			}
		}
	})
}
