package restore_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/alter"
	"github.com/sluicelake/sluice/internal/verbs/dml"
	"github.com/sluicelake/sluice/internal/verbs/insert"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/internal/verbs/restore"
	"github.com/sluicelake/sluice/types"
)

const one, two, three = `{"k":1,"p":"a"}`, `{"k":2,"p":"b"}`, `{"k":3,"p":null}`

func condition(t testing.TB, text string) expr.Expr {
	t.Helper()
	e, err := expr.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func remove(t testing.TB, k *tablekit.Kit, where string) {
	t.Helper()
	if _, err := dml.Delete(context.Background(), k.Log, condition(t, where), merge.Options{}); err != nil {
		t.Fatal(err)
	}
}

func change(t testing.TB, k *tablekit.Kit, c alter.Change) {
	t.Helper()
	if _, err := alter.Run(context.Background(), k.Log, c, alter.Options{}); err != nil {
		t.Fatal(err)
	}
}

func kit(t testing.TB, vectors bool) *tablekit.Kit {
	t.Helper()
	spec := tablekit.Spec{DDL: "k INT, p STRING", PartitionBy: []string{"p"}, Files: [][]string{{one, two, three}}}
	if !vectors {
		spec.Properties = tablekit.WithoutVectors()
	}
	k, err := tablekit.Make(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func rowsAt(t testing.TB, k *tablekit.Kit, at snapshot.At) []string {
	t.Helper()
	s, err := k.Snapshot(context.Background(), at)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := tablekit.Rows(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestAnyVersion goes back to any version of a random history, and on from there.
func TestAnyVersion(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		k := kit(t, rapid.Bool().Draw(rt, "vectors"))
		for n := range int32(rapid.IntRange(1, 8).Draw(rt, "statements")) {
			switch rapid.SampledFrom([]string{"append", "delete", "overwrite", "column", "property", "restore"}).Draw(rt, "what") {
			case "append":
				if err := k.Append(context.Background(), one, two); err != nil {
					rt.Fatal(err)
				}
			case "delete":
				remove(t, k, rapid.SampledFrom([]string{"k = 1", "k > 1", "p = 'a'", "true"}).Draw(rt, "where"))
			case "overwrite":
				src, err := tablekit.Source(k.Schema, three)
				if err == nil {
					_, err = insert.Run(context.Background(), k.Log, src, insert.Options{Mode: insert.Overwrite})
				}
				if err != nil {
					rt.Fatal(err)
				}
			case "column":
				name := "c" + string('a'+n)
				change(t, k, alter.AddColumns{Columns: []alter.NewColumn{{Field: types.Field{Name: name, Type: types.Long, Nullable: true}}}})
			case "property":
				change(t, k, alter.SetProperties{Properties: map[string]string{"x": string('a' + n)}})
			case "restore":
				back(rt, t, k)
			}
		}
		back(rt, t, k)
	})
}

func back(rt *rapid.T, t *testing.T, k *tablekit.Kit) {
	now, err := k.Log.Update(context.Background())
	if err != nil {
		rt.Fatal(err)
	}
	v := rapid.Int64Range(0, now.Version()).Draw(rt, "version")
	want, err := k.Snapshot(context.Background(), snapshot.Version(v))
	if err != nil {
		rt.Fatal(err)
	}
	plan, err := restore.Preview(context.Background(), k.Log, restore.Spec{To: snapshot.Version(v)})
	if err != nil {
		rt.Fatal(err)
	}
	res, err := restore.Run(context.Background(), k.Log, restore.Spec{To: snapshot.Version(v)}, txn.Options{})
	if err != nil {
		rt.Fatal(err)
	}
	if len(plan.Restored) != len(res.Plan.Restored) || len(plan.Removed) != len(res.Plan.Removed) {
		rt.Errorf("planned %+v, done %+v", plan, res.Plan)
	}
	got, err := k.Snapshot(context.Background(), snapshot.Latest())
	if err != nil {
		rt.Fatal(err)
	}
	if a, b := rowsAt(t, k, snapshot.Latest()), rowsAt(t, k, snapshot.Version(v)); !slices.Equal(a, b) {
		rt.Errorf("version %d restored has %v, want %v", v, a, b)
	}
	if a, b := types.JSON(got.Schema()), types.JSON(want.Schema()); a != b {
		rt.Errorf("schema %s, want %s", a, b)
	}
	if a, b := got.Metadata().Configuration["x"], want.Metadata().Configuration["x"]; a != b {
		rt.Errorf("property %q, want %q", a, b)
	}
}

// TestWinners has other writers commit between the preparation and the commit.
func TestWinners(t *testing.T) {
	for name, winner := range map[string]func(t testing.TB, k *tablekit.Kit){
		"append": func(t testing.TB, k *tablekit.Kit) {
			if err := k.Append(context.Background(), one); err != nil {
				t.Fatal(err)
			}
		},
		"delete": func(t testing.TB, k *tablekit.Kit) { remove(t, k, "k = 2") },
		"property": func(t testing.TB, k *tablekit.Kit) {
			change(t, k, alter.SetProperties{Properties: map[string]string{"x": "y"}})
		},
		"restore": func(t testing.TB, k *tablekit.Kit) {
			if _, err := restore.Run(context.Background(), k.Log, restore.Spec{To: snapshot.Version(0)}, txn.Options{}); err != nil {
				t.Fatal(err)
			}
		},
	} {
		for _, vectors := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				k := kit(t, vectors)
				remove(t, k, "k = 1")
				other := txn.NewLog(k.Env, k.Bucket, txn.Policy{})
				defer other.Close(context.Background())
				beside := *k
				beside.Log = other
				res, err := restore.Run(t.Context(), k.Log, restore.Spec{To: snapshot.Version(1)},
					txn.Options{BeforePublish: func(context.Context) error { winner(t, &beside); return nil }})
				if err != nil {
					t.Fatal(err)
				}
				if got := rowsAt(t, k, snapshot.Latest()); !slices.Equal(got, []string{one, two, three}) {
					t.Errorf("%v after %+v", got, res.Winners)
				}
				if len(res.Winners) == 0 {
					t.Error("no winner was met")
				}
			})
		}
	}
}

