package sluice_test

import (
	"context"
	"database/sql"
	"errors"
	"math/big"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

type base struct {
	ID int64 `delta:"id"`
}

type address struct {
	Street string   `delta:"street"`
	Zip    *int32   `delta:"zip"`
	Tags   []string `delta:"tags"`
}

// everything has a field of each kind.
type everything struct {
	base
	Flag     bool                `delta:"flag"`
	I8       int8                `delta:"i8"`
	I16      int16               `delta:"i16"`
	I32      int32               `delta:"i32"`
	Int      int                 `delta:"int"`
	U8       uint8               `delta:"u8"`
	U16      uint16              `delta:"u16"`
	U32      uint32              `delta:"u32"`
	U64      uint64              `delta:"u64,type=DECIMAL(20,0)"`
	F32      float32             `delta:"f32"`
	F64      float64             `delta:"f64"`
	Text     string              `delta:"text"`
	Bytes    []byte              `delta:"bytes"`
	Hash     [4]byte             `delta:"hash"`
	Moment   time.Time           `delta:"moment"`
	Local    time.Time           `delta:"local,type=TIMESTAMP_NTZ"`
	Day      civil.Day           `delta:"day"`
	Midnight time.Time           `delta:"midnight,type=DATE"`
	Price    sluice.Decimal      `delta:"price,type=DECIMAL(12,2)"`
	Ratio    *big.Rat            `delta:"ratio,type=DECIMAL(12,4)"`
	Big      big.Int             `delta:"big"`
	Digits   string              `delta:"digits,type=DECIMAL(10,1)"`
	Addr     netip.Addr          `delta:"addr"`
	PText    *string             `delta:"ptext"`
	PTime    *time.Time          `delta:"ptime"`
	NText    sql.NullString      `delta:"ntext"`
	NInt     sql.Null[int32]     `delta:"nint"`
	Empty    int64               `delta:"empty,omitempty"`
	List     []int32             `delta:"list"`
	PList    []*float64          `delta:"plist"`
	Map      map[string]int64    `delta:"map"`
	Deep     map[int32][]address `delta:"deep"`
	Home     address             `delta:"home"`
	Work     *address            `delta:"work"`
	Past     []address           `delta:"past"`
	Left     chan int            `delta:"-"`
	hidden   int
}

var same = cmp.Options{cmp.AllowUnexported(everything{}, base{}), cmpopts.IgnoreFields(everything{}, "Left", "hidden"),
	cmp.Comparer(func(a, b big.Int) bool { return a.Cmp(&b) == 0 }), cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b big.Rat) bool { return a.Cmp(&b) == 0 }), cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })}

func ptr[T any](g *rapid.Generator[T]) *rapid.Generator[*T] { return rapid.Ptr(g, true) }

func sliceOf[T any](g *rapid.Generator[T]) *rapid.Generator[[]T] {
	return rapid.Custom(func(t *rapid.T) []T {
		if rapid.Bool().Draw(t, "nil") {
			return nil
		}
		return append([]T{}, rapid.SliceOfN(g, 0, 4).Draw(t, "slice")...)
	})
}

var moments = rapid.Custom(func(t *rapid.T) time.Time {
	return time.UnixMicro(rapid.Int64Range(-1<<55, 1<<55).Draw(t, "micros")).UTC()
})

var days = rapid.Custom(func(t *rapid.T) civil.Day { return civil.Day(rapid.Int32Range(-700_000, 2_900_000).Draw(t, "day")) })

var addresses = rapid.Custom(func(t *rapid.T) address {
	return address{rapid.String().Draw(t, "street"), ptr(rapid.Int32()).Draw(t, "zip"), sliceOf(rapid.String()).Draw(t, "tags")}
})

