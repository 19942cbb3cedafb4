package parquetio

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/sluicelake/sluice/types"
)

// lowFile writes leaf values with given levels through arrow-go's low-level writers.
func lowFile(t testing.TB, root schema.FieldList, write ...func(w file.ColumnChunkWriter) error) []byte {
	t.Helper()
	g, err := schema.NewGroupNode("schema", parquet.Repetitions.Required, root, -1)
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	w, err := file.NewParquetWriterWithError(&buf, g)
	if err != nil {
		t.Fatal(err)
	}
	rg, err := w.AppendRowGroupChecked()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range write {
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

func int32s(vals []int32, defs, reps []int16) func(file.ColumnChunkWriter) error {
	return func(w file.ColumnChunkWriter) error {
		_, err := w.(*file.Int32ColumnChunkWriter).WriteBatch(vals, defs, reps)
		return err
	}
}

func int64s(vals ...int64) func(file.ColumnChunkWriter) error {
	return func(w file.ColumnChunkWriter) error {
		_, err := w.(*file.Int64ColumnChunkWriter).WriteBatch(vals, nil, nil)
		return err
	}
}

func must(n schema.Node, err error) schema.Node {
	if err != nil {
		panic(err)
	}
	return n
}

func logicalNode(name string, l schema.LogicalType, p parquet.Type, width int) schema.Node {
	return must(schema.NewPrimitiveNodeLogical(name, parquet.Repetitions.Required, l, p, width, -1))
}

func TestInt96OverTheWholeRange(t *testing.T) {
	day := func(julian uint32, nanos uint64) (v parquet.Int96) {
		copy(v[:], bytesOf([]uint64{nanos}))
		copy(v[8:], bytesOf([]uint32{julian}))
		return v
	}
	data := lowFile(t, schema.FieldList{schema.NewInt96Node("t", parquet.Repetitions.Required, -1)}, func(w file.ColumnChunkWriter) error {
		_, err := w.(*file.Int96ColumnChunkWriter).WriteBatch([]parquet.Int96{
			day(2440588, 1999), day(1721426, 0), day(2305813, 0), day(5373484, 86_399_999_999_000)}, nil, nil)
		return err
	})
	for _, typ := range []types.Type{types.Timestamp, types.TimestampNTZ} {
		z := map[types.Type]string{types.Timestamp: "Z"}[typ]
		got, _ := readRows(t, data, Query{Schema: types.NewStruct(field("t", typ))})
		sameRows(t, got, []string{`{"t":"1970-01-01T00:00:00.000001` + z + `"}`, `{"t":"0001-01-01T00:00:00.000000` + z + `"}`,
			`{"t":"1600-12-31T00:00:00.000000` + z + `"}`, `{"t":"9999-12-31T23:59:59.999999` + z + `"}`})
	}
}

func TestUnitsSignsAndWidening(t *testing.T) {
	ts := func(u schema.TimeUnitType) schema.LogicalType { return schema.NewTimestampLogicalType(true, u) }
	dec := types.Decimal{Precision: 20, Scale: 2}
	cases := []struct {
		name string
		node schema.Node
		w    func(file.ColumnChunkWriter) error
		t    types.Type
		want string
	}{
		{"millis", logicalNode("c", ts(schema.TimeUnitMillis), parquet.Types.Int64, 0), int64s(-1), types.Timestamp, `"1969-12-31T23:59:59.999000Z"`},
		{"nanos", logicalNode("c", ts(schema.TimeUnitNanos), parquet.Types.Int64, 0), int64s(-1), types.TimestampNTZ, `"1969-12-31T23:59:59.999999"`},
		{"uint32", logicalNode("c", schema.NewIntLogicalType(32, false), parquet.Types.Int32, 0), int32s([]int32{-1}, nil, nil), types.Long, `4294967295`},
		{"uint64", logicalNode("c", schema.NewIntLogicalType(64, false), parquet.Types.Int64, 0), int64s(-1), types.Decimal{Precision: 20}, `"18446744073709551615"`},
		{"int to long", schema.NewInt32Node("c", parquet.Repetitions.Required, -1), int32s([]int32{-7}, nil, nil), types.Long, `-7`},
		{"int to double", schema.NewInt32Node("c", parquet.Repetitions.Required, -1), int32s([]int32{-7}, nil, nil), types.Double, `-7`},
		{"int to decimal", schema.NewInt32Node("c", parquet.Repetitions.Required, -1), int32s([]int32{-7}, nil, nil), dec, `"-7.00"`},
		{"date to timestamp_ntz", logicalNode("c", schema.DateLogicalType{}, parquet.Types.Int32, 0), int32s([]int32{1}, nil, nil), types.TimestampNTZ, `"1970-01-02T00:00:00.000000"`},
		{"wider scale", logicalNode("c", schema.NewDecimalLogicalType(9, 1), parquet.Types.Int32, 0), int32s([]int32{-15}, nil, nil), dec, `"-1.50"`},
		{"decimal in bytes", logicalNode("c", schema.NewDecimalLogicalType(20, 2), parquet.Types.ByteArray, 0), func(w file.ColumnChunkWriter) error {
			_, err := w.(*file.ByteArrayColumnChunkWriter).WriteBatch([]parquet.ByteArray{{0xff, 0x6a}}, nil, nil)
			return err
		}, dec, `"-1.50"`},
		{"decimal in 20 bytes", logicalNode("c", schema.NewDecimalLogicalType(38, 2), parquet.Types.FixedLenByteArray, 20), func(w file.ColumnChunkWriter) error {
			_, err := w.(*file.FixedLenByteArrayColumnChunkWriter).WriteBatch([]parquet.FixedLenByteArray{append(bytes.Repeat([]byte{0xff}, 19), 0x9c)}, nil, nil)
			return err
		}, types.Decimal{Precision: 38, Scale: 2}, `"-1.00"`},
		{"float to double", schema.NewFloat32Node("c", parquet.Repetitions.Required, -1), func(w file.ColumnChunkWriter) error {
			_, err := w.(*file.Float32ColumnChunkWriter).WriteBatch([]float32{1.5}, nil, nil)
			return err
		}, types.Double, `1.5`},
		{"enum", logicalNode("c", schema.EnumLogicalType{}, parquet.Types.ByteArray, 0), func(w file.ColumnChunkWriter) error {
			_, err := w.(*file.ByteArrayColumnChunkWriter).WriteBatch([]parquet.ByteArray{[]byte("E")}, nil, nil)
			return err
		}, types.String, `"E"`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, _ := readRows(t, lowFile(t, schema.FieldList{c.node}, c.w), Query{Schema: types.NewStruct(field("c", c.t))})
			sameRows(t, got, []string{`{"c":` + c.want + `}`})
		})
	}
}

func TestWhatDoesNotFitIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		node schema.Node
		w    func(file.ColumnChunkWriter) error
		t    types.Type
		want string
	}{
		"text as number":    {schema.NewInt64Node("c", parquet.Repetitions.Required, -1), int64s(1), types.String, "column c is INT64 in the file, the table says string"},
		"number too large":  {schema.NewInt64Node("c", parquet.Repetitions.Required, -1), int64s(math.MaxInt64), types.Integer, "does not fit"},
		"byte too large":    {schema.NewInt32Node("c", parquet.Repetitions.Required, -1), int32s([]int32{300}, nil, nil), types.Byte, "does not fit"},
		"scale would round": {logicalNode("c", schema.NewDecimalLogicalType(9, 2), parquet.Types.Int32, 0), int32s([]int32{151}, nil, nil), types.Decimal{Precision: 9, Scale: 1}, "does not fit"},
		"uint64 too large":  {logicalNode("c", schema.NewIntLogicalType(64, false), parquet.Types.Int64, 0), int64s(-1), types.Long, "does not fit"},
		"narrower decimal":  {logicalNode("c", schema.NewDecimalLogicalType(9, 2), parquet.Types.Int32, 0), int32s([]int32{123456}, nil, nil), types.Decimal{Precision: 5, Scale: 2}, "does not fit"},
		"a time of day":     {logicalNode("c", schema.NewTimeLogicalType(true, schema.TimeUnitMillis), parquet.Types.Int32, 0), int32s([]int32{1}, nil, nil), types.Integer, "the table says int"},
		"a date too far":    {logicalNode("c", schema.DateLogicalType{}, parquet.Types.Int32, 0), int32s([]int32{math.MaxInt32}, nil, nil), types.TimestampNTZ, "does not fit"},
		"struct as number":  {schema.NewInt64Node("c", parquet.Repetitions.Required, -1), int64s(1), types.NewStruct(field("x", types.Long)), "the table says struct"},
	} {
		data := lowFile(t, schema.FieldList{c.node}, c.w)
		f, err := Open(bytes.NewReader(data), int64(len(data)), OpenOptions{Name: "f.parquet"})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range f.Read(t.Context(), Query{Schema: types.NewStruct(field("c", c.t))}) {
			err = e
		}
		var mine *Error
		if !errors.As(err, &mine) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "f.parquet") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLegacyListsAndMaps: the shapes that writers used before the format settled
