package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"pgregory.net/rapid"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/logic/curve"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/rows/cluster"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/rows/source"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/dml"
	"github.com/sluicelake/sluice/internal/verbs/insert"
	"github.com/sluicelake/sluice/internal/verbs/merge"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func latest(t testing.TB, k *tablekit.Kit) *snapshot.Snapshot {
	t.Helper()
	s, err := k.Snapshot(t.Context(), snapshot.Latest())
	check(t, err)
	return s
}

func adds(s *snapshot.Snapshot) (out []*action.Add) {
	for i := range s.Files().All() {
		out = append(out, s.Files().Add(i))
	}
	return out
}

func appendColumns(t testing.TB, k *tablekit.Kit, cols ...arrow.Array) {
	t.Helper()
	schema, err := columns.ArrowSchema(k.Schema)
	check(t, err)
	src, err := source.FromRecords(k.Schema, array.NewRecordBatch(schema, cols, int64(cols[0].Len())))
	check(t, err)
	_, err = insert.Run(t.Context(), k.Log, src, insert.Options{})
	check(t, err)
}

// moved runs a job, proves that rows are the same ones and went where the
// placement says, and returns the rows of each output in their order.
func moved(t testing.TB, j cluster.Job) (res *cluster.Result, texts [][]string) {
	t.Helper()
	res, err := cluster.Run(t.Context(), j)
	check(t, err)
	var want, got []string
	before := map[int]map[int64]string{}
	for i, a := range j.Files {
		before[i] = map[int64]string{}
		rows, err := tablekit.FileRows(t.Context(), j.Snapshot, a)
		check(t, err)
		for _, r := range rows {
			want = append(want, r.Text)
			before[i][r.Pos] = r.Text
		}
	}
	total := int64(0)
	for _, o := range res.Outputs {
		rows, err := tablekit.FileRows(t.Context(), j.Snapshot, o.Add)
		check(t, err)
		var out []string
		for _, r := range rows {
			out = append(out, r.Text)
		}
		texts = append(texts, out)
		got = append(got, out...)
		total += o.Rows
		if o.Add.DataChange {
			t.Fatal("files that hold no new data say so")
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) || total != res.Rows || res.Rows != int64(len(want)) {
		t.Fatalf("%d rows before, %d after (%d counted)", len(want), len(got), res.Rows)
	}
	if j.Place {
		for i, rows := range before {
			provePlacement(t, j, res, texts, i, rows)
		}
	}
	return res, texts
}

// provePlacement asks for one row, and for every third one.
func provePlacement(t testing.TB, j cluster.Job, res *cluster.Result, texts [][]string, file int, rows map[int64]string) {
	t.Helper()
	var want, got []string
	some := roaring64.New()
	for pos, text := range rows {
		if pos%3 == 0 || len(rows) == 1 {
			some.Add(uint64(pos))
			want = append(want, text)
		}
	}
	found, err := res.Place.Find(t.Context(), map[int]*roaring64.Bitmap{file: some})
	check(t, err)
	for o, at := range found {
		for _, row := range at.ToArray() {
			got = append(got, texts[slices.Index(res.Outputs, o)][row])
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Fatalf("rows of file %d are said to be others: %d, want %d", file, len(got), len(want))
	}
	for pos, text := range rows {
		one := roaring64.New()
		one.Add(uint64(pos))
		found, err := res.Place.Find(t.Context(), map[int]*roaring64.Bitmap{file: one})
		check(t, err)
		for o, at := range found {
			if at.GetCardinality() != 1 || texts[slices.Index(res.Outputs, o)][at.Minimum()] != text {
				t.Fatalf("row %d of file %d is said to be %v", pos, file, at)
			}
		}
		break
	}
}

const manyTypes = `id BIGINT, i INT, x DOUBLE, s STRING, d DECIMAL(38,4), bin BINARY, day DATE, t TIMESTAMP, b BOOLEAN, o STRUCT<x: INT, y: STRING>, l ARRAY<STRING>, m MAP<STRING, INT>`

func manyRows(r *rand.Rand, n int) (out []string) {
	for range n {
		v := r.IntN(50)
		o := "null"
		if v%7 != 0 {
			o = fmt.Sprintf(`{"x":%d,"y":"y%d"}`, r.IntN(9), v)
			if v%5 == 0 {
				o = `{"x":null,"y":"z"}`
			}
		}
		out = append(out, fmt.Sprintf(`{"id":%d,"i":%d,"x":%d.5,"s":"text %d","d":"%d.0000","bin":"AA%02d","day":"2024-01-%02d","t":"2024-01-01T00:%02d:00.000000Z","b":%v,"o":%s,"l":["a",null],"m":[["k",%d]]}`,
			r.IntN(1000), v, r.IntN(10), r.IntN(30), r.IntN(500), v, v%28+1, v, v%2 == 0, o, v))
	}
	return append(out, `{}`)
}

func TestEveryTypeSortsAndStays(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	k := tablekit.New(t, tablekit.Spec{DDL: manyTypes, Files: [][]string{manyRows(r, 80), manyRows(r, 3), manyRows(r, 200)}})
	s := latest(t, k)
	for _, by := range []string{"id", "i", "x", "s", "d", "bin", "day", "t", "b", "o.x", "o.y", "id s", "i x o.x", "d bin t b"} {
		for _, kind := range []curve.Kind{curve.ZOrder, curve.Hilbert} {
			j := cluster.Job{Snapshot: s, Env: k.Env, Files: adds(s), Curve: kind, Place: true}
			for _, name := range strings.Fields(by) {
				j.By = append(j.By, strings.Split(name, "."))
			}
			moved(t, j)
		}
	}
	_, texts := moved(t, cluster.Job{Snapshot: s, Env: k.Env, Files: adds(s), By: [][]string{{"day"}}})
	if len(texts) != 1 {
		t.Fatalf("%d files", len(texts))
	}
	day := func(row string) string { return row[strings.Index(row, `"day":`):][:12] }
	if !strings.Contains(texts[0][0], `"day":null`) || !slices.IsSortedFunc(texts[0][3:], func(a, b string) int { return strings.Compare(day(a), day(b)) }) {
		t.Fatal("one column sorts rows by its values, NULL first")
	}
}

func TestColumnsThatCannotSort(t *testing.T) {
	k := tablekit.New(t, tablekit.Spec{DDL: manyTypes})
	s := latest(t, k)
	for _, by := range [][][]string{nil, {{"nothing"}}, {{"l"}}, {{"m"}}, {{"o"}}, {{"o", "z"}}, {{"id", "x"}}} {
		if _, err := cluster.Run(t.Context(), cluster.Job{Snapshot: s, Env: k.Env, By: by}); err == nil {
			t.Errorf("by %v", by)
		}
	}
	res, err := cluster.Run(t.Context(), cluster.Job{Snapshot: s, Env: k.Env, By: [][]string{{"id"}}, Place: true})
	if err != nil || len(res.Outputs) != 0 || res.Place == nil {
		t.Fatal("no files are no rows", err)
	}
}

func TestPartitionsVectorsAndRowIDs(t *testing.T) {
	k := tablekit.New(t, tablekit.Spec{DDL: "id BIGINT, p STRING, v INT", PartitionBy: []string{"p"},
		Properties: map[string]string{"delta.enableRowTracking": "true", "delta.columnMapping.mode": "name"}})
	for f := range 4 {
		var rows []string
		for i := range 50 {
			p := `"a/ b"`
			if i%3 == 0 {
				p = "null"
			}
			rows = append(rows, fmt.Sprintf(`{"id":%d,"p":%s,"v":%d}`, f*50+i, p, i*7%50))
		}
		check(t, k.Append(t.Context(), rows...))
	}
	where, err := expr.Parse("v % 5 = 0 AND id < 120")
	check(t, err)
	_, err = dml.Delete(t.Context(), k.Log, where, merge.Options{})
	check(t, err)
	s := latest(t, k)
	ids := func(src scan.Source, list []*action.Add) (out []string) {
		src.Columns = src.Columns.WithRowColumns(s.Metadata())
		for _, a := range list {
			for b, err := range scan.File(t.Context(), k.Env, src, a, scan.Options{Positions: true}) {
				check(t, err)
				id, version := scan.RowIDs(b, b.Columns[3]).(*array.Int64), scan.RowVersions(b, b.Columns[4]).(*array.Int64)
				for i := range b.Rows {
					out = append(out, fmt.Sprint(b.Columns[0].(*array.Int64).Value(i), id.Value(i), version.Value(i)))
				}
			}
		}
		slices.Sort(out)
		return out
	}
	before := ids(scan.SourceOf(s), adds(s))
	res, _ := moved(t, cluster.Job{Snapshot: s, Env: k.Env, Files: adds(s), By: [][]string{{"v"}, {"id"}}, Place: true})
	if len(res.Outputs) != 2 {
		t.Fatalf("%d files for two partitions", len(res.Outputs))
	}
	var after []*action.Add
	for _, o := range res.Outputs {
		after = append(after, o.Add)
	}
	if got := ids(scan.SourceOf(s), after); !slices.Equal(before, got) {
		t.Fatalf("row ids:\n%v\n%v", before, got)
	}
}

// wide makes a table whose rows do not fit into the memory of the jobs below.
func wide(t testing.TB, files, rows int, key func(r *rand.Rand) int64) *tablekit.Kit {
	k := tablekit.New(t, tablekit.Spec{DDL: "a BIGINT, b BIGINT, text STRING"})
	r := rand.New(rand.NewPCG(3, 4))
	schema, err := columns.ArrowSchema(k.Schema)
	check(t, err)
	for range files {
		b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		for range rows {
			b.Field(0).(*array.Int64Builder).Append(key(r))
			b.Field(1).(*array.Int64Builder).Append(r.Int64N(1000))
			b.Field(2).(*array.StringBuilder).Append(fmt.Sprintf("%0100d", r.Uint64()))
		}
		appendColumns(t, k, b.NewRecordBatch().Columns()...)
	}
	return k
}

func small(e *env.Env) *env.Env {
	out := *e
	out.Memory, out.Workers = 8<<20, 2
	return &out
}

func TestMoreThanMemory(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	k := wide(t, 3, 30_000, func(r *rand.Rand) int64 { return r.Int64N(1000) })
	s := latest(t, k)
	var size int64
	for _, a := range adds(s) {
		size += a.Size
	}
	var said []int64
	res, texts := moved(t, cluster.Job{Snapshot: s, Env: small(k.Env), Files: adds(s), By: [][]string{{"a"}, {"b"}}, Curve: curve.Hilbert, Target: size / 4, Place: true,
		Progress: func(rows, _ int64) { said = append(said, rows) }})
	if len(res.Outputs) < 3 || len(res.Outputs) > 9 {
		t.Errorf("%d files, want about 4", len(res.Outputs))
	}
	if !slices.IsSorted(said) || said[len(said)-1] != 90_000 {
		t.Errorf("progress %v", said)
	}
	// a quarter of the space each: none of the files spans both columns
	for i, rows := range texts {
		var lowA, highA, lowB, highB int64 = 1000, 0, 1000, 0
		for _, row := range rows {
			var a, b int64
			_, err := fmt.Sscanf(row, `{"a":%d,"b":%d`, &a, &b)
			check(t, err)
			lowA, highA, lowB, highB = min(lowA, a), max(highA, a), min(lowB, b), max(highB, b)
		}
		if (highA-lowA)*(highB-lowB) > 600_000 {
			t.Errorf("file %d spans a %d..%d, b %d..%d", i, lowA, highA, lowB, highB)
		}
	}
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil || len(left) > 0 {
		t.Errorf("temporary files are left: %v %v", left, err)
	}
}

// TestOneKeyLargerThanMemory has a piece of the curve that cannot be divided.
func TestOneKeyLargerThanMemory(t *testing.T) {
	k := wide(t, 3, 30_000, func(r *rand.Rand) int64 { return max(r.Int64N(100)-90, 0) })
	s := latest(t, k)
	_, texts := moved(t, cluster.Job{Snapshot: s, Env: small(k.Env), Files: adds(s), By: [][]string{{"a"}}, Place: true})
	last := int64(0)
	for _, row := range slices.Concat(texts...) {
		var a int64
		_, err := fmt.Sscanf(row, `{"a":%d`, &a)
		check(t, err)
		if a < last {
			t.Fatal("the rows are not sorted")
		}
		last = a
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	k := wide(t, 2, 20_000, func(r *rand.Rand) int64 { return r.Int64N(1000) })
	s := latest(t, k)
	before := k.DataFiles(t)
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	j := cluster.Job{Snapshot: s, Env: small(k.Env), Files: adds(s), By: [][]string{{"a"}, {"b"}}, Target: 1 << 20,
		Progress: func(rows, _ int64) {
			if n++; rows > 25_000 {
				cancel()
			}
		}}
	if _, err := cluster.Run(ctx, j); !errors.Is(err, context.Canceled) {
		t.Fatalf("err %v", err)
	}
	gone := *adds(s)[1]
	gone.Path = "nothing.parquet"
	j.Files, j.Progress = []*action.Add{adds(s)[0], &gone}, nil
	if _, err := cluster.Run(t.Context(), j); err == nil || !strings.Contains(err.Error(), "nothing.parquet") {
		t.Fatalf("err %v", err)
	}
	if after := k.DataFiles(t); !slices.Equal(before, after) {
		t.Fatalf("left: %v", after)
	}
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil || len(left) > 0 {
		t.Errorf("temporary files are left: %v %v", left, err)
	}
}

// TestAnyRows: whatever rows lie in whatever files, they stay the same ones.
func TestAnyRows(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		k := tablekit.New(t, tablekit.Spec{DDL: "a BIGINT, s STRING, p INT", PartitionBy: rapid.SampledFrom([][]string{nil, {"p"}}).Draw(rt, "partition")})
		for range rapid.IntRange(1, 4).Draw(rt, "files") {
			var rows []string
			for range rapid.IntRange(1, 30).Draw(rt, "rows") {
				rows = append(rows, fmt.Sprintf(`{"a":%d,"s":%q,"p":%d}`, rapid.Int64().Draw(rt, "a"), rapid.StringMatching(`[a-c]{0,3}`).Draw(rt, "s"), rapid.IntRange(0, 2).Draw(rt, "p")))
			}
			check(t, k.Append(t.Context(), rows...))
		}
		s := latest(t, k)
		by := rapid.SampledFrom([][][]string{{{"a"}}, {{"s"}}, {{"a"}, {"s"}}, {{"s"}, {"s"}, {"a"}}}).Draw(rt, "by")
		moved(t, cluster.Job{Snapshot: s, Env: k.Env, Files: adds(s), By: by, Curve: curve.Kind(rapid.IntRange(0, 1).Draw(rt, "curve")),
			Target: rapid.SampledFrom([]int64{0, 1000, 3000}).Draw(rt, "target"), Place: true})
	})
}