var everythings = rapid.Custom(func(t *rapid.T) everything {
	d := sluice.Decimal{Unscaled: big.NewInt(rapid.Int64Range(-999_999_999_999, 999_999_999_999).Draw(t, "price")), Scale: 2}
	e := everything{Flag: rapid.Bool().Draw(t, "flag"), I8: rapid.Int8().Draw(t, "i8"), I16: rapid.Int16().Draw(t, "i16"), I32: rapid.Int32().Draw(t, "i32"), Int: rapid.Int().Draw(t, "int"),
		U8: rapid.Uint8().Draw(t, "u8"), U16: rapid.Uint16().Draw(t, "u16"), U32: rapid.Uint32().Draw(t, "u32"), U64: rapid.Uint64().Draw(t, "u64"),
		F32: rapid.Float32().Draw(t, "f32"), F64: rapid.Float64().Draw(t, "f64"), Text: rapid.String().Draw(t, "text"), Bytes: sliceOf(rapid.Byte()).Draw(t, "bytes"),
		Moment: moments.Draw(t, "moment"), Local: moments.Draw(t, "local"), Day: days.Draw(t, "day"), Midnight: days.Draw(t, "midnight").Time(),
		Price: d, Big: *big.NewInt(rapid.Int64().Draw(t, "big")), Digits: rapid.SampledFrom([]string{"0.0", "-17.5", "123456789.1"}).Draw(t, "digits"),
		Addr: netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "addr"))), PText: ptr(rapid.String()).Draw(t, "ptext"), PTime: ptr(moments).Draw(t, "ptime"),
		Empty: rapid.Int64().Draw(t, "empty"), List: sliceOf(rapid.Int32()).Draw(t, "list"), PList: sliceOf(ptr(rapid.Float64())).Draw(t, "plist"),
		Home: addresses.Draw(t, "home"), Work: ptr(addresses).Draw(t, "work"), Past: sliceOf(addresses).Draw(t, "past")}
	e.ID = rapid.Int64().Draw(t, "id")
	copy(e.Hash[:], rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "hash"))
	if rapid.Bool().Draw(t, "ratio") {
		e.Ratio = big.NewRat(rapid.Int64Range(-99_999_999, 99_999_999).Draw(t, "num"), 10_000)
	}
	if rapid.Bool().Draw(t, "ntext") {
		e.NText = sql.NullString{String: rapid.String().Draw(t, "ntext text"), Valid: true}
		e.NInt = sql.Null[int32]{V: rapid.Int32().Draw(t, "nint value"), Valid: true}
	}
	if rapid.Bool().Draw(t, "maps") {
		e.Map, e.Deep = map[string]int64{}, map[int32][]address{}
		for range rapid.IntRange(0, 3).Draw(t, "entries") {
			e.Map[rapid.String().Draw(t, "key")] = rapid.Int64().Draw(t, "value")
			e.Deep[rapid.Int32().Draw(t, "key")] = sliceOf(addresses).Draw(t, "value")
		}
	}
	return e
})

// What goes in as structs comes out as the same structs, by value and by pointer.
func TestStructsRoundTrip(t *testing.T) {
	ctx := context.Background()
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(everythings, 0, 5).Draw(t, "rows")
		src, err := sluice.FromStructs(want)
		if err != nil {
			t.Fatal(err)
		}
		var got []everything
		for row, err := range sluice.Rows[everything](ctx, src) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, row)
		}
		if d := cmp.Diff(want, got, same, cmpopts.EquateEmpty(), cmp.Comparer(func(a, b sluice.Decimal) bool { return a.String() == b.String() })); d != "" {
			t.Fatal(d)
		}
		again, err := sluice.FromRows(sluice.Rows[*everything](ctx, src))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for row, err := range sluice.Rows[*everything](ctx, again) {
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want[n], *row, same, cmp.Comparer(func(a, b sluice.Decimal) bool { return a.String() == b.String() })); d != "" {
				t.Fatal(d)
			}
			n++
		}
	})
}

