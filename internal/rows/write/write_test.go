package write

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/faultstore"
	"github.com/sluicelake/sluice/storage/local"
	"github.com/sluicelake/sluice/storage/memory"
	"github.com/sluicelake/sluice/types"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func nullable(name string, t types.Type) types.Field {
	return types.Field{Name: name, Type: t, Nullable: true}
}

// table is a table without a log.
type table struct {
	t      testing.TB
	bucket *storage.Bucket
	env    *env.Env
	spec   Spec
}

func newTable(t testing.TB, schema *types.Struct, partitions ...string) *table {
	md := &action.Metadata{SchemaString: types.JSON(schema), PartitionColumns: partitions, Configuration: map[string]string{}}
	return &table{t: t, bucket: storage.NewBucket(memory.New()), env: env.New(),
		spec: Spec{Schema: schema, Metadata: md, Protocol: &action.Protocol{MinReaderVersion: 1, MinWriterVersion: 7}}}
}

func (tb *table) writer() *Writer {
	tb.t.Helper()
	w, err := New(tb.t.Context(), tb.env, tb.bucket, tb.spec)
	if err != nil {
		tb.t.Fatal(err)
	}
	return w
}

// batch builds columns from rows.
func batch(t interface{ Fatal(...any) }, schema *types.Struct, rows ...[]any) []arrow.Array {
	cols := make([]arrow.Array, len(schema.Fields))
	for i, f := range schema.Fields {
		vals := make([]any, len(rows))
		for r := range rows {
			vals[r] = rows[r][i]
		}
		var err error
		if cols[i], err = columns.FromValues(f.Type, vals...); err != nil {
			t.Fatal(err)
		}
	}
	return cols
}

// read returns the canonical rows of a data file.
func (tb *table) read(t interface{ Fatal(...any) }, add *action.Add) (out []string) {
	names, err := feature.Mapping(tb.spec.Metadata, nil)
	if err != nil {
		t.Fatal(err)
	}
	for b, err := range scan.File(context.Background(), tb.env, scan.Source{Bucket: tb.bucket, Columns: names}, add, scan.Options{}) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Rows {
			out = append(out, string(columns.AppendCanonicalRow(nil, b.Columns, names.Logical, i)))
		}
	}
	return out
}

func (tb *table) keys() (out []string) {
	for o, err := range tb.bucket.List(context.Background(), "", "") {
		if err != nil {
			tb.t.Fatal(err)
		}
		out = append(out, o.Key)
	}
	return out
}

