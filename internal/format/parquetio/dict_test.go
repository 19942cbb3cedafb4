package parquetio

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// TestDictionaries writes text that repeats, in each of the ways in which it is
// handed to arrow-go, and text that does not.
func TestDictionaries(t *testing.T) {
	const rows = 60_000
	s := types.NewStruct(field("few", types.String), field("late", types.Binary), field("nulls", types.String), field("many", types.String),
		types.Field{Name: "req", Type: types.String}, field("growing", types.String))
	var vals [6][]any
	for i := range rows {
		few := fmt.Sprint("value ", i*7919%13)
		late := []byte(few)
		if i > rows/2 { // values that appear when the dictionary is in use
			late = fmt.Append(nil, "late ", i/1000)
		}
		var null any = few
		if i%3000 == 1 {
			null = nil
		}
		for c, v := range []any{few, late, null, fmt.Sprint("unique ", i), few, fmt.Sprint(i / 5)} {
			vals[c] = append(vals[c], v)
		}
	}
	var cols []arrow.Array
	for c, f := range s.Fields {
		a, err := columns.FromValues(f.Type, vals[c]...)
		if err != nil {
			t.Fatal(err)
		}
		cols = append(cols, a)
	}
	data := writeFile(t, s, WriterOptions{PageRows: 1000, RowGroupRows: 25_000}, columns.Slice(cols, 0, 17_333), columns.Slice(cols, 17_333, rows-17_333))
	want := canonical(s, cols)
	got, _ := readRows(t, data, Query{Schema: s})
	sameRows(t, got, want)
	tab := readByArrow(t, data)
	var theirs []arrow.Array
	for c := range cols {
		x, err := array.Concatenate(tab.Column(c).Data().Chunks(), memory.DefaultAllocator)
		if err != nil {
			t.Fatal(err)
		}
		theirs = append(theirs, x)
	}
	sameRows(t, canonical(s, theirs), want)

	r, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for c, dict := range []bool{true, true, true, false, true} {
		chunk, err := r.MetaData().RowGroup(0).ColumnChunk(c)
		if err != nil {
			t.Fatal(err)
		}
		if chunk.HasDictionaryPage() != dict {
			t.Errorf("column %s has a dictionary: %v, want %v", s.Fields[c].Name, chunk.HasDictionaryPage(), dict)
		}
		st, err := chunk.Statistics()
		if err != nil {
			t.Fatal(err)
		}
		if lo, hi := string(st.EncodeMin()), string(st.EncodeMax()); dict && (lo != "value 0" || hi != "value 9") {
			t.Errorf("column %s has bounds %q and %q", s.Fields[c].Name, lo, hi)
		}
	}

	// The bounds of pages that were written as indices.
	late := &expr.Column{Parts: []string{"late"}, Ref: 1, T: types.Binary}
	_, at := readRows(t, data, Query{Schema: s, Predicate: &expr.Call{Fn: "=", T: types.Boolean,
		Args: []expr.Expr{late, &expr.Literal{Value: []byte("late 41"), T: types.Binary}}}})
	if len(at) == 0 || len(at) > 3000 || at[0] > 41_000 || at[len(at)-1] < 41_999 {
		t.Errorf("%d rows are read from %d on", len(at), at[0])
	}
}

// TestFooter checks what other readers see of a file before its rows.
func TestFooter(t *testing.T) {
	f := field("ts", types.TimestampNTZ)
	f.Metadata = f.Metadata.With(fieldIDKey, 4)
	s := types.NewStruct(f, field("gone", types.Void), field("d", types.Decimal{Precision: 18, Scale: 2}), field("l", &types.Array{Element: types.Long, ContainsNull: true}))
	cols := make([]arrow.Array, len(s.Fields))
	for c, f := range s.Fields {
		dt, err := columns.ArrowType(f.Type)
		if err != nil {
			t.Fatal(err)
		}
		cols[c] = columns.Nulls(dt, 3)
	}
	r, err := file.NewParquetReader(bytes.NewReader(writeFile(t, s, WriterOptions{Metadata: map[string]string{"k": "v"}}, cols)))
	if err != nil {
		t.Fatal(err)
	}
	md := r.MetaData()
	if *md.CreatedBy != createdBy || *md.KeyValueMetadata().FindValue("k") != "v" || r.NumRows() != 3 {
		t.Errorf("created by %s, metadata %v, %d rows", *md.CreatedBy, md.KeyValueMetadata(), r.NumRows())
	}
	if n := md.Schema.NumColumns(); n != 3 || md.Schema.Root().Field(0).FieldID() != 4 || md.Schema.Root().Field(1).FieldID() != -1 {
		t.Errorf("%d columns, schema %s", n, md.Schema)
	}
	if p := md.Schema.Column(1).PhysicalType(); p != parquet.Types.Int64 || md.Schema.Column(2).Path() != "l.list.element" {
		t.Errorf("a decimal is stored as %s, a list as %s", p, md.Schema.Column(2).Path())
	}
	if idx, err := r.GetPageIndexReader().RowGroup(0); err != nil || idx == nil {
		t.Errorf("no page index: %v", err)
	}
}

func TestNothingToStore(t *testing.T) {
	if _, err := NewFileWriter(&bytes.Buffer{}, types.NewStruct(field("v", types.Void)), WriterOptions{}); err == nil {
		t.Error("a schema of void columns is accepted")
	}
}