func TestRefusals(t *testing.T) {
	k := kit(t, false)
	remove(t, k, "k = 1")
	gone := k.DataFiles(t)
	s, err := k.Snapshot(t.Context(), snapshot.Latest())
	if err != nil {
		t.Fatal(err)
	}
	for _, live := range tablekit.Referenced(s) {
		gone = slices.DeleteFunc(gone, func(f string) bool { return f == live })
	}
	for _, f := range gone {
		if err := k.Bucket.Delete(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		spec restore.Spec
		want string
	}{
		{restore.Spec{To: snapshot.Version(9)}, "DELTA_CANNOT_RESTORE_TABLE_VERSION"},
		{restore.Spec{To: snapshot.Time(s.Timestamp().AddDate(1, 0, 0))}, "DELTA_CANNOT_RESTORE_TIMESTAMP_GREATER"},
		{restore.Spec{To: snapshot.Time(s.Timestamp().AddDate(-1, 0, 0))}, "DELTA_CANNOT_RESTORE_TIMESTAMP_EARLIER"},
		{restore.Spec{To: snapshot.Version(1)}, "DELTA_RESTORE_MISSING_FILES"},
	} {
		_, err := restore.Run(t.Context(), k.Log, c.spec, txn.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %s", c.spec.To, err, c.want)
		}
	}
	if now, err := k.Log.Update(t.Context()); err != nil || now.Version() != s.Version() {
		t.Errorf("version %d, %v", now.Version(), err)
	}
	if _, err := restore.Run(t.Context(), k.Log, restore.Spec{To: snapshot.Version(1), IgnoreMissing: true}, txn.Options{}); err != nil {
		t.Error(err)
	}
	change(t, k, alter.SetProperties{Properties: map[string]string{"delta.appendOnly": "true"}})
	since, err := k.Log.Update(t.Context())
	if err == nil {
		err = k.Append(t.Context(), one)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := restore.Run(t.Context(), k.Log, restore.Spec{To: snapshot.Version(since.Version())}, txn.Options{}); err == nil || !strings.Contains(err.Error(), "DELTA_CANNOT_MODIFY_APPEND_ONLY") {
		t.Errorf("append only: %v", err)
	}
	if _, err := restore.Run(t.Context(), k.Log, restore.Spec{To: snapshot.Version(0)}, txn.Options{}); err != nil {
		t.Errorf("to a version from before: %v", err)
	}
}

// TestFeaturesStay restores a version from before a feature came.
func TestFeaturesStay(t *testing.T) {
	k := kit(t, false)
	change(t, k, alter.SetProperties{Properties: map[string]string{"delta.enableDeletionVectors": "true"}})
	for _, c := range []struct {
		downgrade, want bool
	}{{false, true}, {true, false}} {
		if _, err := restore.Run(t.Context(), k.Log, restore.Spec{To: snapshot.Version(1), Downgrade: c.downgrade}, txn.Options{}); err != nil {
			t.Fatal(err)
		}
		s, err := k.Log.Update(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := feature.Supports(s.Protocol(), "deletionVectors"); got != c.want {
			t.Errorf("downgrade %t: deletion vectors supported %t", c.downgrade, got)
		}
		if s.Metadata().Configuration["delta.enableDeletionVectors"] != "false" {
			t.Errorf("properties %v", s.Metadata().Configuration)
		}
	}
}