func TestPartitionValues(t *testing.T) {
	dec := types.Decimal{Precision: 10, Scale: 2}
	for _, c := range []struct {
		t      types.Type
		v      any
		text   string // "NULL" for null
		folder string // of the path in the add
	}{
		{types.String, "UK", "UK", "p=UK"},
		{types.String, nil, "NULL", "p=__HIVE_DEFAULT_PARTITION__"},
		{types.String, "", "NULL", "p=__HIVE_DEFAULT_PARTITION__"},
		{types.String, "a b", "a b", "p=a%20b"},
		{types.String, "50%/x:y=z", "50%/x:y=z", "p=50%2525%252Fx%253Ay%253Dz"},
		{types.String, "..", "..", "p=.."},
		{types.String, "日本 é\n", "日本 é\n", "p=%E6%97%A5%E6%9C%AC%20%C3%A9%250A"},
		{types.String, "😀", "😀", "p=%F0%9F%98%80"},
		{types.String, "'\"\\", "'\"\\", "p=%2527%2522%255C"},
		{types.Long, int64(-5), "-5", "p=-5"},
		{types.Boolean, true, "true", "p=true"},
		{types.Double, 1.5, "1.5", "p=1.5"},
		{dec, expr.Decimal{Unscaled: big.NewInt(150), Scale: 2}, "1.50", "p=1.50"},
		{types.Date, int64(1), "1970-01-02", "p=1970-01-02"},
		{types.Timestamp, int64(1), "1970-01-01T00:00:00.000001Z", "p=1970-01-01T00%253A00%253A00.000001Z"},
		{types.TimestampNTZ, int64(0), "1970-01-01 00:00:00", "p=1970-01-01%2000%253A00%253A00"},
		{types.Binary, []byte("ab"), "ab", "p=ab"},
	} {
		schema := types.NewStruct(nullable("p", c.t), nullable("v", types.Long))
		tb := newTable(t, schema, "p")
		w := tb.writer()
		if _, err := w.Write(batch(t, schema, []any{c.v, int64(7)}), 1); err != nil {
			t.Fatal(err)
		}
		outs, err := w.Close()
		if err != nil || len(outs) != 1 {
			t.Fatal(outs, err)
		}
		add := outs[0].Add
		text := "NULL"
		if v := add.PartitionValues["p"]; v != nil {
			text = *v
		}
		folder, name, _ := strings.Cut(add.Path, "/")
		if text != c.text || folder != c.folder || !strings.HasPrefix(name, "part-00000-") || !strings.HasSuffix(name, ".c000.snappy.parquet") {
			t.Errorf("%v: value %q, path %s", c.v, text, add.Path)
		}
		rows := tb.read(t, add)
		want := c.v
		if c.text == "NULL" {
			want = nil
		}
		if expected := canonical(t, schema, []any{want, int64(7)}); len(rows) != 1 || rows[0] != expected {
			t.Errorf("%v comes back as %s, want %s", c.v, rows, expected)
		}
		if add.Stats != `{"numRecords":1,"minValues":{"v":7},"maxValues":{"v":7},"nullCount":{"v":0}}` || add.Size != outs[0].Bytes || add.Size == 0 || !add.DataChange || add.ModificationTime == 0 {
			t.Errorf("%+v", add)
		}
	}
}

func canonical(t testing.TB, schema *types.Struct, row []any) string {
	return string(columns.AppendCanonicalRow(nil, batch(t, schema, row), schema, 0))
}

// TestWhereRowsGo draws batches and checks every placement by reading the files.
func TestWhereRowsGo(t *testing.T) {
	schema := types.NewStruct(nullable("a", types.String), nullable("v", types.Long), nullable("b", types.Integer),
		nullable("s", types.NewStruct(nullable("x", types.String))), nullable("l", &types.Array{Element: types.Long, ContainsNull: true}))
	rapid.Check(t, func(rt *rapid.T) {
		parts := rapid.SampledFrom([][]string{nil, {"a"}, {"b", "a"}}).Draw(rt, "partitions")
		tb := newTable(t, schema, parts...)
		tb.spec.TargetSize = rapid.SampledFrom([]int64{1, 2000, 0}).Draw(rt, "target")
		w := tb.writer()
		expected := map[*Output][]string{}
		total := 0
		for range rapid.IntRange(0, 4).Draw(rt, "batches") {
			var rows [][]any
			for range rapid.IntRange(0, 30).Draw(rt, "rows") {
				rows = append(rows, []any{rapid.SampledFrom([]any{nil, "", "x", "y z"}).Draw(rt, "a"), int64(total), rapid.SampledFrom([]any{nil, int64(1), int64(2)}).Draw(rt, "b"),
					rapid.SampledFrom([]any{nil, []any{"q"}, []any{nil}}).Draw(rt, "s"), rapid.SampledFrom([]any{nil, []any{}, []any{int64(1), nil}}).Draw(rt, "l")})
				total++
			}
			if len(rows) == 0 {
				continue
			}
			cols := batch(rt, schema, rows...)
			places, err := w.Write(cols, len(rows))
			if err != nil {
				rt.Fatal(err)
			}
			seen := make([]bool, len(rows))
			for _, p := range places {
				if int64(len(expected[p.File])) != p.FileRow {
					rt.Fatalf("placement at %d of a file with %d rows", p.FileRow, len(expected[p.File]))
				}
				for i := p.InputRow; i < p.InputRow+p.Rows; i++ {
					if seen[i] {
						rt.Fatalf("row %d is placed twice", i)
					}
					seen[i] = true
					row := slices.Clone(rows[i])
					if row[0] == "" && slices.Contains(parts, "a") {
						row[0] = nil
					}
					expected[p.File] = append(expected[p.File], canonical(t, schema, row))
				}
			}
			if slices.Contains(seen, false) {
				rt.Fatal("a row has no place")
			}
		}
		outs, err := w.Close()
		if err != nil {
			rt.Fatal(err)
		}
		if len(outs) != len(expected) || len(outs) != len(tb.keys()) {
			rt.Fatalf("%d outputs, %d expected, %d in the store", len(outs), len(expected), len(tb.keys()))
		}
		for _, o := range outs {
			if diff := cmp.Diff(expected[o], tb.read(rt, o.Add)); diff != "" {
				rt.Fatal(diff)
			}
			if n, ok := colstats.NumRecords(o.Add.Stats); !ok || n != o.Rows || o.Rows != int64(len(expected[o])) {
				rt.Fatalf("%d rows, statistics %s", o.Rows, o.Add.Stats)
			}
		}
		w.Abort()
		if keys := tb.keys(); len(keys) > 0 {
			rt.Fatalf("Abort leaves %v", keys)
		}
	})
}

