package rewrite_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/rows/rewrite"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/rows/write"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// bench is a table of one file with the rows 0..5 and a ledger on it.
type bench struct {
	t    *testing.T
	kit  *tablekit.Kit
	snap *snapshot.Snapshot
	file *action.Add
	*rewrite.Ledger
}

func newBench(t *testing.T, marks bool, sources int) *bench {
	t.Helper()
	var rows []string
	for i := range 6 {
		rows = append(rows, fmt.Sprintf(`{"k":%d}`, i))
	}
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT", Files: [][]string{rows}})
	s, err := k.Snapshot(t.Context(), snapshot.Latest())
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t, k, s, s.Files().Add(0), rewrite.New(rewrite.Config{Env: env.New(), Bucket: k.Bucket, Source: scan.SourceOf(s),
		Spec: write.SpecOf(s), Marks: marks, SourceRows: sources})}
}

// put writes rows to a file of the ledger.
func (b *bench) put(rows ...int) *rewrite.Output {
	b.t.Helper()
	text := make([]string, len(rows))
	for i, r := range rows {
		text[i] = fmt.Sprintf(`{"k":%d}`, r)
	}
	batch, err := tablekit.Batch(b.kit.Schema, text...)
	if err != nil {
		b.t.Fatal(err)
	}
	w, err := write.New(b.t.Context(), b.kit.Env, b.kit.Bucket, write.SpecOf(b.snap))
	if err != nil {
		b.t.Fatal(err)
	}
	places, err := w.Write(batch.Columns(), len(rows))
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := w.Close(); err != nil {
		b.t.Fatal(err)
	}
	return b.Output(places[0].File)
}

// result applies the ledger's actions to the snapshot and reads the rows.
func (b *bench) result() []string {
	b.t.Helper()
	acts, _, err := b.Actions(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	if len(acts) == 0 {
		rows, err := tablekit.Rows(b.t.Context(), b.snap)
		if err != nil {
			b.t.Fatal(err)
		}
		return rows
	}
	if err := tablekit.Publish(b.t.Context(), b.kit.Bucket, b.snap.Version()+1, "TEST", acts...); err != nil {
		b.t.Fatal(err)
	}
	return b.kit.Rows(b.t)
}

func keys(rows []string) string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = strings.TrimSuffix(strings.TrimPrefix(r, `{"k":`), "}")
	}
	return strings.Join(out, " ")
}

// enter records: row 1 updated to 11, row 2 deleted, row 4 matched and left.
func (b *bench) enter() *rewrite.Effect {
	marks := b.Marks()
	e := &rewrite.Effect{File: b.file, Physical: 6, Rewritten: !marks, Pairs: []rewrite.Pair{{Pos: 1, Src: 0}, {Pos: 2, Src: 1}, {Pos: 4, Src: 2}}}
	if marks {
		o := b.put(11)
		e.Rows = []rewrite.Row{{Pos: 1, Output: o, At: 0}, {Pos: 2}}
	} else {
		o := b.put(0, 11, 3, 4, 5)
		e.Rows = []rewrite.Row{{Pos: 1, Output: o, At: 1}, {Pos: 2}}
		e.Copied = []rewrite.Run{{Output: o, From: 0, Rows: 1}, {Output: o, From: 2, Rows: 3}}
	}
	b.Enter(e)
	return e
}

func TestSettle(t *testing.T) {
	for _, marks := range []bool{true, false} {
		b := newBench(t, marks, 3)
		b.enter()
		if got := keys(b.result()); got != "0 11 3 4 5" {
			t.Errorf("marks %t: %s", marks, got)
		}
	}
}

// TestDrop takes everything back: nothing is left to commit.
func TestDrop(t *testing.T) {
	for _, marks := range []bool{true, false} {
		b := newBench(t, marks, 3)
		e := b.enter()
		if missing, taken := b.Unmatched(); len(missing) != 0 || taken != 0 {
			t.Errorf("all sources match, and %v are missing", missing)
		}
		if n := b.Drop(e.ID()); n != 2 {
			t.Errorf("%d rows changed fate", n)
		}
		if missing, _ := b.Unmatched(); len(missing) != 3 {
			t.Errorf("no source matches now, and %v are missing", missing)
		}
		if acts, _, err := b.Actions(t.Context()); err != nil || len(acts) != 0 {
			t.Errorf("marks %t: %d actions %v", marks, len(acts), err)
		}
		if b.Drop(e.ID()) != 0 {
			t.Error("an effect was dropped twice")
		}
		b.Discard(t.Context(), true)
		if files := b.kit.DataFiles(t); len(files) != 1 {
			t.Errorf("left behind: %v", files)
		}
	}
}