// Through a table: files, statistics and scans with fewer columns are in between.
func TestStructsThroughTable(t *testing.T) {
	ctx := context.Background()
	schema, err := sluice.SchemaOf[everything]()
	if err != nil {
		t.Fatal(err)
	}
	table, err := sluice.Create(ctx, t.TempDir(), schema, sluice.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	var want []everything
	for i := range 3000 {
		e := everythings.Example(i % 20)
		e.ID = int64(i)
		want = append(want, e)
	}
	res, err := table.AppendRows(ctx, want, sluice.AppendOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if res.Rows != 3000 {
		t.Errorf("%d rows were appended", res.Rows)
	}
	s, err := table.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	got := collect[everything](t, s.Scan(sluice.ScanOptions{}))
	slices.SortFunc(got, func(a, b everything) int { return int(a.ID - b.ID) })
	if d := cmp.Diff(want, got, same, cmp.Comparer(func(a, b sluice.Decimal) bool { return a.String() == b.String() })); d != "" {
		t.Fatal(d)
	}
	type few struct {
		Home struct{ Zip *int32 }
		ID   uint16
		Gone string `delta:",optional"`
	}
	for _, f := range collect[few](t, s.Scan(sluice.ScanOptions{Where: "id >= 2990"})) {
		if f.ID < 2990 || !cmp.Equal(f.Home.Zip, want[f.ID].Home.Zip) {
			t.Errorf("id %d: zip %v", f.ID, f.Home.Zip)
		}
	}
	session := sluice.NewSession(sluice.SessionOptions{})
	defer session.Close()
	session.Table("t", table.URL())
	for r, err := range session.SQL(ctx, "SELECT count(*) AS n, max(id) AS top FROM t") {
		if err != nil {
			t.Fatal(err)
		}
		type counted struct{ N, Top *int }
		if c := collect[counted](t, r); *c[0].N != 3000 || *c[0].Top != 2999 {
			t.Errorf("counted %+v", c)
		}
	}
}

func collect[T any](t *testing.T, from sluice.Batched[arrow.RecordBatch]) []T {
	t.Helper()
	var out []T
	for row, err := range sluice.Rows[T](context.Background(), from) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, row)
	}
	return out
}

