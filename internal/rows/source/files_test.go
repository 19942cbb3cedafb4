package source

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/sluicelake/sluice/storage"
	memstore "github.com/sluicelake/sluice/storage/memory"
)

func gz(t *testing.T, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(s))
	w.Close()
	return b.Bytes()
}

func zst(t *testing.T, s string) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll([]byte(s), nil)
}

func TestOpenFiles(t *testing.T) {
	dir := t.TempDir()
	want := lines(`{"a":1}`, `{"a":2}`)
	for name, data := range map[string][]byte{
		"x.json": []byte(want), "x y%.jsonl": []byte(want), "x.JSON.gz": gz(t, want), "x.ndjson.zst": zst(t, want), "x.csv": []byte("a\n1\n2\n"), "x.csv.gz": gz(t, "a\n1\n2\n"),
		"two.json.gz": append(gz(t, lines(`{"a":1}`)), gz(t, lines(`{"a":2}`))...), "misnamed.json": gz(t, want),
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		s, err := Open(t.Context(), path, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for range 2 {
			if rows, err := rowsOf(t, s); err != nil || rows != want {
				t.Errorf("%s: %v\n%s", name, err, rows)
			}
		}
	}
	if _, err := Open(t.Context(), filepath.Join(dir, "none.json"), Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := Open(t.Context(), dir, Options{Format: JSON}); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a directory: %v", err)
	}
	if _, err := Open(t.Context(), filepath.Join(dir, "x.txt"), Options{}); err == nil || !strings.Contains(err.Error(), "say json, csv or parquet") {
		t.Errorf("an unknown extension: %v", err)
	}
	if _, err := Open(t.Context(), "x.json", Options{Mode: "lenient"}); err == nil {
		t.Error("an unknown mode is accepted")
	}
	os.WriteFile(filepath.Join(dir, "cut.json.gz"), gz(t, want)[:20], 0o666)
	if _, err := Open(t.Context(), filepath.Join(dir, "cut.json.gz"), Options{}); err == nil {
		t.Error("a truncated gzip file is accepted")
	}
}

func TestOpenURL(t *testing.T) {
	defer memstore.Forget("sources")
	b, err := storage.Open(t.Context(), "memory://sources/dir")
	if err != nil {
		t.Fatal(err)
	}
	b.Put(t.Context(), "x.json", []byte(lines(`{"a":1}`)))
	s, err := Open(t.Context(), "memory://sources/dir/x.json", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if rows, err := rowsOf(t, s); err != nil || rows != lines(`{"a":1}`) {
		t.Errorf("%v\n%s", err, rows)
	}
	if _, err := Open(t.Context(), "memory://sources/dir/none.json", Options{}); !errors.Is(err, storage.ErrNotExist) {
		t.Errorf("a missing object: %v", err)
	}
}

// foreign is a batch with Arrow types that Delta does not have.
func foreign(t *testing.T) arrow.RecordBatch {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "d", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}, Nullable: true},
		{Name: "u", Type: arrow.PrimitiveTypes.Uint32, Nullable: true},
		{Name: "ts", Type: &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}, Nullable: true},
		{Name: "l", Type: arrow.ListOf(arrow.PrimitiveTypes.Uint8), Nullable: true},
		{Name: "s", Type: arrow.StructOf(arrow.Field{Name: "x", Type: arrow.BinaryTypes.LargeString, Nullable: true}), Nullable: true},
		{Name: "m", Type: arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int32), Nullable: true},
	}, nil)
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(
		`[{"d":"x","u":4294967295,"ts":"2024-01-02T03:04:05.678Z","l":[1,2],"s":{"x":"y"},"m":[{"key":"k","value":1}]},{"d":null,"u":null,"ts":null,"l":null,"s":null,"m":null}]`))
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

const foreignRows = `{"d":"x","u":4294967295,"ts":"2024-01-02T03:04:05.678000Z","l":[1,2],"s":{"x":"y"},"m":`

func TestParquet(t *testing.T) {
	var buf bytes.Buffer
	rec := foreign(t)
	w, err := pqarrow.NewFileWriter(rec.Schema(), &buf, parquet.NewWriterProperties(), pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(rec); err != nil {
		t.Fatal(err)
	}
	w.Close()
	s, err := OpenReader(t.Context(), bytes.NewReader(buf.Bytes()), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		rows, err := rowsOf(t, s)
		if err != nil || !strings.HasPrefix(rows, foreignRows) || strings.Count(rows, "\n") != 2 {
			t.Errorf("%s: %v\n%s", s.Schema(), err, rows)
		}
	}
	path := filepath.Join(t.TempDir(), "x.parquet")
	os.WriteFile(path, buf.Bytes(), 0o666)
	s, err = Open(t.Context(), path, Options{Schema: ddl(t, "u DECIMAL(12,0), D STRING, missing INT")})
	if err != nil {
		t.Fatal(err)
	}
	if rows, err := rowsOf(t, s); err != nil || rows != lines(`{"u":"4294967295","D":"x","missing":null}`, `{"u":null,"D":null,"missing":null}`) {
		t.Errorf("declared: %v\n%s", err, rows)
	}
	for cut := range 12 {
		os.WriteFile(path, buf.Bytes()[:buf.Len()*cut/12], 0o666)
		if s, err := Open(t.Context(), path, Options{}); err == nil {
			if _, err = rowsOf(t, s); err == nil {
				t.Errorf("a file cut to %d/12 is read without an error", cut)
			}
		}
	}
}

func TestFromRecords(t *testing.T) {
	s, err := FromRecords(nil, foreign(t), foreign(t))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := rowsOf(t, s)
	if err != nil || !strings.HasPrefix(rows, foreignRows) || strings.Count(rows, "\n") != 4 {
		t.Errorf("%v\n%s", err, rows)
	}
	if _, err := FromRecords(ddl(t, "d INT"), foreign(t)); err == nil || !strings.Contains(err.Error(), "column d") {
		t.Errorf("a string read as a number: %v", err)
	}
	if _, err := FromRecords(nil); err == nil {
		t.Error("no schema at all is accepted")
	}
}