func TestNothingWritten(t *testing.T) {
	tb := newTable(t, types.NewStruct(nullable("a", types.Long)))
	w := tb.writer()
	outs, err := w.Close()
	if err != nil || len(outs) != 0 || len(tb.keys()) != 0 {
		t.Fatal(outs, err, tb.keys())
	}
	if _, err := w.Write(nil, 0); err == nil {
		t.Error("a closed writer takes rows")
	}
}

func TestMissingColumnsAreNull(t *testing.T) {
	schema := types.NewStruct(nullable("a", types.Long), nullable("p", types.String), nullable("n", types.NewStruct(nullable("x", types.Long))), nullable("v", types.Void))
	tb := newTable(t, schema, "p")
	w := tb.writer()
	if _, err := w.Write([]arrow.Array{batch(t, schema, []any{int64(1), nil, nil, nil})[0], nil, nil, nil}, 1); err != nil {
		t.Fatal(err)
	}
	outs, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	if rows := tb.read(t, outs[0].Add); len(rows) != 1 || rows[0] != `{"a":1,"p":null,"n":null,"v":null}` {
		t.Error(rows)
	}
	for _, cols := range [][]arrow.Array{{}, {batch(t, schema, []any{int64(1), nil, nil, nil})[0], nil, nil, nil}} {
		w := tb.writer()
		if _, err := w.Write(cols, 2); err == nil {
			t.Error("columns of the wrong shape are accepted")
		}
		w.Abort()
	}
}

func TestColumnMapping(t *testing.T) {
	mapped := func(f types.Field, name string, id int) types.Field {
		f.Metadata = types.Metadata{}.With("delta.columnMapping.physicalName", name).With("delta.columnMapping.id", id)
		return f
	}
	schema := types.NewStruct(mapped(nullable("part one", types.String), "c1", 1), mapped(nullable("a,b", types.Long), "c2", 2),
		mapped(nullable("s", types.NewStruct(mapped(nullable("x", types.Long), "c4", 4))), "c3", 3))
	tb := newTable(t, schema, "part one")
	tb.spec.Metadata.Configuration["delta.columnMapping.mode"] = "name"
	w := tb.writer()
	if _, err := w.Write(batch(t, schema, []any{"v", int64(1), []any{int64(2)}}), 1); err != nil {
		t.Fatal(err)
	}
	outs, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	add := outs[0].Add
	if *add.PartitionValues["c1"] != "v" || len(add.PartitionValues) != 1 {
		t.Error(add.PartitionValues)
	}
	if add.Stats != `{"numRecords":1,"minValues":{"c2":1,"c3":{"c4":2}},"maxValues":{"c2":1,"c3":{"c4":2}},"nullCount":{"c2":0,"c3":{"c4":0}}}` {
		t.Error(add.Stats)
	}
	if folder, _, ok := strings.Cut(add.Path, "/"); !ok || len(folder) != 2 {
		t.Errorf("path %s has no random folder", add.Path)
	}
	if rows := tb.read(t, add); len(rows) != 1 || rows[0] != `{"part one":"v","a,b":1,"s":{"x":2}}` {
		t.Error(rows)
	}
}

