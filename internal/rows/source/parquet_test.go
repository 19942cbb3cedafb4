package source

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// TestParquetDialects: a source may be written as oddly as a table's file: here a
// timestamp of 96 bits that nanoseconds cannot reach, beside a time of day.
func TestParquetDialects(t *testing.T) {
	clock, err := schema.NewPrimitiveNodeLogical("clock", parquet.Repetitions.Required, schema.NewTimeLogicalType(true, schema.TimeUnitMillis), parquet.Types.Int32, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	root, err := schema.NewGroupNode("schema", parquet.Repetitions.Required, schema.FieldList{schema.NewInt96Node("T", parquet.Repetitions.Required, -1), clock}, -1)
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	w := file.NewParquetWriter(&buf, root)
	rg := w.AppendRowGroup()
	c, _ := rg.NextColumn()
	var v parquet.Int96
	binary.LittleEndian.PutUint32(v[8:], 1721426)
	c.(*file.Int96ColumnChunkWriter).WriteBatch([]parquet.Int96{v}, nil, nil)
	c, _ = rg.NextColumn()
	c.(*file.Int32ColumnChunkWriter).WriteBatch([]int32{1}, nil, nil)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenReader(t.Context(), bytes.NewReader(buf.Bytes()), Options{}); err == nil {
		t.Error("a time of day was given a type")
	}
	s, err := OpenReader(t.Context(), bytes.NewReader(buf.Bytes()), Options{Schema: ddl(t, "t TIMESTAMP, other INT")})
	if err != nil {
		t.Fatal(err)
	}
	if rows, err := rowsOf(t, s); err != nil || rows != lines(`{"t":"0001-01-01T00:00:00.000000Z","other":null}`) {
		t.Errorf("%v\n%s", err, rows)
	}
}
