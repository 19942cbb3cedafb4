package parquetio

import (
	"bytes"
	"testing"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// TestOldCalendar walks every day from year 1 to 1582 and counts both calendars
// on by one day.
func TestOldCalendar(t *testing.T) {
	var c *oldCalendar
	y, m, d := int64(1), 1, 1
	leap := func() bool { return y%4 == 0 }
	for days := columns.Days(1, 1, 1) - 2; days <= lastJulianDay; days++ { // 0001-01-01 Julian is two days before
		if gy, gm, gd := julianCivil(days); gy != y || gm != m || gd != d {
			t.Fatalf("day %d is %d-%d-%d, want %d-%d-%d", days, gy, gm, gd, y, m, d)
		}
		want := columns.Days(y, m, 1) + int64(d) - 1
		if got := c.day(days); got != want {
			t.Fatalf("%d-%d-%d: %d, want %d", y, m, d, got, want)
		}
		length := [13]int{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[m]
		if m == 2 && leap() {
			length++
		}
		if d++; d > length {
			d, m = 1, m+1
		}
		if m > 12 {
			m, y = 1, y+1
		}
	}
	if y != 1582 || m != 10 || d != 5 {
		t.Fatalf("the Julian calendar ends before %d-%d-%d", y, m, d)
	}
	if c.day(lastJulianDay+1) != lastJulianDay+1 {
		t.Error("1582-10-15 has moved")
	}
}

// datesFile holds the same old days in a date, a micros timestamp, INT96 and a
// timestamp without a zone, with keys in its footer.
func datesFile(t testing.TB, kv map[string]string) []byte {
	t.Helper()
	ts := func(utc bool) schema.LogicalType { return schema.NewTimestampLogicalType(utc, schema.TimeUnitMicros) }
	g, err := schema.NewGroupNode("schema", parquet.Repetitions.Required, schema.FieldList{
		logicalNode("d", schema.DateLogicalType{}, parquet.Types.Int32, 0), logicalNode("t", ts(true), parquet.Types.Int64, 0),
		schema.NewInt96Node("i", parquet.Repetitions.Required, -1), logicalNode("n", ts(false), parquet.Types.Int64, 0)}, -1)
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	meta := metadata.NewKeyValueMetadata()
	for k, v := range kv {
		meta.Append(k, v)
	}
	w, err := file.NewParquetWriterWithError(&buf, g, file.WithWriteMetadata(meta))
	if err != nil {
		t.Fatal(err)
	}
	rg := w.AppendRowGroup()
	day := int64(-682944) // 0100-03-01 Gregorian, 0100-03-02 Julian
	var i96 parquet.Int96
	copy(i96[8:], bytesOf([]uint32{uint32(day + 2_440_588)}))
	for _, f := range []func(file.ColumnChunkWriter) error{int32s([]int32{int32(day)}, nil, nil), int64s(day * microsPerDay), func(w file.ColumnChunkWriter) error {
		_, err := w.(*file.Int96ColumnChunkWriter).WriteBatch([]parquet.Int96{i96}, nil, nil)
		return err
	}, int64s(day * microsPerDay)} {
		c, err := rg.NextColumn()
		if err != nil {
			t.Fatal(err)
		}
		if err := f(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestCalendarOfTheWriter(t *testing.T) {
	const zone = "America/Los_Angeles"
	row := func(d, t, i string) string {
		return `{"d":"` + d + `","t":"` + t + `Z","i":"` + i + `Z","n":"0100-03-01T00:00:00.000000"}`
	}
	const same, moved = "0100-03-01T00:00:00.000000", "0100-03-02T00:00:00.000000"
	for name, c := range map[string]struct {
		kv   map[string]string
		want string
	}{
		"nothing is known":       {nil, row("0100-03-01", same, same)},
		"Spark 2.4":              {map[string]string{sparkVersionKey: "2.4.8"}, row("0100-03-02", moved, moved)},
		"Spark 3.0":              {map[string]string{sparkVersionKey: "3.0.3"}, row("0100-03-01", same, moved)},
		"Spark 3.5":              {map[string]string{sparkVersionKey: "3.5.1"}, row("0100-03-01", same, same)},
		"Spark 3.5 legacy":       {map[string]string{sparkVersionKey: "3.5.1", legacyDatesKey: ""}, row("0100-03-02", moved, same)},
		"Spark 3.5 legacy INT96": {map[string]string{sparkVersionKey: "3.5.1", legacyInt96Key: "", sparkZoneKey: "UTC"}, row("0100-03-01", same, moved)},
		"another writer":         {map[string]string{legacyInt96Key: ""}, row("0100-03-01", same, same)},
		"in a time zone": {map[string]string{sparkVersionKey: "3.5.1", legacyDatesKey: "", sparkZoneKey: zone},
			// 1900: -08:00, before 1883 the sun of the city: -07:52:58
			row("0100-03-02", "0100-03-01T23:52:58.000000", same)},
	} {
		t.Run(name, func(t *testing.T) {
			s := types.NewStruct(field("d", types.Date), field("t", types.Timestamp), field("i", types.Timestamp), field("n", types.TimestampNTZ))
			got, _ := readRows(t, datesFile(t, c.kv), Query{Schema: s})
			sameRows(t, got, []string{c.want})
		})
	}
}