func TestNames(t *testing.T) {
	schema := types.NewStruct(nullable("p", types.String), nullable("a", types.Long))
	for _, c := range []struct {
		key, value, p string
		folder        int
		suffix        string
	}{
		{"delta.randomizeFilePrefixes", "true", "x", 2, ".snappy.parquet"},
		{"delta.parquet.compression.codec", "ZSTD", "x", len("p=x"), ".zstd.parquet"},
		{"delta.parquet.compression.codec", "none", "x", len("p=x"), ".c000.parquet"},
		{"delta.parquet.compression.codec", "gzip", "x", len("p=x"), ".snappy.parquet"},
		{"", "", strings.Repeat("long", 100), 2, ".snappy.parquet"},
	} {
		tb := newTable(t, schema, "p")
		tb.spec.Metadata.Configuration[c.key] = c.value
		w := tb.writer()
		if _, err := w.Write(batch(t, schema, []any{c.p, int64(1)}), 1); err != nil {
			t.Fatal(err)
		}
		outs, err := w.Close()
		if err != nil {
			t.Fatal(err)
		}
		folder, _, _ := strings.Cut(outs[0].Path, "/")
		if len(folder) != c.folder || !strings.HasSuffix(outs[0].Path, c.suffix) {
			t.Errorf("%s=%s: %s", c.key, c.value, outs[0].Path)
		}
		if rows := tb.read(t, outs[0].Add); len(rows) != 1 {
			t.Error(rows)
		}
	}
}

// loose is a type without NOT NULL.
func loose(t types.Type) types.Type {
	switch t := t.(type) {
	case *types.Struct:
		out := &types.Struct{}
		for _, f := range t.Fields {
			out.Fields = append(out.Fields, nullable(f.Name, loose(f.Type)))
		}
		return out
	case *types.Array:
		return &types.Array{Element: loose(t.Element), ContainsNull: true}
	case *types.Map:
		return &types.Map{Key: t.Key, Value: loose(t.Value), ValueContainsNull: true}
	}
	return t
}

func TestNotNull(t *testing.T) {
	required := func(name string, t types.Type) types.Field { return types.Field{Name: name, Type: t} }
	inner := types.NewStruct(required("x", types.Long), nullable("y", types.Long))
	list := &types.Array{Element: inner, ContainsNull: false}
	m := &types.Map{Key: types.String, Value: types.Long, ValueContainsNull: false}
	schema := types.NewStruct(required("a", types.Long), nullable("s", inner), nullable("l", list), nullable("m", m))
	ok := []any{int64(1), []any{int64(1), nil}, []any{[]any{int64(1), nil}}, []columns.KV{{Key: "k", Value: int64(1)}}}
	for _, c := range []struct {
		at     int
		v      any
		column string
	}{
		{2, nil, ""}, {3, nil, ""}, {2, []any{}, ""},
		{1, nil, "s.x"}, // as the reference has it
		{0, nil, "a"},
		{1, []any{nil, int64(1)}, "s.x"},
		{2, []any{nil}, "l.element"},
		{2, []any{[]any{nil, nil}}, "l.element.x"},
		{3, []columns.KV{{Key: "k"}}, "m.value"},
	} {
		row := slices.Clone(ok)
		row[c.at] = c.v
		tb := newTable(t, schema)
		w := tb.writer()
		_, err := w.Write(batch(t, loose(schema).(*types.Struct), ok, row, ok), 3)
		if c.column == "" {
			if err != nil {
				t.Errorf("%v: %v", row, err)
			}
			outs, err := w.Close()
			if err != nil {
				t.Errorf("%v: %v", row, err)
			} else if rows := tb.read(t, outs[0].Add); rows[1] != canonical(t, loose(schema).(*types.Struct), row) {
				t.Errorf("%v comes back as %s", row, rows[1])
			}
			continue
		}
		var broken *ConstraintError
		if !errors.As(err, &broken) || broken.Class != ClassNotNull || broken.Column != c.column || broken.SQLState != "23502" {
			t.Errorf("%v: %v, want column %s", row, err, c.column)
		}
		if _, err := w.Close(); !errors.As(err, &broken) {
			t.Errorf("Close after a violation: %v", err)
		}
		if keys := tb.keys(); len(keys) > 0 {
			t.Errorf("a violation leaves %v", keys)
		}
	}
}

