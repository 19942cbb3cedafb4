package optimize

import (
	"fmt"
	"slices"
	"testing"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/rows/write"
	"github.com/sluicelake/sluice/internal/verbs/dml"
	"github.com/sluicelake/sluice/internal/verbs/merge"
)

// TestSpliceAroundMisfits: files that cannot be copied are written again, in their
// place between the others, and where each row went is known all the same.
func TestSpliceAroundMisfits(t *testing.T) {
	const rows = leastGroupRows + 100
	var files [][]string
	for f := range 8 {
		var text []string
		for i := range rows {
			k := f*rows + i
			text = append(text, fmt.Sprintf(`{"k":%d,"v":"v%d"}`, k, k%11))
		}
		files = append(files, text)
	}
	for name, c := range map[string]struct {
		deletions []int // files with deleted rows
		spliced   bool
	}{"all fit": {nil, true}, "one in the middle": {[]int{3}, true}, "two, one of them last": {[]int{2, 7}, true}, "first": {[]int{0}, true}, "too many": {[]int{0, 2, 4, 6}, false}} {
		t.Run(name, func(t *testing.T) {
			k := tablekit.New(t, tablekit.Spec{DDL: "k INT, v STRING", Files: files})
			for _, f := range c.deletions {
				where, err := expr.Parse(fmt.Sprintf("k >= %d AND k < %d AND k %% 7 = 0", f*rows, (f+1)*rows))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := dml.Delete(t.Context(), k.Log, where, merge.Options{}); err != nil {
					t.Fatal(err)
				}
			}
			before := k.Rows(t)
			s, err := k.Log.Update(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			p, err := NewPlan(Spec{}, s, expr.Options{}, nil)
			if err != nil || len(p.Bins) != 1 {
				t.Fatalf("%d bins, %v", len(p.Bins), err)
			}
			var told int64
			m := newMover(k.Env, s, p.Spec.TargetSize, func(n int64) { told += n })
			j := &job{bin: p.Bins[0]}
			for _, a := range j.bin.Files {
				in := &input{file: a}
				if a.DeletionVector != nil {
					if in.dead, err = m.src.Vector(t.Context(), a, a.DeletionVector); err != nil {
						t.Fatal(err)
					}
				}
				j.inputs = append(j.inputs, in)
			}
			ok, err := m.splice(t.Context(), j)
			if err != nil || ok != c.spliced {
				t.Fatalf("spliced: %v, %v", ok, err)
			}
			if !ok {
				if told != 0 {
					t.Errorf("%d bytes were told, and nothing was done", told)
				}
				return
			}
			if told != j.bin.Bytes {
				t.Errorf("%d of %d bytes were told", told, j.bin.Bytes)
			}
			check(t, k, j, before)
			write.Discard(t.Context(), k.Bucket, j.files()...)
		})
	}
}

// check reads the one output of a job, and finds the rows of each input in it.
func check(t *testing.T, k *tablekit.Kit, j *job, want []string) {
	t.Helper()
	s, err := k.Log.Update(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	read := func(a *action.Add) []string {
		list, err := tablekit.FileRows(t.Context(), s, a)
		if err != nil {
			t.Fatal(err)
		}
		out := make([]string, len(list))
		for i, r := range list {
			out[i] = r.Text
		}
		return out
	}
	out := read(j.outputs[0].file.Add)
	for _, in := range j.inputs {
		rows := read(in.file)
		for _, r := range in.runs {
			if !slices.Equal(rows[r.first:r.first+r.rows], out[r.at:r.at+r.rows]) {
				t.Fatalf("%s: its rows from %d on are not at %d", in.file.Path, r.first, r.at)
			}
		}
		if in.live() != int64(len(rows)) {
			t.Errorf("%d of %d rows have a place", in.live(), len(rows))
		}
	}
	got := slices.Sorted(slices.Values(out))
	if !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("%d rows, %d before", len(got), len(want))
	}
}
