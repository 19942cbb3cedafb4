// Package interop lets another engine, delta-rs, read what sluice writes and
// write what sluice reads. SLUICE_PYTHON names a Python that has the packages
// deltalake (1.6.6) and pyarrow.
package interop

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/dml"
	"github.com/sluicelake/sluice/internal/verbs/insert"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/local"
	"github.com/sluicelake/sluice/types"
)

// peer runs the other engine.
func peer(t *testing.T, args ...string) string {
	t.Helper()
	python := os.Getenv("SLUICE_PYTHON")
	if python == "" {
		t.Skip("SLUICE_PYTHON is not set: it names a Python with the package deltalake 1.6.6")
	}
	cmd := exec.CommandContext(t.Context(), python, append([]string{"testdata/peer.py"}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("peer %v: %v\n%s", args, err, errs.String())
	}
	return out.String()
}

// canonical brings rows into our canonical form.
func canonical(t *testing.T, schema *types.Struct, lines ...string) []string {
	t.Helper()
	b, err := tablekit.Batch(schema, lines...)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]string, len(lines))
	for i := range lines {
		out[i] = string(columns.AppendCanonicalRow(nil, b.Columns(), schema, i))
	}
	sort.Strings(out)
	return out
}

func theirs(t *testing.T, dir string, schema *types.Struct) []string {
	t.Helper()
	text := strings.TrimSpace(peer(t, "read", dir))
	if text == "" {
		return []string{}
	}
	return canonical(t, schema, strings.Split(text, "\n")...)
}

func open(t *testing.T, dir string) *txn.Log {
	t.Helper()
	d, err := local.New(dir, local.WithoutSync())
	if err != nil {
		t.Fatal(err)
	}
	l := txn.NewLog(env.New(), storage.NewBucket(d), txn.Policy{})
	t.Cleanup(func() { l.Close(context.Background()); d.Close() })
	return l
}

