package parquetio

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// small is a file with three columns and statistics.
func small(t testing.TB) []byte {
	t.Helper()
	s := arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
		{Name: "s", Type: arrow.BinaryTypes.String}, {Name: "t", Type: arrow.FixedWidthTypes.Timestamp_us}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	b.Field(0).(*array.Int32Builder).AppendValues([]int32{3, -7, 0}, []bool{true, true, false})
	b.Field(1).(*array.StringBuilder).AppendValues([]string{"b", "a", "ü"}, nil)
	b.Field(2).(*array.TimestampBuilder).AppendValues([]arrow.Timestamp{0, 1_500_000, 1}, nil)
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(s, &out, parquet.NewWriterProperties(parquet.WithStats(true), parquet.WithPageIndexEnabled(true)), pqarrow.DefaultWriterProps())
	if err == nil {
		err = w.Write(b.NewRecordBatch())
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestDescribe(t *testing.T) {
	file := small(t)
	d, err := Describe(bytes.NewReader(file), int64(len(file)), "x")
	if err != nil || len(d.Problems) > 0 {
		t.Fatal(err, d.Problems)
	}
	if d.Rows != 3 || len(d.RowGroups) != 1 || len(d.Columns) != 3 {
		t.Fatalf("%+v", d)
	}
	for i, want := range [][3]string{{"int32", "-7", "3"}, {"string", "a", "ü"}, {"timestamp(us, UTC)", "1970-01-01T00:00:00Z", "1970-01-01T00:00:01.5Z"}} {
		c, st := d.Columns[i], d.RowGroups[0].Chunks[i].Stats
		if c.Logical != want[0] || *st.Min != want[1] || *st.Max != want[2] {
			t.Errorf("column %d: %s from %s to %s, want %v", i, c.Logical, *st.Min, *st.Max, want)
		}
		if p := d.RowGroups[0].Chunks[i].OffsetIndex; p == nil || p.Pages != 1 {
			t.Errorf("column %d: offset index %+v, want one page", i, p)
		}
	}
}

// Every cut and every claim of a footer is refused without asking for memory.
func TestDescribeDamaged(t *testing.T) {
	file := small(t)
	for n := 0; n < len(file); n += 7 {
		if _, err := Describe(bytes.NewReader(file[:n]), int64(n), "x"); err == nil {
			t.Errorf("cut to %d bytes: no error", n)
		}
	}
	footer := func(b []byte) []byte {
		out := append([]byte(magic), b...)
		out = binary.LittleEndian.AppendUint32(out, uint32(len(b)))
		return append(out, magic...)
	}
	huge := footer([]byte{0x15, 2, 0x19, 0xfc, 0xff, 0xff, 0xff, 0x2f, 0x48, 1, 'x'}) // a schema of 100 million elements
	deep := []byte{0x15, 2, 0x19, 0xfc}
	deep = binary.AppendUvarint(deep, 1000)
	for range 1000 {
		deep = append(deep, 0x48, 1, 'x', 0x15, 2, 0) // a group of one
	}
	deep = append(deep, 0x16, 0, 0x19, 0x0c, 0)
	for name, c := range map[string]struct {
		file []byte
		want string
	}{"list": {huge, "a list claims"}, "depth": {footer(deep), "nests deeper"}} {
		if _, err := Describe(bytes.NewReader(c.file), int64(len(c.file)), "x"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzDescribe(f *testing.F) {
	f.Add(small(f))
	paths, _ := filepath.Glob("testdata/*.parquet")
	for _, p := range paths {
		if b, err := os.ReadFile(p); err == nil && len(b) < 64<<10 {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Describe(bytes.NewReader(b), int64(len(b)), "x")
		if (d == nil) == (err == nil) {
			t.Fatal(d, err)
		}
	})
}
