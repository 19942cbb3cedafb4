package changes_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/changes"
	"github.com/sluicelake/sluice/internal/verbs/dml"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/types"
)

// change is one row of the feed.
type change struct {
	kind    string
	version int64
	row     string // the table's columns
}

// read reads a feed; it stops after a number of batches (negative: never).
func read(ctx context.Context, k *tablekit.Kit, spec changes.Spec, batches int) (out []change, last changes.Cursor, err error) {
	s, err := k.Snapshot(ctx, snapshot.Latest())
	if err != nil {
		return nil, "", err
	}
	p, err := changes.NewPlan(ctx, k.Env, s, spec)
	if err != nil {
		return nil, "", err
	}
	n := len(p.Schema().Fields) - 3
	for b, err := range p.Rows(ctx) {
		if err != nil {
			return out, last, err
		}
		for i := range int(b.Record.NumRows()) {
			cols := b.Record.Columns()
			out = append(out, change{columns.Value(cols[n], i).(string), columns.Value(cols[n+1], i).(int64),
				string(columns.AppendCanonicalRow(nil, cols[:n], types.NewStruct(p.Schema().Fields[:n]...), i))})
		}
		last = b.Cursor
		if batches--; batches == 0 {
			break
		}
	}
	return out, last, nil
}

// apply does to rows what the changes say.
func apply(rows []string, list []change) ([]string, error) {
	rows = slices.Clone(rows)
	for _, c := range list {
		if c.kind == "insert" || c.kind == "update_postimage" {
			rows = append(rows, c.row)
		}
	}
	for _, c := range list {
		if c.kind == "delete" || c.kind == "update_preimage" {
			i := slices.Index(rows, c.row)
			if i < 0 {
				return nil, fmt.Errorf("version %d: %s of a row that is not there: %s", c.version, c.kind, c.row)
			}
			rows = slices.Delete(rows, i, i+1)
		}
	}
	slices.Sort(rows)
	return rows, nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func statement(ctx context.Context, k *tablekit.Kit, text string, source ...string) error {
	var err error
	switch word, _, _ := strings.Cut(text, " "); word {
	case "UPDATE":
		s, perr := parse.UpdateStatement(text)
		if perr != nil {
			return perr
		}
		_, err = dml.Run(ctx, k.Log, s.Spec, merge.Options{})
	case "DELETE":
		s, perr := parse.DeleteStatement(text)
		if perr != nil {
			return perr
		}
		_, err = dml.Run(ctx, k.Log, s.Spec, merge.Options{})
	case "MERGE":
		m, perr := parse.MergeStatement(text)
		if perr != nil {
			return perr
		}
		src, perr := tablekit.Table(k.Schema, source...)
		if perr != nil {
			return perr
		}
		_, err = merge.Run(ctx, k.Log, m.Spec, src, merge.Options{})
	default:
		return k.Append(ctx, append([]string{text}, source...)...)
	}
	return err
}

// The changes from one version to another, applied to the rows of the one, give
// the rows of the other; a feed that is left after any batch goes on with exactly
// what is missing.
func TestChangesLeadFromVersionToVersion(t *testing.T) {
	for seed := range uint64(24) {
		r := rand.New(rand.NewPCG(seed, 7))
		props := map[string]string{"delta.enableChangeDataFeed": "true", "delta.enableDeletionVectors": fmt.Sprint(r.IntN(3) > 0)}
		if r.IntN(3) == 0 {
			props["delta.columnMapping.mode"] = []string{"name", "id"}[r.IntN(2)]
		}
		if r.IntN(3) == 0 {
			props["delta.enableRowTracking"] = "true"
		}
		spec := tablekit.Spec{DDL: "k INT, v STRING, p INT", Properties: props}
		if r.IntN(2) == 0 {
			spec.PartitionBy = []string{"p"}
		}
		k := tablekit.New(t, spec)
		ctx := t.Context()
		row := func() string { return fmt.Sprintf(`{"k":%d,"v":"%c","p":%d}`, r.IntN(6), 'a'+r.IntN(3), r.IntN(2)) }
		var texts []string
		for range 3 + r.IntN(8) {
			text, source := row(), []string{row(), row(), row(), row()}
			switch r.IntN(6) {
			case 0:
				text, source = fmt.Sprintf("UPDATE target SET v = v || '!', p = 1 - p WHERE k %% 3 = %d", r.IntN(3)), nil
			case 1:
				text, source = fmt.Sprintf("DELETE FROM target WHERE k = %d", r.IntN(6)), nil
			case 2:
				text, source = fmt.Sprintf("DELETE FROM target WHERE p = %d", r.IntN(2)), nil
			case 3:
				text = "MERGE INTO target t USING source s ON t.k = s.k AND s.v = 'a' WHEN MATCHED AND t.p = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET v = 'm' WHEN NOT MATCHED THEN INSERT *"
				source = []string{fmt.Sprintf(`{"k":%d,"v":"a","p":0}`, r.IntN(6)), `{"k":77,"v":"b","p":1}`}
			}
			texts = append(texts, text)
			must(t, statement(ctx, k, text, source...))
		}
		newest, err := k.Snapshot(ctx, snapshot.Latest())
		must(t, err)
		states := make([][]string, newest.Version()+1)
		for v := range states {
			s, err := k.Snapshot(ctx, snapshot.Version(int64(v)))
			must(t, err)
			states[v], err = tablekit.Rows(ctx, s)
			must(t, err)
		}
		about := fmt.Sprintf("seed %d, %v, %v", seed, props, texts)
		for from := int64(1); from <= newest.Version(); from++ {
			to := from + r.Int64N(newest.Version()-from+1)
			list, _, err := read(ctx, k, changes.Spec{From: snapshot.Version(from), To: snapshot.Version(to)}, -1)
			if err != nil {
				t.Fatalf("%s: changes %d to %d: %v", about, from, to, err)
			}
			state := states[from-1]
			for v := from; v <= to; v++ { // one version at a time: a row may come and go
				var one []change
				for _, c := range list {
					if c.version == v {
						one = append(one, c)
					}
				}
				if state, err = apply(state, one); err != nil {
					t.Fatalf("%s: %v", about, err)
				}
			}
			if !slices.Equal(state, states[to]) {
				t.Fatalf("%s: changes %d to %d lead to\n%v, want\n%v\nby %v", about, from, to, state, states[to], list)
			}
			for stop := 1; ; stop++ {
				first, cursor, err := read(ctx, k, changes.Spec{From: snapshot.Version(from), To: snapshot.Version(to)}, stop)
				must(t, err)
				rest, _, err := read(ctx, k, changes.Spec{After: cursor, To: snapshot.Version(to)}, -1)
				must(t, err)
				if got := append(first, rest...); !slices.Equal(got, list) {
					t.Fatalf("%s: changes %d to %d, left after %d batches at %s:\n%v, want\n%v", about, from, to, stop, cursor, got, list)
				}
				if len(rest) == 0 {
					break
				}
			}
		}
	}
}

// What cannot be told is refused, with the reference's class.
func TestRefusals(t *testing.T) {
	ctx := t.Context()
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT", Properties: map[string]string{"delta.enableChangeDataFeed": "true"}, Files: [][]string{{`{"k":1}`}, {`{"k":2}`}}})
	off := tablekit.New(t, tablekit.Spec{DDL: "k INT", Files: [][]string{{`{"k":1}`}}})
	other := changes.Behind(0, "another")
	s, err := k.Snapshot(ctx, snapshot.Latest())
	must(t, err)
	for _, c := range []struct {
		name string
		k    *tablekit.Kit
		spec changes.Spec
		want string
	}{
		{"never recorded", off, changes.Spec{From: snapshot.Version(0)}, "DELTA_MISSING_CHANGE_DATA"},
		{"behind the newest", k, changes.Spec{From: snapshot.Version(9)}, "DELTA_CDC_START_VERSION_AFTER_LATEST"},
		{"backwards", k, changes.Spec{From: snapshot.Version(2), To: snapshot.Version(1)}, "DELTA_INVALID_CDC_RANGE"},
		{"a time to come", k, changes.Spec{From: snapshot.Time(time.Now().Add(time.Hour))}, "DELTA_TIMESTAMP_GREATER_THAN_COMMIT"},
		{"another table's place", k, changes.Spec{After: other}, "another table"},
		{"no place", k, changes.Spec{After: "c1:x"}, "cannot be used"},
		{"a place of a table that was put back", k, changes.Spec{After: changes.Behind(7, s.Metadata().ID)}, "restored from a copy"},
		{"a column that is not there", k, changes.Spec{From: snapshot.Version(1), Columns: []string{"nope"}}, "UNRESOLVED_COLUMN"},
		{"a condition that is none", k, changes.Spec{From: snapshot.Version(1), Where: expr.NewColumn("k")}, "FILTER_NOT_BOOLEAN"},
	} {
		if _, _, err := read(ctx, c.k, c.spec, -1); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	// The consumer that is up to date has nothing to read and is told so quietly.
	got, cursor, err := read(ctx, k, changes.Spec{After: changes.Behind(s.Version(), s.Metadata().ID)}, -1)
	if err != nil || len(got) != 0 || cursor != "" {
		t.Errorf("up to date: %v, %q, %v", got, cursor, err)
	}
	// Data that VACUUM took is an error that says which version it was.
	must(t, statement(ctx, k, "DELETE FROM target WHERE k = 1"))
	for _, key := range k.DataFiles(t) {
		must(t, k.Bucket.Delete(ctx, key))
	}
	_, _, err = read(ctx, k, changes.Spec{From: snapshot.Version(1)}, -1)
	var gone *changes.Error
	if !errors.As(err, &gone) || gone.Class != "DELTA_CHANGE_DATA_FILE_NOT_FOUND" || gone.Version != 1 {
		t.Errorf("missing data: %v", err)
	}
}

// Columns and conditions, over the table's columns and those of the feed.
func TestProjection(t *testing.T) {
	ctx := t.Context()
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT, v STRING", Properties: map[string]string{"delta.enableChangeDataFeed": "true"},
		Files: [][]string{{`{"k":1,"v":"a"}`, `{"k":2,"v":"b"}`}}})
	must(t, statement(ctx, k, "UPDATE target SET v = 'c' WHERE k = 1"))
	where, err := expr.Parse("_change_type LIKE 'update%' AND k = 1 AND _commit_version = 2")
	must(t, err)
	s, err := k.Snapshot(ctx, snapshot.Latest())
	must(t, err)
	p, err := changes.NewPlan(ctx, k.Env, s, changes.Spec{From: snapshot.Version(0), Where: where, Columns: []string{"_change_type", "`v`", "_commit_timestamp"}})
	must(t, err)
	var got []string
	for b, err := range p.Rows(ctx) {
		must(t, err)
		for i := range int(b.Record.NumRows()) {
			got = append(got, fmt.Sprint(columns.Value(b.Record.Column(0), i), columns.Value(b.Record.Column(1), i)))
			if at := columns.Value(b.Record.Column(2), i).(int64); at != s.Timestamp().UnixMicro() {
				t.Errorf("_commit_timestamp %d, want %d", at, s.Timestamp().UnixMicro())
			}
		}
	}
	slices.Sort(got)
	if want := []string{"update_postimagec", "update_preimagea"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