// on three levels.
func TestLegacyListsAndMaps(t *testing.T) {
	R := parquet.Repetitions
	i32 := func(name string, r parquet.Repetition) schema.Node { return schema.NewInt32Node(name, r, -1) }
	list := func(kids ...schema.Node) schema.Node {
		return must(schema.NewGroupNodeLogical("c", R.Optional, kids, schema.NewListLogicalType(), -1))
	}
	group := func(name string, kids ...schema.Node) schema.Node {
		return must(schema.NewGroupNode(name, R.Repeated, kids, -1))
	}
	ints := types.NewStruct(field("c", &types.Array{Element: types.Integer, ContainsNull: true}))
	one := types.NewStruct(field("c", &types.Array{Element: types.NewStruct(field("x", types.Integer)), ContainsNull: true}))
	pair := types.NewStruct(field("c", &types.Array{Element: types.NewStruct(field("x", types.Integer), field("y", types.Integer)), ContainsNull: true}))
	vals, defs, reps := []int32{1, 2, 3}, []int16{2, 2, 1, 0, 2}, []int16{0, 1, 0, 0, 0}
	rows := []string{`{"c":[1,2]}`, `{"c":[]}`, `{"c":null}`, `{"c":[3]}`}
	inX := strings.NewReplacer("1", `{"x":1}`, "2", `{"x":2}`, "3", `{"x":3}`)
	inXY := strings.NewReplacer("1", `{"x":1,"y":1}`, "2", `{"x":2,"y":2}`, "3", `{"x":3,"y":3}`)
	with := func(r *strings.Replacer) (out []string) {
		for _, s := range rows {
			out = append(out, r.Replace(s))
		}
		return out
	}
	w := int32s(vals, defs, reps)
	cases := map[string]struct {
		nodes schema.FieldList
		w     []func(file.ColumnChunkWriter) error
		s     *types.Struct
		want  []string
	}{
		"repeated primitive": {schema.FieldList{list(i32("element", R.Repeated))}, []func(file.ColumnChunkWriter) error{w}, ints, rows},
		"array group":        {schema.FieldList{list(group("array", i32("x", R.Required)))}, []func(file.ColumnChunkWriter) error{w}, one, with(inX)},
		"tuple group":        {schema.FieldList{list(group("c_tuple", i32("x", R.Required)))}, []func(file.ColumnChunkWriter) error{w}, one, with(inX)},
		"two fields":         {schema.FieldList{list(group("element", i32("x", R.Required), i32("y", R.Required)))}, []func(file.ColumnChunkWriter) error{w, w}, pair, with(inXY)},
		"struct of one":      {schema.FieldList{list(group("bag", i32("x", R.Required)))}, []func(file.ColumnChunkWriter) error{w}, one, with(inX)},
		"bag":                {schema.FieldList{list(group("bag", i32("array_element", R.Required)))}, []func(file.ColumnChunkWriter) error{w}, ints, rows},
		"bare repeated": {schema.FieldList{i32("c", R.Repeated)}, []func(file.ColumnChunkWriter) error{int32s(vals, []int16{1, 1, 0, 1}, []int16{0, 1, 0, 0})}, ints,
			[]string{`{"c":[1,2]}`, `{"c":[]}`, `{"c":[3]}`}},
		"map": {schema.FieldList{must(schema.NewGroupNodeConverted("c", R.Optional, schema.FieldList{group("map", i32("k", R.Required), i32("v", R.Required))}, schema.ConvertedTypes.MapKeyValue, -1))},
			[]func(file.ColumnChunkWriter) error{w, w}, types.NewStruct(field("c", &types.Map{Key: types.Integer, Value: types.Integer, ValueContainsNull: true})),
			with(strings.NewReplacer("1", "[1,1]", "2", "[2,2]", "3", "[3,3]"))},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, _ := readRows(t, lowFile(t, c.nodes, c.w...), Query{Schema: c.s})
			sameRows(t, got, c.want)
		})
	}
}

