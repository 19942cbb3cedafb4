package insert_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/rows/derive"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/create"
	"github.com/sluicelake/sluice/internal/verbs/insert"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/types"
)

func numbered(t *testing.T) *txn.Log {
	t.Helper()
	schema := types.NewStruct(types.Field{Name: "id", Type: types.Long, Nullable: true, Metadata: types.Metadata{}.
		With(derive.KeyIdentityStart, 1).With(derive.KeyIdentityStep, 1).With(derive.KeyIdentityExplicit, false)},
		types.Field{Name: "v", Type: types.String, Nullable: true})
	l := txn.NewLog(env.New(), storage.NewBucket(tablekit.Place()), txn.Policy{})
	t.Cleanup(func() { l.Close(context.Background()) })
	if _, err := create.Run(t.Context(), l, create.Spec{Schema: schema}, txn.Options{}); err != nil {
		t.Fatal(err)
	}
	return l
}

var vOnly = types.NewStruct(types.Field{Name: "v", Type: types.String, Nullable: true})

func rowsOf(t *testing.T, l *txn.Log) []string {
	t.Helper()
	s, err := snapshot.Load(t.Context(), l.Env(), l.Bucket(), snapshot.Latest())
	if err != nil {
		t.Fatal(err)
	}
	rows, err := tablekit.Rows(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// Rows get numbers, by append, by overwrite and by MERGE.
func TestIdentity(t *testing.T) {
	l := numbered(t)
	add := func(o insert.Options, rows ...string) {
		t.Helper()
		src, err := tablekit.Source(vOnly, rows...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := insert.Run(t.Context(), l, src, o); err != nil {
			t.Fatal(err)
		}
	}
	add(insert.Options{}, `{"v":"a"}`, `{"v":"b"}`)
	add(insert.Options{}, `{"v":"c"}`)
	m, err := parse.MergeStatement("MERGE INTO target t USING source s ON t.v = s.v WHEN MATCHED THEN UPDATE SET v = 'B' WHEN NOT MATCHED THEN INSERT *")
	if err != nil {
		t.Fatal(err)
	}
	src, err := tablekit.Table(vOnly, `{"v":"b"}`, `{"v":"d"}`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := merge.Run(t.Context(), l, m.Spec, src, merge.Options{}); err != nil {
		t.Fatal(err)
	}
	if got, want := rowsOf(t, l), []string{`{"id":1,"v":"a"}`, `{"id":2,"v":"B"}`, `{"id":3,"v":"c"}`, `{"id":4,"v":"d"}`}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	add(insert.Options{Mode: insert.Overwrite}, `{"v":"e"}`)
	if got := rowsOf(t, l); !slices.Equal(got, []string{`{"id":5,"v":"e"}`}) {
		t.Errorf("overwritten: %v", got)
	}
	for _, sql := range []string{"WHEN MATCHED THEN UPDATE SET id = 1", "WHEN NOT MATCHED THEN INSERT (id, v) VALUES (1, 'x')"} {
		m, err := parse.MergeStatement("MERGE INTO target t USING source s ON t.v = s.v " + sql)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := merge.Run(t.Context(), l, m.Spec, src, merge.Options{}); err == nil || !strings.Contains(err.Error(), "DELTA_IDENTITY_COLUMNS_") {
			t.Errorf("%s: %v", sql, err)
		}
	}
	given, err := tablekit.Source(types.NewStruct(types.Field{Name: "id", Type: types.Long}, vOnly.Fields[0]), `{"id":9,"v":"x"}`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := insert.Run(t.Context(), l, given, insert.Options{}); err == nil || !strings.Contains(err.Error(), "DELTA_IDENTITY_COLUMNS_EXPLICIT_INSERT_NOT_SUPPORTED") {
		t.Errorf("a number of one's own: %v", err)
	}
}

// Writers who race never give one number twice.
func TestIdentityRace(t *testing.T) {
	l := numbered(t)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 5 {
				src, err := tablekit.Source(vOnly, `{"v":"a"}`, `{"v":"b"}`)
				if err == nil {
					_, err = insert.Run(t.Context(), l, src, insert.Options{})
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	rows := rowsOf(t, l)
	ids := map[string]bool{}
	for _, r := range rows {
		id, _, _ := strings.Cut(r, ",")
		ids[id] = true
	}
	if len(rows) != 80 || len(ids) != 80 {
		t.Errorf("%d rows with %d numbers, want 80", len(rows), len(ids))
	}
}