// TestFaults lets each call to the store fail in turn: the error comes back and
// no file stays.
func TestFaults(t *testing.T) {
	schema := types.NewStruct(nullable("p", types.Long), nullable("s", types.String))
	var rows [][]any
	for j := range 100 {
		rows = append(rows, []any{int64(j / 80), noise(j, 10000)})
	}
	cols := batch(t, schema, rows...)
	fill := func(w *Writer) error {
		w.layout.small = 256 << 10 // so that one file is streamed
		w.layout.options.RowGroupBytes = 300 << 10
		for range 2 {
			if _, err := w.Write(cols, len(rows)); err != nil {
				return err
			}
		}
		return nil
	}
	for _, f := range []struct {
		name  string
		fault faultstore.Fault
	}{{"fails", faultstore.Partial(0)}, {"reply lost", faultstore.Lost()}} {
		failed := 0
		for k := 1; ; k++ {
			inner := memory.New()
			store := faultstore.New(inner, faultstore.Nth(k, faultstore.OpCreate|faultstore.OpWrite|faultstore.OpCommit|faultstore.OpPut, "", f.fault))
			tb := newTable(t, schema, "p")
			tb.bucket = storage.NewBucket(store)
			w := tb.writer()
			err := fill(w)
			if err == nil {
				_, err = w.Close()
			} else {
				w.Abort()
			}
			if len(store.Hits()) == 0 {
				if err != nil {
					t.Fatal(err)
				}
				break
			}
			failed++
			if !errors.Is(err, faultstore.ErrInjected) {
				t.Fatalf("call %d %s, but the error is %v", k, f.name, err)
			}
			tb.bucket = storage.NewBucket(inner)
			if keys := tb.keys(); len(keys) > 0 {
				t.Fatalf("call %d %s and leaves %v", k, f.name, keys)
			}
		}
		if failed < 4 {
			t.Errorf("%s: only %d calls", f.name, failed)
		}
	}
}

// noise is text that does not compress.
func noise(seed, n int) string {
	out := make([]byte, n)
	x := uint64(seed)*2654435761 + 1
	for i := range out {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		out[i] = byte('!' + x%90)
	}
	return string(out)
}

