package parquetio

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet/file"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// pieces writes files of rows that go on from one to the next.
func pieces(t *testing.T, schema *types.Struct, files, rows int, opts WriterOptions) (out []*File) {
	t.Helper()
	for f := range files {
		var buf bytes.Buffer
		w, err := NewFileWriter(&buf, schema, opts)
		if err != nil {
			t.Fatal(err)
		}
		vals := make([][]any, len(schema.Fields))
		for r := range rows {
			k := f*rows + r
			row := []any{int64(k), fmt.Sprintf("word %d", k%7+f), float64(k) / 4, nil, []any{fmt.Sprint("x", k%3), nil}, []any{int64(k % 5), fmt.Sprintf("%032d", k)}}
			if k%3 == 0 {
				row[3] = fmt.Sprintf("unique text %d", k*k)
			}
			if k%11 == 0 {
				row[4], row[5] = nil, nil
			}
			for c := range row {
				vals[c] = append(vals[c], row[c])
			}
		}
		cols := make([]arrow.Array, len(vals))
		for c := range vals {
			if cols[c], err = columns.FromValues(schema.Fields[c].Type, vals[c]...); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.WriteColumns(cols, rows); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Close(); err != nil {
			t.Fatal(err)
		}
		out = append(out, opened(t, buf.Bytes()))
	}
	return out
}

func opened(t *testing.T, data []byte) *File {
	t.Helper()
	f, err := Open(bytes.NewReader(data), int64(len(data)), OpenOptions{Name: "x"})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func values(t *testing.T, schema *types.Struct, fs ...*File) (out []string) {
	t.Helper()
	for _, f := range fs {
		for b, err := range f.Read(t.Context(), Query{Schema: schema}) {
			if err != nil {
				t.Fatal(err)
			}
			for r := range b.Rows {
				var row []any
				for _, c := range b.Columns {
					row = append(row, columns.Value(c, r))
				}
				out = append(out, fmt.Sprint(row))
			}
		}
	}
	return out
}

func spliced(t *testing.T, schema *types.Struct, opts WriterOptions, fs ...*File) []byte {
	t.Helper()
	var buf bytes.Buffer
	s, err := NewSplicer(&buf, schema, opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fs {
		if err := s.Fits(f); err != nil {
			t.Fatal(err)
		}
		if err := s.Add(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	info, err := s.Close(context.Background())
	if err != nil || info.Bytes != int64(buf.Len()) {
		t.Fatal(info, err, buf.Len())
	}
	return buf.Bytes()
}

func TestSplice(t *testing.T) {
	schema, err := types.ParseDDL("k BIGINT NOT NULL, w STRING, d DOUBLE, u STRING, l ARRAY<STRING>, s STRUCT<a: INT, b: STRING>")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		files, rows int
		opts        WriterOptions
		groups      int
	}{
		{3, 500, WriterOptions{}, 1},
		{3, 500, WriterOptions{PageRows: 100}, 1},
		{4, 500, WriterOptions{RowGroupRows: 1000}, 2},
		{2, 500, WriterOptions{RowGroupRows: 500}, 2},
		{3, 700, WriterOptions{RowGroupRows: 300, Codec: Zstd}, 9},
		{2, 300, WriterOptions{NoPageIndex: true, Codec: Uncompressed}, 1},
	} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			want := values(t, schema, pieces(t, schema, c.files, c.rows, c.opts)...)
			data := spliced(t, schema, c.opts, pieces(t, schema, c.files, c.rows, c.opts)...)
			f := opened(t, data)
			if f.RowGroups() != c.groups || f.Rows() != int64(c.files*c.rows) {
				t.Errorf("%d row groups, %d rows", f.RowGroups(), f.Rows())
			}
			got := values(t, schema, f)
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("row %d is %s, want %s", i, got[i], want[i])
				}
			}
			byLibrary(t, data, int64(c.files*c.rows))
			again := values(t, schema, opened(t, spliced(t, schema, c.opts, opened(t, data))))
			if len(again) != len(want) || again[len(want)-1] != want[len(want)-1] {
				t.Error("a file that was spliced cannot be spliced")
			}
		})
	}
}

// byLibrary reads the whole file as arrow-go alone does, and its page index.
func byLibrary(t *testing.T, data []byte, rows int64) {
	t.Helper()
	r, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if r.NumRows() != rows {
		t.Errorf("%d rows", r.NumRows())
	}
	for g := range r.NumRowGroups() {
		for c := range r.MetaData().Schema.NumColumns() {
			col, err := r.RowGroup(g).Column(c)
			if err != nil {
				t.Fatal(err)
			}
			n := int64(0)
			pages, err := r.RowGroup(g).GetColumnPageReader(c)
			if err != nil {
				t.Fatal(err)
			}
			for pages.Next() {
				n += int64(pages.Page().NumValues())
			}
			if pages.Err() != nil {
				t.Fatal(pages.Err())
			}
			_ = col
		}
	}
}

// TestSplicedSkips reads little of a spliced file through its page index.
func TestSplicedSkips(t *testing.T) {
	schema, err := types.ParseDDL("k BIGINT NOT NULL, w STRING, d DOUBLE, u STRING, l ARRAY<STRING>, s STRUCT<a: INT, b: STRING>")
	if err != nil {
		t.Fatal(err)
	}
	f := opened(t, spliced(t, schema, WriterOptions{PageRows: 50}, pieces(t, schema, 4, 500, WriterOptions{PageRows: 50})...))
	e, err := expr.Parse("k = 1777")
	if err != nil {
		t.Fatal(err)
	}
	bound, err := expr.Bind(e, expr.Scope{Tables: []expr.Table{{Schema: schema}}})
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for b, err := range f.Read(t.Context(), Query{Schema: schema, Predicate: bound}) {
		if err != nil {
			t.Fatal(err)
		}
		rows += b.Rows
	}
	if rows != 50 {
		t.Errorf("%d rows were read for one", rows)
	}
}

func TestSpliceRefuses(t *testing.T) {
	have, _ := types.ParseDDL("k BIGINT NOT NULL, w STRING, d DOUBLE, u STRING, l ARRAY<STRING>, s STRUCT<a: INT, b: STRING>")
	for _, ddl := range []string{"k BIGINT", "k BIGINT, w STRING, d DOUBLE, u STRING, l ARRAY<STRING>, s STRUCT<a: INT, b: STRING>",
		"k BIGINT NOT NULL, w STRING, d DOUBLE, u BINARY, l ARRAY<STRING>, s STRUCT<a: INT, b: STRING>",
		"k BIGINT NOT NULL, w STRING, d DOUBLE, u STRING, l ARRAY<STRING>, s STRUCT<a: BIGINT, b: STRING>",
		"w STRING, k BIGINT NOT NULL, d DOUBLE, u STRING, l ARRAY<STRING>, s STRUCT<a: INT, b: STRING>"} {
		schema, err := types.ParseDDL(ddl)
		if err != nil {
			t.Fatal(err)
		}
		s, err := NewSplicer(&bytes.Buffer{}, schema, WriterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if s.Fits(pieces(t, have, 1, 3, WriterOptions{})[0]) == nil {
			t.Errorf("%s: it fits", ddl)
		}
	}
}