// TestRemark: a winner deletes rows 1 and 5 of the file.
func TestRemark(t *testing.T) {
	b := newBench(t, true, 3)
	e := b.enter()
	acts, err := tablekit.Mark(t.Context(), b.snap, b.file, 1, 5)
	if err != nil {
		t.Fatal(err)
	}
	if err := tablekit.Publish(t.Context(), b.kit.Bucket, b.snap.Version()+1, "DELETE", acts...); err != nil {
		t.Fatal(err)
	}
	after := acts[1].(*action.Add)
	if rows, ok, err := b.Remark(t.Context(), e.ID(), after); rows != 1 || !ok || err != nil {
		t.Fatalf("%d %t %v", rows, ok, err)
	}
	if _, there := b.Files()[conflict.IDOf(after)]; !there || len(b.Files()) != 1 {
		t.Errorf("the effect is entered under %v", b.Files())
	}
	if missing, _ := b.Unmatched(); !slices.Equal(missing, []int32{0}) {
		t.Errorf("source rows without a match: %v", missing)
	}
	if b.snap, err = b.kit.Snapshot(t.Context(), snapshot.Latest()); err != nil {
		t.Fatal(err)
	}
	if got := keys(b.result()); got != "0 3 4" { // 11 went with row 1
		t.Errorf("rows %s", got)
	}
}

// TestRemarkRefuses what has to be computed anew: copies, and rows that came back.
func TestRemarkRefuses(t *testing.T) {
	b := newBench(t, false, 3)
	e := b.enter()
	acts, err := tablekit.Mark(t.Context(), b.snap, b.file, 5)
	if err != nil {
		t.Fatal(err)
	}
	marked := acts[1].(*action.Add)
	if _, ok, err := b.Remark(t.Context(), e.ID(), marked); ok || err != nil {
		t.Errorf("a rewritten file: %t %v", ok, err)
	}
	b = newBench(t, true, 3)
	acts, err = tablekit.Mark(t.Context(), b.snap, b.file, 5)
	if err != nil {
		t.Fatal(err)
	}
	plain := b.file
	b.file = acts[1].(*action.Add)
	e = b.enter()
	if _, ok, err := b.Remark(t.Context(), e.ID(), plain); ok || err != nil {
		t.Errorf("rows that came back: %t %v", ok, err)
	}
	if _, ok, err := b.Remark(t.Context(), conflict.FileID{Path: "unknown"}, plain); !ok || err != nil {
		t.Errorf("an image without effect: %t %v", ok, err)
	}
}

// TestInsertsFlip: a source row gains a match and loses it again.
func TestInsertsFlip(t *testing.T) {
	for _, marks := range []bool{true, false} {
		b := newBench(t, marks, 2)
		missing, _ := b.Unmatched()
		if len(missing) != 2 {
			t.Fatal(missing)
		}
		o := b.put(100, 101)
		b.Inserted(0, o, 0)
		b.Inserted(1, o, 1)
		if n := b.Inserts(); n != 2 {
			t.Errorf("%d inserts", n)
		}
		if acts, _, err := b.Actions(t.Context()); err != nil || len(acts) != 1 {
			t.Fatalf("%d actions %v", len(acts), err)
		}
		match := &rewrite.Effect{File: b.file, Physical: 6, Pairs: []rewrite.Pair{{Pos: 0, Src: 1}}}
		b.Enter(match)
		if missing, taken := b.Unmatched(); len(missing) != 0 || taken != 1 || b.Inserts() != 1 {
			t.Errorf("missing %v, taken back %d", missing, taken)
		}
		b.Enter(match) // the image again: its matches count once
		b.Drop(match.ID())
		if missing, _ := b.Unmatched(); !slices.Equal(missing, []int32{1}) {
			t.Errorf("missing %v", missing)
		}
		b.Inserted(1, nil, 0) // no clause takes it this time
		if got := keys(b.result()); got != "0 100 1 2 3 4 5" {
			t.Errorf("marks %t: %s", marks, got)
		}
		b.Discard(t.Context(), true)
		s, err := b.kit.Snapshot(t.Context(), snapshot.Latest())
		if err != nil {
			t.Fatal(err)
		}
		if files, want := b.kit.DataFiles(t), tablekit.Referenced(s); len(files) != len(want) {
			t.Errorf("marks %t: %v are stored, %v are needed", marks, files, want)
		}
	}
}

// TestWholeFile is deleted without being read.
func TestWholeFile(t *testing.T) {
	b := newBench(t, true, 0)
	e := &rewrite.Effect{File: b.file, Whole: true, Live: 6, Physical: 6}
	b.Enter(e)
	acts, err := tablekit.Mark(t.Context(), b.snap, b.file, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if rows, ok, err := b.Remark(t.Context(), e.ID(), acts[1].(*action.Add)); rows != 2 || !ok || err != nil {
		t.Errorf("%d %t %v", rows, ok, err)
	}
	if e.Changed() != 4 {
		t.Errorf("%d rows are deleted", e.Changed())
	}
	out, sum, err := b.Actions(t.Context())
	if err != nil || len(out) != 1 || sum.FilesRemoved != 1 || out[0].(*action.Remove).DeletionVector == nil {
		t.Errorf("%v %+v %v", out, sum, err)
	}
}

// TestLastRowMarked: a file without live rows is removed, not marked.
func TestLastRowMarked(t *testing.T) {
	b := newBench(t, true, 0)
	e := &rewrite.Effect{File: b.file, Physical: 6}
	for i := range int64(6) {
		e.Rows = append(e.Rows, rewrite.Row{Pos: i})
	}
	b.Enter(e)
	acts, sum, err := b.Actions(t.Context())
	if err != nil || len(acts) != 1 || sum.FilesRemoved != 1 || sum.VectorsAdded != 0 {
		t.Errorf("%d actions %+v %v", len(acts), sum, err)
	}
}