func TestCancel(t *testing.T) {
	schema := types.NewStruct(nullable("a", types.Long))
	tb := newTable(t, schema)
	ctx, cancel := context.WithCancel(t.Context())
	w, err := New(ctx, tb.env, tb.bucket, tb.spec)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(batch(t, schema, []any{int64(1)}), 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := w.Close(); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if len(tb.keys()) > 0 {
		t.Error(tb.keys())
	}
}

// TestTargetSize: one batch of large rows is spread over files of the target size.
func TestTargetSize(t *testing.T) {
	schema := types.NewStruct(nullable("s", types.String))
	tb := newTable(t, schema)
	tb.spec.Metadata.Configuration["delta.targetFileSize"] = "2mb"
	var rows [][]any
	for i := range 200 {
		rows = append(rows, []any{noise(i, 50000)})
	}
	w := tb.writer()
	if _, err := w.Write(batch(t, schema, rows...), len(rows)); err != nil {
		t.Fatal(err)
	}
	outs, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range outs[:len(outs)-1] {
		if o.Bytes < 1<<20 || o.Bytes > 6<<20 {
			t.Errorf("a file of %d bytes for a target of 2 MiB", o.Bytes)
		}
	}
	if len(outs) < 3 {
		t.Errorf("%d files", len(outs))
	}
}

// TestManyPartitions: rows of thousands of partitions in turn give one file each.
func TestManyPartitions(t *testing.T) {
	schema := types.NewStruct(nullable("p", types.Long), nullable("a", types.Long))
	tb := newTable(t, schema, "p")
	w := tb.writer()
	for range 3 {
		var rows [][]any
		for p := range int64(2000) {
			rows = append(rows, []any{p, p})
		}
		if _, err := w.Write(batch(t, schema, rows...), len(rows)); err != nil {
			t.Fatal(err)
		}
	}
	outs, err := w.Close()
	if err != nil || len(outs) != 2000 || outs[7].Rows != 3 {
		t.Fatal(len(outs), err)
	}
}

// TestMemoryBound: a small budget closes files early instead of holding them.
func TestMemoryBound(t *testing.T) {
	schema := types.NewStruct(nullable("p", types.Long), nullable("s", types.String))
	tb := newTable(t, schema, "p")
	tb.env.Memory = 1
	w := tb.writer()
	var held int64
	for i := range 20 {
		var rows [][]any
		for j := range 40 {
			rows = append(rows, []any{int64(j % 8), noise(i*100+j, 50000)})
		}
		if _, err := w.Write(batch(t, schema, rows...), len(rows)); err != nil {
			t.Fatal(err)
		}
		var now int64
		for _, f := range w.open {
			now += f.held()
		}
		held = max(held, now)
	}
	outs, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	if held > w.layout.budget || len(outs) <= 8 {
		t.Errorf("held %d of %d, %d files", held, w.layout.budget, len(outs))
	}
}

func BenchmarkOneRow(b *testing.B) {
	schema := types.NewStruct(nullable("id", types.Long), nullable("name", types.String), nullable("at", types.Timestamp), nullable("v", types.Double))
	cols := batch(b, schema, []any{int64(1), "name", int64(1), 1.5})
	for _, where := range []string{"memory", "disk"} {
		b.Run(where, func(b *testing.B) {
			tb := newTable(b, schema)
			if where == "disk" {
				d, err := local.New(b.TempDir())
				if err != nil {
					b.Fatal(err)
				}
				tb.bucket = storage.NewBucket(d)
			}
			b.ReportAllocs()
			for b.Loop() {
				w := tb.writer()
				if _, err := w.Write(cols, 1); err != nil {
					b.Fatal(err)
				}
				if _, err := w.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRows(b *testing.B) {
	schema := types.NewStruct(nullable("id", types.Long), nullable("p", types.Long), nullable("name", types.String), nullable("v", types.Double))
	const rows = 50000
	vals := make([][]any, rows)
	for i := range vals {
		vals[i] = []any{int64(i), int64(i % 16), fmt.Sprintf("cust_%07d", i*7919%rows), float64(i) * 1.1}
	}
	cols := batch(b, schema, vals...)
	for _, parts := range [][]string{nil, {"p"}} {
		b.Run(fmt.Sprint(parts), func(b *testing.B) {
			tb := newTable(b, schema, parts...)
			for b.Loop() {
				w := tb.writer()
				for range 20 {
					if _, err := w.Write(cols, rows); err != nil {
						b.Fatal(err)
					}
				}
				if _, err := w.Close(); err != nil {
					b.Fatal(err)
				}
				w.Abort()
			}
			b.ReportMetric(float64(rows*20*b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
		})
	}
}