func TestSchemaOf(t *testing.T) {
	schema, err := sluice.SchemaOf[everything]()
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join(strings.Fields(`id BIGINT NOT NULL, flag BOOLEAN NOT NULL, i8 TINYINT NOT NULL, i16 SMALLINT NOT NULL, i32 INT NOT NULL, int BIGINT NOT NULL,
		u8 SMALLINT NOT NULL, u16 INT NOT NULL, u32 BIGINT NOT NULL, u64 DECIMAL(20,0) NOT NULL, f32 FLOAT NOT NULL, f64 DOUBLE NOT NULL, text STRING NOT NULL, bytes BINARY,
		hash BINARY NOT NULL, moment TIMESTAMP NOT NULL, local TIMESTAMP_NTZ NOT NULL, day DATE NOT NULL, midnight DATE NOT NULL, price DECIMAL(12,2) NOT NULL, ratio DECIMAL(12,4),
		big DECIMAL(38,0) NOT NULL, digits DECIMAL(10,1) NOT NULL, addr STRING NOT NULL, ptext STRING, ptime TIMESTAMP, ntext STRING, nint INT, empty BIGINT, list ARRAY<INT>,
		plist ARRAY<DOUBLE>, map MAP<STRING, BIGINT>, deep MAP<INT, ARRAY<STRUCT<street: STRING, zip: INT, tags: ARRAY<STRING>>>>,
		home STRUCT<street: STRING NOT NULL, zip: INT, tags: ARRAY<STRING>> NOT NULL, work STRUCT<street: STRING, zip: INT, tags: ARRAY<STRING>>,
		past ARRAY<STRUCT<street: STRING, zip: INT, tags: ARRAY<STRING>>>`), " ")
	if got := types.FormatDDL(schema); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

// encodeError is the error of writing one struct.
func encodeError[T any](row T) error {
	src, err := sluice.FromStructs([]T{row})
	if err != nil {
		return err
	}
	for _, err := range src.Batches(context.Background()) {
		if err != nil {
			return err
		}
	}
	return nil
}

// decodeError is the error of reading the row (i BIGINT 300, s STRING NULL, f DOUBLE, l ARRAY<INT> [1, NULL], d DECIMAL(5,2)) as a struct.
func decodeError[T any](t *testing.T) error {
	session := sluice.NewSession(sluice.SessionOptions{})
	defer session.Close()
	for r, err := range session.SQL(context.Background(), "SELECT 300L AS i, CAST(NULL AS STRING) AS s, 1.5D AS f, array(1, NULL) AS l, 1.25BD AS d, named_struct('x', CAST(NULL AS INT)) AS st") {
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range sluice.Rows[T](context.Background(), r) {
			return err
		}
	}
	return nil
}

func TestStructErrors(t *testing.T) {
	type inner struct{ X int32 }
	type node struct {
		Next *node `delta:"next"`
	}
	type twice struct {
		A string `delta:"a"`
		B string `delta:"A"`
	}
	type tagged struct {
		A string `delta:"a,omitzero"`
	}
	type narrow struct {
		A int `delta:"a,type=TINYINT"`
	}
	type cents struct {
		A string `delta:"a,type=DECIMAL(4,2)"`
	}
	type loose struct{ A sluice.Decimal }
	type wrong struct {
		A string `delta:"a,type=INT"`
	}
	type channel struct{ A chan int }
	type variant struct{ V any }
	for _, c := range []struct {
		err  error
		want string
	}{
		{encodeError(twice{}), "field twice.B (string), column A: the field twice.A is for the same column"},
		{encodeError(tagged{}), "field tagged.A (string), column a: its tag has an option omitzero; there are omitempty, nullable, optional and, last, type=..."},
		{encodeError(narrow{128}), "field narrow.A (int), column a (tinyint), row 0: 128 is outside the range of TINYINT"},
		{encodeError(cents{"1.234"}), "field cents.A (string), column a (decimal(4,2)), row 0: 1.234 has more than 2 digits after the point"},
		{encodeError(cents{"100"}), "field cents.A (string), column a (decimal(4,2)), row 0: 100 is outside the range of DECIMAL(4,2)"},
		{encodeError(cents{"x"}), `field cents.A (string), column a (decimal(4,2)), row 0: "x" is no number`},
		{encodeError(loose{}), "field loose.A (expr.Decimal), column A: digits are not known: add type=DECIMAL(precision,scale) to its tag"},
		{encodeError(wrong{}), "field wrong.A (string), column a (int): values of the Go type string cannot be stored as INT"},
		{encodeError(channel{}), "field channel.A (chan int), column A: no column has values of this Go type"},
		{encodeError(variant{}), "field variant.V (interface {}), column V (variant): values of type VARIANT cannot be written from Go: use parse_json in SQL"},
		{encodeError(node{}), "field node.Next (*sluice_test.node), column next: sluice_test.node contains itself, and a schema is finite"},
		{encodeError(17), "field row (int): a row is a struct with exported fields"},
		{encodeError[*narrow](nil), "field row (*sluice_test.narrow), row 0: the pointer is nil, and a row is never NULL"},
		{decodeError[struct{ I int8 }](t), "field struct { I int8 }.I (int8), column I (bigint), row 0: 300 is outside the range of int8"},
		{decodeError[struct{ S string }](t), "field struct { S string }.S (string), column S (string), row 0: the value is NULL, which string cannot hold: use *string, or say nullable in the tag to get the zero value"},
		{decodeError[struct{ L []int32 }](t), "field struct { L []int32 }.L ([]int32), column L (array<int>), row 0: the value is NULL, which int32 cannot hold: use *int32, or say nullable in the tag to get the zero value"},
		{decodeError[struct{ D float64 }](t), "field struct { D float64 }.D (float64), column D (decimal(3,2)): values of type DECIMAL(3,2) do not fit into the Go type float64"},
		{decodeError[struct{ St inner }](t), "field struct { St sluice_test.inner }.St.X (int32), column X, row 0: the value is NULL, which int32 cannot hold: use *int32, or say nullable in the tag to get the zero value"},
		{decodeError[struct{ Q int }](t), "field struct { Q int }.Q (int), column Q: the rows have no such column, only i, s, f, l, d, st"},
		{decodeError[struct {
			I int64
			S string `delta:",nullable"`
			A any    `delta:"l"`
		}](t), ""},
	} {
		got := ""
		if c.err != nil {
			got = c.err.Error()
			if e := (*sluice.FieldError)(nil); !errors.As(c.err, &e) {
				t.Errorf("%s: no FieldError but a %T", got, c.err)
			}
		}
		if got != c.want {
			t.Errorf("\n got %s\nwant %s", got, c.want)
		}
	}
}

// A field of type any takes what is there.
func TestStructsAny(t *testing.T) {
	session := sluice.NewSession(sluice.SessionOptions{})
	defer session.Close()
	type row struct{ A, B, C, D, E, F, G any }
	for r, err := range session.SQL(context.Background(), "SELECT 1 AS a, 'x' AS b, DATE'2026-01-31' AS c, array(1, NULL) AS d, map('k', 2.5D) AS e, named_struct('m', true) AS f, NULL AS g") {
		if err != nil {
			t.Fatal(err)
		}
		got := collect[row](t, r)
		day := civil.DayOf(time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC))
		want := []row{{int32(1), "x", day, []any{int32(1), nil}, map[any]any{"k": 2.5}, map[string]any{"m": true}, nil}}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
}

// Structs of the change feed, and the cursor of each batch.
func TestStructsOfChanges(t *testing.T) {
	ctx := context.Background()
	type row struct {
		K int64
		V *string
	}
	schema, err := sluice.SchemaOf[row]()
	if err != nil {
		t.Fatal(err)
	}
	table, err := sluice.Create(ctx, t.TempDir(), schema, sluice.CreateOptions{Properties: map[string]string{"delta.enableChangeDataFeed": "true"}})
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	x := "x"
	err = table.Transact(ctx, func(ctx context.Context, tx *sluice.Txn) error {
		adds, err := tx.AppendRows(ctx, []*row{{1, nil}, {2, &x}})
		if err != nil {
			return err
		}
		var actions []action.Action
		for _, a := range adds {
			actions = append(actions, a)
		}
		_, err = tx.Commit(ctx, actions, sluice.Operation{Name: "WRITE"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	type change struct {
		row
		Type    string `delta:"_change_type"`
		Version int64  `delta:"_commit_version"`
	}
	var got []change
	for c, err := range sluice.Rows[change](ctx, table.Changes(sluice.ChangeOptions{})) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, c)
	}
	want := []change{{row{1, nil}, "insert", 1}, {row{2, &x}, "insert", 1}}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(change{})); d != "" {
		t.Error(d)
	}
	for b, err := range table.Changes(sluice.ChangeOptions{From: sluice.Version(1)}).Batches(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		rows, err := sluice.StructsOf[change](b)
		if err != nil || b.Cursor == "" {
			t.Fatal(b.Cursor, err)
		}
		if d := cmp.Diff(want, rows, cmp.AllowUnexported(change{})); d != "" {
			t.Error(d)
		}
	}
	type stranger struct{ K, Other int64 }
	if _, err := table.AppendRows(ctx, []stranger{{}}, sluice.AppendOptions{}); err == nil || !strings.Contains(err.Error(), "field stranger.Other (int64), column Other: the table has no such column, only K, V") {
		t.Error(err)
	}
	if _, err := table.AppendRows(ctx, []stranger{{3, 4}}, sluice.AppendOptions{MergeSchema: true}); err != nil {
		t.Error(err)
	}
	if _, err := table.AppendRows(ctx, 7, sluice.AppendOptions{}); err == nil {
		t.Error("a number was appended")
	}
}

// benchRow is like the rows of many services.
type benchRow struct {
	ID      int64     `delta:"id"`
	Name    string    `delta:"name"`
	Amount  float64   `delta:"amount"`
	At      time.Time `delta:"at"`
	Comment *string   `delta:"comment"`
	Tags    []string  `delta:"tags"`
	Place   struct {
		City string
		Zip  int32
	} `delta:"place"`
}

func benchRows(b *testing.B) []benchRow {
	b.Helper()
	rows := make([]benchRow, 100_000)
	comment := "as ordered"
	for i := range rows {
		r := &rows[i]
		r.ID, r.Name, r.Amount, r.At = int64(i), "customer", float64(i)/4, time.UnixMicro(int64(i)*1e6).UTC()
		r.Tags, r.Place.City, r.Place.Zip = []string{"new", "north"}, "London", int32(i)
		if i%3 > 0 {
			r.Comment = &comment
		}
	}
	return rows
}

// Rows per operation are 100,000: allocs/op divided by that are those of a row.
func BenchmarkStructsRead(b *testing.B) {
	src, err := sluice.FromStructs(benchRows(b))
	if err != nil {
		b.Fatal(err)
	}
	var batches []arrow.RecordBatch
	for r, err := range src.Batches(b.Context()) {
		if err != nil {
			b.Fatal(err)
		}
		batches = append(batches, r)
	}
	if src, err = sluice.FromRecords(nil, batches...); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for r, err := range sluice.Rows[benchRow](b.Context(), src) {
			if err != nil {
				b.Fatal(err)
			}
			n += int(r.Place.Zip) & 1
		}
	}
}

func BenchmarkStructsWrite(b *testing.B) {
	src, err := sluice.FromStructs(benchRows(b))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range src.Batches(b.Context()) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