// TestNamesWithoutCase: names that differ in case alone are one, unless the file
// has several of them and none is exact.
func TestNamesWithoutCase(t *testing.T) {
	col := func(name string) schema.Node { return schema.NewInt64Node(name, parquet.Repetitions.Required, -1) }
	for _, c := range []struct {
		file []string
		want string
	}{
		{[]string{"ab"}, "0"}, {[]string{"AB"}, "0"}, {[]string{"AB", "ab"}, "1"}, {[]string{"x"}, "null"},
		{[]string{"AB", "Ab"}, "ambiguous"}, {[]string{"ab", "ab"}, "ambiguous"},
	} {
		var nodes schema.FieldList
		var writes []func(file.ColumnChunkWriter) error
		for i, n := range c.file {
			nodes, writes = append(nodes, col(n)), append(writes, int64s(int64(i)))
		}
		data := lowFile(t, nodes, writes...)
		q := Query{Schema: types.NewStruct(field("ab", types.Long))}
		if c.want != "ambiguous" {
			got, _ := readRows(t, data, q)
			sameRows(t, got, []string{`{"ab":` + c.want + `}`})
			continue
		}
		f, err := Open(bytes.NewReader(data), int64(len(data)), OpenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range f.Read(t.Context(), q) {
			err = e
		}
		var a *AmbiguousError
		if !errors.As(err, &a) {
			t.Errorf("%v: %v", c.file, err)
		}
	}
}

// TestFieldIDsOnly: by id nothing is found by name, and a file without ids is refused.
func TestFieldIDsOnly(t *testing.T) {
	withID := func(name string, typ types.Type, id int64) types.Field {
		f := field(name, typ)
		f.Metadata = f.Metadata.With(fieldIDKey, id)
		return f
	}
	file1 := lowFile(t, schema.FieldList{schema.NewInt64Node("b", parquet.Repetitions.Required, 1), schema.NewInt64Node("a", parquet.Repetitions.Required, 2),
		schema.NewInt64Node("c", parquet.Repetitions.Required, -1)}, int64s(10), int64s(20), int64s(30))
	got, _ := readRows(t, file1, Query{ByID: true, Schema: types.NewStruct(withID("a", types.Long, 1), withID("b", types.Long, 2), withID("c", types.Long, 3))})
	sameRows(t, got, []string{`{"a":10,"b":20,"c":null}`})
	file2 := lowFile(t, schema.FieldList{schema.NewInt64Node("a", parquet.Repetitions.Required, -1)}, int64s(10))
	f, err := Open(bytes.NewReader(file2), int64(len(file2)), OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range f.Read(t.Context(), Query{ByID: true, Schema: types.NewStruct(withID("a", types.Long, 1))}) {
		err = e
	}
	if !errors.Is(err, errNoIDs) {
		t.Errorf("without ids: %v", err)
	}
}

// FuzzRead: damaged files give errors that name the file, or rows; never a panic.
func FuzzRead(f *testing.F) {
	s := everyType()
	for _, o := range []WriterOptions{{}, {PageRows: 5, RowGroupRows: 12}, {Codec: Zstd}} {
		f.Add(writeFile(f, s, o, sampleColumns(f, s, 0, 30)))
	}
	f.Add(arrowFile(f, s, sampleColumns(f, s, 0, 30), parquet.WithDataPageVersion(parquet.DataPageV2)))
	f.Fuzz(func(t *testing.T, data []byte) { readDamaged(t, data) })
}

func readDamaged(t *testing.T, data []byte) {
	file, err := Open(bytes.NewReader(data), int64(len(data)), OpenOptions{Name: "damaged.parquet"})
	if err == nil {
		for _, e := range file.Read(t.Context(), Query{Schema: everyType()}) {
			err = e
		}
	}
	var mine *Error
	if err != nil && (!errors.As(err, &mine) || mine.File != "damaged.parquet") {
		t.Fatalf("%v does not name the file", err)
	}
}

func TestDamagedFiles(t *testing.T) {
	s := everyType()
	good := writeFile(t, s, WriterOptions{PageRows: 5}, sampleColumns(t, s, 0, 20))
	for n := 0; n < len(good); n += 97 {
		readDamaged(t, good[:n])
	}
	for i := 0; i < len(good); i += 3 {
		bad := bytes.Clone(good)
		bad[i] ^= 0x5a
		readDamaged(t, bad)
	}
}