func ours(t *testing.T, l *txn.Log) ([]string, *types.Struct) {
	t.Helper()
	s, err := snapshot.Load(t.Context(), l.Env(), l.Bucket(), snapshot.Latest())
	if err != nil {
		t.Fatal(err)
	}
	rows, err := tablekit.Rows(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return rows, s.Schema()
}

// same compares the two readings of one table.
func same(t *testing.T, dir string, l *txn.Log) []string {
	t.Helper()
	rows, schema := ours(t, l)
	other := theirs(t, dir, schema)
	if !slices.Equal(rows, other) {
		t.Errorf("we read\n  %s\nthe other engine reads\n  %s", strings.Join(rows, "\n  "), strings.Join(other, "\n  "))
	}
	return rows
}

func build(t *testing.T, spec tablekit.Spec) (*tablekit.Kit, string) {
	t.Helper()
	if os.Getenv("SLUICE_PYTHON") == "" {
		t.Skip("SLUICE_PYTHON is not set: it names a Python with the package deltalake 1.6.6")
	}
	dir := t.TempDir()
	d, err := local.New(dir, local.WithoutSync())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	spec.Driver = d
	return tablekit.New(t, spec), dir
}

func mergeInto(t *testing.T, l *txn.Log, schema *types.Struct, sql string, rows ...string) {
	t.Helper()
	m, err := parse.MergeStatement(sql)
	if err != nil {
		t.Fatal(err)
	}
	src, err := tablekit.Table(schema, rows...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := merge.Run(t.Context(), l, m.Spec, src, merge.Options{}); err != nil {
		t.Fatal(err)
	}
}

func change(t *testing.T, l *txn.Log, sql string) {
	t.Helper()
	read := parse.UpdateStatement
	if strings.HasPrefix(sql, "DELETE") {
		read = parse.DeleteStatement
	}
	s, err := read(sql)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dml.Run(t.Context(), l, s.Spec, merge.Options{}); err != nil {
		t.Fatal(err)
	}
}

const upsert = `MERGE INTO target t USING source s ON t.k = s.k
WHEN MATCHED AND s.v < 0 THEN DELETE WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *`

var everyType = tablekit.Spec{
	DDL: `k BIGINT, b BOOLEAN, i8 TINYINT, i16 SMALLINT, i32 INT, f FLOAT, d DOUBLE, dec DECIMAL(38,10), small DECIMAL(5,1), s STRING,
bin BINARY, day DATE, ts TIMESTAMP, ntz TIMESTAMP_NTZ, l ARRAY<STRING>, st STRUCT<x: INT, y: STRUCT<z: DOUBLE>>, m MAP<STRING, INT>`,
	Files: [][]string{{
		`{"k":1,"b":true,"i8":-128,"i16":-32768,"i32":-2147483648,"f":1.5,"d":-0,"dec":"-1234567890123456789012345678.0123456789","small":"9999.9","s":"日本\n\"","bin":"AP8=","day":"1969-12-31","ts":"2024-01-02T03:04:05.678901Z","ntz":"1960-05-06T07:08:09.000001","l":["a",null],"st":{"x":1,"y":{"z":0.1}},"m":[["a",1],["b",null]]}`,
		`{"k":9223372036854775807,"b":false,"i8":127,"i16":32767,"i32":2147483647,"f":"NaN","d":"-Infinity","dec":"0.0000000001","small":"-0.1","s":"","bin":"","day":"9999-12-31","ts":"1600-02-29T23:59:59.999999Z","ntz":"2024-02-29T00:00:00.000000","l":[],"st":{"x":null,"y":null},"m":[]}`,
	}, {`{"k":null}`}},
}

func TestTheyReadEveryType(t *testing.T) {
	kit, dir := build(t, everyType)
	same(t, dir, kit.Log)
}

func TestTheyReadPartitions(t *testing.T) {
	values := []string{`"plain"`, `"with space"`, `"a/b=c%d"`, `"ü日本"`, `"x:y?z#&+"`, `"'quoted\""`, `null`, `"tab\tend"`, `"."`}
	for _, vectors := range []bool{true, false} {
		t.Run(fmt.Sprintf("deletion vectors %t", vectors), func(t *testing.T) {
			spec := tablekit.Spec{DDL: "k INT, p STRING, v INT", PartitionBy: []string{"p"}}
			if !vectors {
				spec.Properties = tablekit.WithoutVectors()
			}
			var rows []string
			for i, v := range values {
				for j := range 4 {
					rows = append(rows, fmt.Sprintf(`{"k":%d,"p":%s,"v":%d}`, i*10+j, v, j))
				}
			}
			spec.Files = [][]string{rows}
			kit, dir := build(t, spec)
			same(t, dir, kit.Log)
			mergeInto(t, kit.Log, kit.Schema, upsert, `{"k":1,"p":"plain","v":-1}`, `{"k":21,"p":"a/b=c%d","v":99}`, `{"k":60,"p":null,"v":7}`, `{"k":500,"p":"neu %2F","v":1}`)
			same(t, dir, kit.Log)
			change(t, kit.Log, "UPDATE target SET p = 'moved here' WHERE v = 3")
			change(t, kit.Log, "DELETE FROM target WHERE v = 2 OR p IS NULL")
			if rows := same(t, dir, kit.Log); len(rows) == 0 {
				t.Error("nothing left to compare")
			}
		})
	}
}

// TestTheyChangeOurPartitions lets them remove files of ours: they spell the
// path of the remove themselves.
func TestTheyChangeOurPartitions(t *testing.T) {
	spec := tablekit.Spec{DDL: "k INT, p STRING, v INT", PartitionBy: []string{"p"}, Properties: tablekit.WithoutVectors()}
	var rows []string
	for c := ' '; c < 0x7f; c++ {
		rows = append(rows, fmt.Sprintf(`{"k":%d,"p":%q,"v":1}`, c, "x"+string(c)+"y"), fmt.Sprintf(`{"k":%d,"p":%q,"v":2}`, c, "x"+string(c)+"y"))
	}
	rows = append(rows, `{"k":200,"p":"ü日本","v":1}`, `{"k":200,"p":"ü日本","v":2}`, `{"k":201,"p":null,"v":1}`, `{"k":202,"p":"a\tb","v":1}`)
	spec.Files = [][]string{rows}
	kit, dir := build(t, spec)
	same(t, dir, kit.Log)
	peer(t, "delete", dir, "v = 2")
	if left := same(t, dir, kit.Log); len(left) != len(rows)-96 {
		t.Errorf("%d rows left of %d", len(left), len(rows))
	}
}

// TestTheyReadTypedPartitions partitions by columns of other types.
func TestTheyReadTypedPartitions(t *testing.T) {
	for ddl, values := range map[string][]string{
		"INT": {"-1", "0", "2147483647"}, "BIGINT": {"-9223372036854775808", "5"}, "BOOLEAN": {"true", "false"}, "DATE": {`"1969-12-31"`, `"2024-02-29"`},
		"DECIMAL(10,2)": {`"-1.50"`, `"0.00"`}, "DOUBLE": {"0.1", "1e300"}, "TIMESTAMP": {`"2024-01-02T03:04:05.678901Z"`, `"1960-01-01T00:00:00.000000Z"`},
	} {
		t.Run(ddl, func(t *testing.T) {
			spec := tablekit.Spec{DDL: "k INT, p " + ddl, PartitionBy: []string{"p"}}
			for i, v := range append(values, "null") {
				spec.Files = append(spec.Files, []string{fmt.Sprintf(`{"k":%d,"p":%s}`, i, v), fmt.Sprintf(`{"k":%d,"p":%s}`, 100+i, v)})
			}
			kit, dir := build(t, spec)
			same(t, dir, kit.Log)
			change(t, kit.Log, "DELETE FROM target WHERE k >= 100")
			same(t, dir, kit.Log)
		})
	}
}

// TestTheyReadManyVersions goes over checkpoints, with and without vectors.
func TestTheyReadManyVersions(t *testing.T) {
	for _, vectors := range []bool{true, false} {
		t.Run(fmt.Sprintf("deletion vectors %t", vectors), func(t *testing.T) {
			spec := tablekit.Spec{DDL: "k INT, p STRING, v INT", PartitionBy: []string{"p"}, Properties: map[string]string{"delta.checkpointInterval": "7"}}
			if !vectors {
				spec.Properties["delta.enableDeletionVectors"] = "false"
			}
			kit, dir := build(t, spec)
			for i := range 30 {
				switch i % 5 {
				case 3:
					mergeInto(t, kit.Log, kit.Schema, upsert, fmt.Sprintf(`{"k":%d,"p":"a","v":1000}`, i-3), fmt.Sprintf(`{"k":%d,"p":"z","v":5}`, 1000+i))
				case 4:
					change(t, kit.Log, fmt.Sprintf("DELETE FROM target WHERE k = %d", i-3))
				default:
					if err := kit.Append(t.Context(), fmt.Sprintf(`{"k":%d,"p":"a","v":1}`, i), fmt.Sprintf(`{"k":%d,"p":"b","v":2}`, 100+i)); err != nil {
						t.Fatal(err)
					}
				}
			}
			kit.Log.Close(t.Context()) // checkpoints are complete
			objects, err := kit.Objects(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(objects, func(key string) bool { return strings.Contains(key, ".checkpoint") }) {
				t.Error("no checkpoint was written")
			}
			// The commits before the checkpoint are not needed any more.
			for v := range 8 {
				if err := kit.Bucket.Delete(t.Context(), fmt.Sprintf("_delta_log/%020d.json", v)); err != nil {
					t.Fatal(err)
				}
			}
			same(t, dir, kit.Log)
		})
	}
}

// TestWeReadTheirs reads, appends to and merges into their tables.
func TestWeReadTheirs(t *testing.T) {
	for _, kind := range []string{"plain", "partitioned", "changed", "wide"} {
		t.Run(kind, func(t *testing.T) {
			dir := t.TempDir()
			peer(t, "write", dir, kind)
			l := open(t, dir)
			before := same(t, dir, l)
			_, schema := ours(t, l)
			if kind == "wide" {
				src, err := tablekit.Source(schema, `{"k":7,"s":"new","m":[["x",1]]}`)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := insert.Run(t.Context(), l, src, insert.Options{}); err != nil {
					t.Fatal(err)
				}
				same(t, dir, l)
				return
			}
			mergeInto(t, l, schema, upsert, `{"k":1,"p":"b c","v":-1}`, `{"k":2,"p":"ü/x=1%","v":77}`, `{"k":5000,"p":"new","v":1}`)
			if rows := same(t, dir, l); len(rows) != len(before) {
				t.Errorf("%d rows, want %d", len(rows), len(before))
			}
			change(t, l, "DELETE FROM target WHERE k > 17 AND p IS NULL")
			same(t, dir, l)
			peer(t, "append", dir)
			peer(t, "delete", dir, "k = 5000")
			peer(t, "optimize", dir)
			same(t, dir, l)
			mergeInto(t, l, schema, upsert, `{"k":1001,"p":"b c","v":12}`, `{"k":1,"p":"a","v":3}`)
			same(t, dir, l)
		})
	}
}

// TestTheyChangeBehindUs lets the other engine commit between preparing and
// publishing a MERGE.
func TestTheyChangeBehindUs(t *testing.T) {
	kit, dir := build(t, tablekit.Spec{DDL: "k BIGINT, p STRING, v INT", Properties: tablekit.WithoutVectors(),
		Files: [][]string{{`{"k":1,"p":"a","v":1}`, `{"k":2,"p":"a","v":2}`}, {`{"k":3,"p":"b","v":3}`, `{"k":4,"p":"b","v":4}`}}})
	m, err := parse.MergeStatement(upsert)
	if err != nil {
		t.Fatal(err)
	}
	src, err := tablekit.Table(kit.Schema, `{"k":2,"p":"a","v":20}`, `{"k":3,"p":"b","v":30}`, `{"k":1001,"p":"x","v":50}`)
	if err != nil {
		t.Fatal(err)
	}
	res, err := merge.Run(t.Context(), kit.Log, m.Spec, src, merge.Options{Commit: txn.Options{BeforePublish: func(context.Context) error {
		peer(t, "delete", dir, "k = 3")
		peer(t, "append", dir)
		peer(t, "optimize", dir)
		return nil
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Winners) < 3 {
		t.Errorf("met %d winners, want at least 3", len(res.Winners))
	}
	want := canonical(t, kit.Schema, `{"k":1,"p":"a","v":1}`, `{"k":2,"p":"a","v":20}`, `{"k":3,"p":"b","v":30}`, `{"k":4,"p":"b","v":4}`,
		`{"k":1000,"p":"a","v":0}`, `{"k":1001,"p":"x","v":50}`, `{"k":1002,"p":"ü/x=1%","v":20}`)
	if rows := same(t, dir, kit.Log); !slices.Equal(rows, want) {
		t.Errorf("rows %v, want %v", rows, want)
	}
}
