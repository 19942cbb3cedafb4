package convert_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/parquetio"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/convert"
	"github.com/sluicelake/sluice/internal/verbs/dml"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/types"
)

// folder is a place with Parquet files and no log.
type folder struct {
	t testing.TB
	b *storage.Bucket
}

func newFolder(t testing.TB) *folder { return &folder{t, storage.NewBucket(tablekit.Place())} }

// put writes a Parquet file of canonical rows.
func (f *folder) put(key, ddl string, rows ...string) {
	f.t.Helper()
	schema, err := types.ParseDDL(ddl)
	if err != nil {
		f.t.Fatal(err)
	}
	batch, err := tablekit.Batch(schema, rows...)
	if err != nil {
		f.t.Fatal(err)
	}
	var out bytes.Buffer
	w, err := parquetio.NewFileWriter(&out, schema, parquetio.WriterOptions{})
	if err == nil {
		err = w.WriteColumns(batch.Columns(), int(batch.NumRows()))
	}
	if err == nil {
		_, err = w.Close()
	}
	if err == nil {
		err = f.b.Put(context.Background(), key, out.Bytes())
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *folder) log() *txn.Log {
	l := txn.NewLog(env.New(), f.b, txn.Policy{})
	f.t.Cleanup(func() { l.Close(context.Background()) })
	return l
}

func ddl(t testing.TB, text string) *types.Struct {
	t.Helper()
	s, err := types.ParseDDL(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func rowsOf(t testing.TB, f *folder) ([]string, *snapshot.Snapshot) {
	t.Helper()
	s, err := snapshot.Load(context.Background(), env.New(), f.b, snapshot.Latest())
	if err != nil {
		t.Fatal(err)
	}
	rows, err := tablekit.Rows(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	return rows, s
}

func TestConvert(t *testing.T) {
	f := newFolder(t)
	f.put("d=2026-01-01/n=1/a.parquet", "k INT, s STRUCT<x: DOUBLE, y: STRING>", `{"k":1,"s":{"x":1.5,"y":"q"}}`, `{"k":2,"s":null}`)
	f.put("d=__HIVE_DEFAULT_PARTITION__/n=7/b.parquet", "k INT, extra STRING", `{"k":3,"extra":"e"}`)
	f.put("_hidden/c.parquet", "k INT", `{"k":9}`)
	if err := f.b.Put(t.Context(), "_SUCCESS", nil); err != nil {
		t.Fatal(err)
	}
	spec := convert.Spec{PartitionBy: ddl(t, "d DATE, n INT")}
	plan, err := convert.Look(t.Context(), f.log(), spec)
	if err != nil || plan.Files != 2 || plan.Rows != 3 || !slices.Equal(plan.Passed, []string{"_SUCCESS", "_hidden/c.parquet"}) {
		t.Fatalf("%+v, %v", plan, err)
	}
	inferred, err := convert.Look(t.Context(), f.log(), convert.Spec{InferPartitions: true})
	if err != nil || types.JSON(inferred.Schema) != types.JSON(plan.Schema) {
		t.Errorf("inferred %s, want %s, %v", inferred.Schema, plan.Schema, err)
	}
	l := f.log()
	res, err := convert.Run(t.Context(), l, spec, txn.Options{})
	if err != nil || !res.Converted {
		t.Fatal(res, err)
	}
	rows, s := rowsOf(t, f)
	want := []string{`{"k":1,"s":{"x":1.5,"y":"q"},"extra":null,"d":"2026-01-01","n":1}`, `{"k":2,"s":null,"extra":null,"d":"2026-01-01","n":1}`, `{"k":3,"s":null,"extra":"e","d":null,"n":7}`}
	if !slices.Equal(rows, want) {
		t.Errorf("%s", strings.Join(rows, "\n"))
	}
	for i := range s.Files().All() {
		a := s.Files().Add(i)
		stats := `{"numRecords":2,"minValues":{"k":1,"s":{"x":1.5,"y":"q"}},"maxValues":{"k":2,"s":{"y":"q"}},"nullCount":{"k":0,"s":{"x":1,"y":1},"extra":2}}`
		if strings.Contains(a.Path, "b.parquet") {
			stats = `{"numRecords":1,"minValues":{"k":3,"s":{},"extra":"e"},"maxValues":{"k":3,"s":{},"extra":"e"},"nullCount":{"k":0,"s":{"x":1,"y":1},"extra":0}}`
		}
		if a.Stats != stats {
			t.Errorf("%s: %s\nwant %s", a.Path, a.Stats, stats)
		}
	}
	if again, err := convert.Run(t.Context(), l, spec, txn.Options{}); err != nil || again.Converted {
		t.Error("a table was converted again", err)
	}
	where, err := expr.Parse("k = 3")
	if err == nil {
		_, err = dml.Delete(t.Context(), l, where, merge.Options{})
	}
	if rows, _ := rowsOf(t, f); err != nil || !slices.Equal(rows, want[:2]) {
		t.Errorf("after a DELETE: %v, %v", rows, err)
	}
}

func TestRefusals(t *testing.T) {
	for want, make := range map[string]func(f *folder) convert.Spec{
		"DELTA_CONVERSION_NO_FILES": func(*folder) convert.Spec { return convert.Spec{} },
		"DELTA_UNEXPECTED_NUM_PARTITION_COLUMNS_FROM_FILE_NAME": func(f *folder) convert.Spec {
			f.put("p=1/a.parquet", "k INT", `{"k":1}`)
			return convert.Spec{}
		},
		"DELTA_UNEXPECTED_PARTITION_COLUMN_FROM_FILE_NAME": func(f *folder) convert.Spec {
			f.put("p=1/a.parquet", "k INT", `{"k":1}`)
			return convert.Spec{PartitionBy: ddl(t, "q INT")}
		},
		"DELTA_FAILED_CAST_PARTITION_VALUE": func(f *folder) convert.Spec {
			f.put("p=x/a.parquet", "k INT", `{"k":1}`)
			return convert.Spec{PartitionBy: ddl(t, "p INT")}
		},
		"DELTA_FAILED_TO_MERGE_FIELDS": func(f *folder) convert.Spec {
			f.put("a.parquet", "k INT", `{"k":1}`)
			f.put("b.parquet", "k STRING", `{"k":"1"}`)
			return convert.Spec{}
		},
		"DELTA_FAILED_READ_FILE_FOOTER": func(f *folder) convert.Spec {
			if err := f.b.Put(context.Background(), "a.parquet", []byte("no Parquet")); err != nil {
				t.Fatal(err)
			}
			return convert.Spec{}
		},
	} {
		f := newFolder(t)
		_, err := convert.Run(t.Context(), f.log(), make(f), txn.Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		if s, err := snapshot.Load(t.Context(), env.New(), f.b, snapshot.Latest()); err == nil {
			t.Errorf("%s: there is a table of version %d", want, s.Version())
		}
	}
}

// TestStatisticsPrune holds rows found through statistics of footers against a
// plain filter.
func TestStatisticsPrune(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := newFolder(t)
		var all []string
		for i := range rapid.IntRange(1, 4).Draw(rt, "files") {
			var rows []string
			for range rapid.IntRange(1, 5).Draw(rt, "rows") {
				rows = append(rows, rapid.SampledFrom([]string{`{"i":1,"f":-2.5,"s":"a"}`, `{"i":-7,"f":"NaN","s":""}`, `{"i":null,"f":null,"s":null}`,
					`{"i":100,"f":"Infinity","s":"zz"}`, `{"i":3,"f":0,"s":"Ünïcode"}`}).Draw(rt, "row"))
			}
			f.put(string(rune('a'+i))+".parquet", "i INT, f DOUBLE, s STRING", rows...)
			all = append(all, rows...)
		}
		l := f.log()
		if _, err := convert.Run(context.Background(), l, convert.Spec{}, txn.Options{}); err != nil {
			rt.Fatal(err)
		}
		where := rapid.SampledFrom([]string{"f > 1", "f = double('NaN')", "f >= double('Infinity')", "i < 0", "i IS NULL", "s > 'b'", "s = ''", "i = 3 OR s = 'zz'"}).Draw(rt, "where")
		w, err := expr.Parse(where)
		if err != nil {
			rt.Fatal(err)
		}
		// What a pruning delete leaves is what one leaves that can prune nothing.
		if _, err := dml.Delete(context.Background(), l, w, merge.Options{}); err != nil {
			rt.Fatal(err)
		}
		got, _ := rowsOf(t, f)
		g := newFolder(t)
		g.put("all.parquet", "i INT, f DOUBLE, s STRING", all...)
		m := g.log()
		if _, err := convert.Run(context.Background(), m, convert.Spec{NoStatistics: true}, txn.Options{}); err != nil {
			rt.Fatal(err)
		}
		not, err := expr.Parse("NOT (" + "NOT coalesce(" + where + ", false))")
		if err != nil {
			rt.Fatal(err)
		}
		if _, err := dml.Delete(context.Background(), m, not, merge.Options{}); err != nil {
			rt.Fatal(err)
		}
		want, _ := rowsOf(t, g)
		if !slices.Equal(got, want) {
			rt.Errorf("WHERE %s leaves %v, want %v", where, got, want)
		}
	})
}
