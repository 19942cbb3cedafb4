package merge_test

import (
	"errors"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/types"
)

// semantics is one MERGE on a table of three files.
type semantics struct {
	name   string
	ddl    string // of the target; k INT, v INT when ""
	parts  []string
	files  [][]string
	srcDDL string // the target's when ""
	src    []string
	merge  string // from ON
	want   []string
	counts [3]int64 // inserted, updated, deleted
	err    string   // part of the error
}

var abc = [][]string{{`{"k":1,"v":10}`, `{"k":2,"v":20}`}, {`{"k":3,"v":30}`}, {`{"k":null,"v":40}`}}

var table = []semantics{
	{name: "upsert", files: abc, src: []string{`{"k":2,"v":21}`, `{"k":9,"v":90}`},
		merge: "t.k = s.k WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *",
		want:  []string{`{"k":1,"v":10}`, `{"k":2,"v":21}`, `{"k":3,"v":30}`, `{"k":null,"v":40}`, `{"k":9,"v":90}`}, counts: [3]int64{1, 1, 0}},
	{name: "delete what matches", files: abc, src: []string{`{"k":2}`, `{"k":3}`, `{"k":null}`},
		merge: "t.k = s.k WHEN MATCHED THEN DELETE", want: []string{`{"k":1,"v":10}`, `{"k":null,"v":40}`}, counts: [3]int64{0, 0, 2}},
	{name: "first clause that holds", files: abc, src: []string{`{"k":1,"v":1}`, `{"k":2,"v":2}`, `{"k":3,"v":3}`},
		merge: "t.k = s.k WHEN MATCHED AND s.v = 1 THEN DELETE WHEN MATCHED AND t.v < 30 THEN UPDATE SET v = s.v + t.v WHEN MATCHED THEN UPDATE SET k = 33",
		want:  []string{`{"k":2,"v":22}`, `{"k":33,"v":30}`, `{"k":null,"v":40}`}, counts: [3]int64{0, 2, 1}},
	{name: "no clause holds", files: abc, src: []string{`{"k":1,"v":1}`}, merge: "t.k = s.k WHEN MATCHED AND s.v > 5 THEN DELETE WHEN MATCHED AND NULL THEN UPDATE SET v = 0",
		want: []string{`{"k":1,"v":10}`, `{"k":2,"v":20}`, `{"k":3,"v":30}`, `{"k":null,"v":40}`}},
	{name: "insert clauses in order", files: abc, src: []string{`{"k":7,"v":1}`, `{"k":8,"v":2}`, `{"k":9,"v":null}`},
		merge: "t.k = s.k WHEN NOT MATCHED AND s.v = 1 THEN INSERT (k) VALUES (s.k * 10) WHEN NOT MATCHED AND s.v > 1 THEN INSERT *",
		want:  []string{`{"k":1,"v":10}`, `{"k":2,"v":20}`, `{"k":3,"v":30}`, `{"k":null,"v":40}`, `{"k":70,"v":null}`, `{"k":8,"v":2}`}, counts: [3]int64{2, 0, 0}},
	{name: "by source", files: abc, src: []string{`{"k":1}`},
		merge: "t.k = s.k WHEN NOT MATCHED BY SOURCE AND t.v = 20 THEN UPDATE SET v = -1 WHEN NOT MATCHED BY SOURCE THEN DELETE",
		want:  []string{`{"k":1,"v":10}`, `{"k":2,"v":-1}`}, counts: [3]int64{0, 1, 2}},
	{name: "by source with a condition", files: abc, src: []string{`{"k":1}`}, merge: "t.k = s.k WHEN NOT MATCHED BY SOURCE AND t.v >= 30 THEN DELETE",
		want: []string{`{"k":1,"v":10}`, `{"k":2,"v":20}`}, counts: [3]int64{0, 0, 2}},
	{name: "a row outside ON's target condition has no source", files: abc, src: []string{`{"k":1}`, `{"k":2}`},
		merge: "t.k = s.k AND t.v = 10 WHEN NOT MATCHED BY SOURCE THEN DELETE WHEN NOT MATCHED THEN INSERT *",
		want:  []string{`{"k":1,"v":10}`, `{"k":2,"v":null}`}, counts: [3]int64{1, 0, 3}},
	{name: "empty source", files: abc, merge: "t.k = s.k WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT * WHEN NOT MATCHED BY SOURCE AND t.k = 1 THEN DELETE",
		want: []string{`{"k":2,"v":20}`, `{"k":3,"v":30}`, `{"k":null,"v":40}`}, counts: [3]int64{0, 0, 1}},
	{name: "empty source, everything goes", files: abc, merge: "t.k = s.k WHEN NOT MATCHED BY SOURCE THEN DELETE", want: []string{}, counts: [3]int64{0, 0, 4}},
	{name: "empty target", src: []string{`{"k":1,"v":1}`}, merge: "t.k = s.k WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT *", want: []string{`{"k":1,"v":1}`}, counts: [3]int64{1, 0, 0}},
	{name: "NULL keys match nothing", files: abc, src: []string{`{"k":null,"v":1}`},
		merge: "t.k = s.k WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT *",
		want:  []string{`{"k":1,"v":10}`, `{"k":2,"v":20}`, `{"k":3,"v":30}`, `{"k":null,"v":1}`, `{"k":null,"v":40}`}, counts: [3]int64{1, 0, 0}},
	{name: "NULL keys match by <=>", files: abc, src: []string{`{"k":null,"v":1}`}, merge: "t.k <=> s.k WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT *",
		want: []string{`{"k":1,"v":10}`, `{"k":2,"v":20}`, `{"k":3,"v":30}`, `{"k":null,"v":1}`}, counts: [3]int64{0, 1, 0}},
	{name: "several source rows for one target row", files: abc, src: []string{`{"k":2,"v":1}`, `{"k":2,"v":2}`}, merge: "t.k = s.k WHEN MATCHED THEN UPDATE SET v = s.v", err: "DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE"},
	{name: "several, and conditions that would tell them apart", files: abc, src: []string{`{"k":2,"v":1}`, `{"k":2,"v":2}`},
		merge: "t.k = s.k WHEN MATCHED AND s.v = 1 THEN UPDATE SET v = s.v", err: "(k=2)"},
	{name: "several, and a value that fails in another row", files: abc, src: []string{`{"k":1,"v":0}`, `{"k":3,"v":1}`, `{"k":3,"v":2}`},
		merge: "t.k = s.k WHEN MATCHED THEN UPDATE SET v = 1 div s.v", err: "DELTA_MULTIPLE_SOURCE_ROW"},
	{name: "several, but one unconditional delete", files: abc, src: []string{`{"k":2,"v":1}`, `{"k":2,"v":2}`, `{"k":8}`}, merge: "t.k = s.k WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT *",
		want: []string{`{"k":1,"v":10}`, `{"k":3,"v":30}`, `{"k":8,"v":null}`, `{"k":null,"v":40}`}, counts: [3]int64{1, 0, 1}},
	{name: "several, but insert only", files: abc, src: []string{`{"k":2,"v":1}`, `{"k":2,"v":2}`}, merge: "t.k = s.k WHEN NOT MATCHED THEN INSERT *",
		want: []string{`{"k":1,"v":10}`, `{"k":2,"v":20}`, `{"k":3,"v":30}`, `{"k":null,"v":40}`}},
	{name: "several with by-source clauses", files: abc, src: []string{`{"k":2,"v":1}`, `{"k":2,"v":2}`}, merge: "t.k = s.k WHEN NOT MATCHED BY SOURCE THEN DELETE", err: "DELTA_MULTIPLE_SOURCE_ROW"},
	{name: "duplicates in the source are inserted twice", files: abc, src: []string{`{"k":9,"v":1}`, `{"k":9,"v":1}`}, merge: "t.k = s.k WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT *",
		want: []string{`{"k":1,"v":10}`, `{"k":2,"v":20}`, `{"k":3,"v":30}`, `{"k":9,"v":1}`, `{"k":9,"v":1}`, `{"k":null,"v":40}`}, counts: [3]int64{2, 0, 0}},
	{name: "no key at all", files: abc, src: []string{`{"k":2,"v":15}`}, merge: "t.v > s.v AND t.v < s.v + 10 WHEN MATCHED THEN UPDATE SET k = 0 WHEN NOT MATCHED THEN INSERT *",
		want: []string{`{"k":0,"v":20}`, `{"k":1,"v":10}`, `{"k":3,"v":30}`, `{"k":null,"v":40}`}, counts: [3]int64{0, 1, 0}},
	{name: "ON FALSE", files: abc, src: []string{`{"k":2,"v":15}`}, merge: "FALSE WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT *",
		want: []string{`{"k":1,"v":10}`, `{"k":2,"v":15}`, `{"k":2,"v":20}`, `{"k":3,"v":30}`, `{"k":null,"v":40}`}, counts: [3]int64{1, 0, 0}},
	{name: "ON TRUE", files: abc, src: []string{`{"k":5,"v":15}`}, merge: "TRUE WHEN MATCHED THEN UPDATE SET v = s.v",
		want: []string{`{"k":1,"v":15}`, `{"k":2,"v":15}`, `{"k":3,"v":15}`, `{"k":null,"v":15}`}, counts: [3]int64{0, 4, 0}},
	{name: "composite key, one part null-safe", ddl: "a INT, b STRING, v INT", files: [][]string{{`{"a":1,"b":"x","v":1}`, `{"a":1,"b":null,"v":2}`, `{"a":2,"b":"x","v":3}`}},
		src: []string{`{"a":1,"b":null,"v":20}`, `{"a":2,"b":"y","v":30}`}, merge: "t.a = s.a AND t.b <=> s.b WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT *",
		want: []string{`{"a":1,"b":"x","v":1}`, `{"a":1,"b":null,"v":20}`, `{"a":2,"b":"x","v":3}`, `{"a":2,"b":"y","v":30}`}, counts: [3]int64{1, 1, 0}},
	{name: "key parts do not run into each other", ddl: "a STRING, b STRING, v INT", files: [][]string{{`{"a":"x","b":"yz","v":1}`}}, src: []string{`{"a":"xy","b":"z","v":2}`},
		merge: "t.a = s.a AND t.b = s.b WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT *", want: []string{`{"a":"x","b":"yz","v":1}`, `{"a":"xy","b":"z","v":2}`}, counts: [3]int64{1, 0, 0}},
	{name: "decimal key of another scale", ddl: "k DECIMAL(10,2), v INT", srcDDL: "k DECIMAL(12,4), v INT", files: [][]string{{`{"k":"1.50","v":1}`, `{"k":"2.00","v":2}`}},
		src: []string{`{"k":"1.5000","v":10}`, `{"k":"2.0001","v":20}`}, merge: "t.k = s.k WHEN MATCHED THEN UPDATE SET v = s.v", want: []string{`{"k":"1.50","v":10}`, `{"k":"2.00","v":2}`}, counts: [3]int64{0, 1, 0}},
	{name: "zeros and NaN", ddl: "k DOUBLE, v INT", files: [][]string{{`{"k":0,"v":1}`, `{"k":"NaN","v":2}`, `{"k":1.5,"v":3}`}},
		src: []string{`{"k":-0,"v":10}`, `{"k":"NaN","v":20}`}, merge: "t.k = s.k WHEN MATCHED THEN UPDATE SET v = s.v", want: []string{`{"k":"NaN","v":20}`, `{"k":0,"v":10}`, `{"k":1.5,"v":3}`}, counts: [3]int64{0, 2, 0}},
	{name: "float against double", ddl: "k FLOAT, v INT", srcDDL: "k DOUBLE, v INT", files: [][]string{{`{"k":0.5,"v":1}`, `{"k":0.1,"v":2}`}},
		src: []string{`{"k":0.5,"v":10}`, `{"k":0.1,"v":20}`}, merge: "t.k = s.k WHEN MATCHED THEN UPDATE SET v = s.v", want: []string{`{"k":0.1,"v":2}`, `{"k":0.5,"v":10}`}, counts: [3]int64{0, 1, 0}},
	{name: "key of another type", srcDDL: "k STRING, v BIGINT", files: abc, src: []string{`{"k":"2","v":22}`, `{"k":"03","v":33}`}, merge: "t.k = s.k WHEN MATCHED THEN UPDATE SET v = s.v",
		want: []string{`{"k":1,"v":10}`, `{"k":2,"v":22}`, `{"k":3,"v":33}`, `{"k":null,"v":40}`}, counts: [3]int64{0, 2, 0}},
	{name: "a value that does not fit", srcDDL: "k INT, v BIGINT", files: abc, src: []string{`{"k":2,"v":5000000000}`}, merge: "t.k = s.k WHEN MATCHED THEN UPDATE SET v = s.v", err: "OVERFLOW"},
	{name: "a key that is no number", srcDDL: "k STRING, v INT", files: abc, src: []string{`{"k":"x","v":1}`}, merge: "t.k = s.k WHEN MATCHED THEN DELETE", err: "CAST_INVALID_INPUT"},
	{name: "a key that is no number, and nothing to compare with", srcDDL: "k STRING, v INT", files: abc, src: []string{`{"k":"x","v":1}`}, merge: "t.k = s.k AND t.k > 100 WHEN MATCHED THEN DELETE",
		want: []string{`{"k":1,"v":10}`, `{"k":2,"v":20}`, `{"k":3,"v":30}`, `{"k":null,"v":40}`}},
	{name: "expressions as keys", files: abc, src: []string{`{"k":4,"v":1}`}, merge: "t.k * 2 = s.k WHEN MATCHED THEN UPDATE SET v = 0",
		want: []string{`{"k":1,"v":10}`, `{"k":2,"v":0}`, `{"k":3,"v":30}`, `{"k":null,"v":40}`}, counts: [3]int64{0, 1, 0}},
	{name: "source conditions in ON", files: abc, src: []string{`{"k":1,"v":1}`, `{"k":2,"v":2}`}, merge: "t.k = s.k AND s.v = 2 WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT *",
		want: []string{`{"k":1,"v":1}`, `{"k":1,"v":10}`, `{"k":3,"v":30}`, `{"k":null,"v":40}`}, counts: [3]int64{1, 0, 1}},
	{name: "a row moves to another partition", ddl: "k INT, p STRING", parts: []string{"p"}, files: [][]string{{`{"k":1,"p":"a"}`, `{"k":2,"p":"b"}`, `{"k":3,"p":null}`}},
		src: []string{`{"k":1,"p":"b"}`, `{"k":2,"p":null}`, `{"k":3,"p":"new/ü"}`}, merge: "t.k = s.k WHEN MATCHED THEN UPDATE SET p = s.p",
		want: []string{`{"k":1,"p":"b"}`, `{"k":2,"p":null}`, `{"k":3,"p":"new/ü"}`}, counts: [3]int64{0, 3, 0}},
	{name: "assignments see the row as it was", files: abc, src: []string{`{"k":1,"v":1}`}, merge: "t.k = s.k WHEN MATCHED THEN UPDATE SET k = t.v, v = t.k",
		want: []string{`{"k":10,"v":1}`, `{"k":2,"v":20}`, `{"k":3,"v":30}`, `{"k":null,"v":40}`}, counts: [3]int64{0, 1, 0}},
	{name: "NULL into NOT NULL", ddl: "k INT NOT NULL, v INT", files: [][]string{{`{"k":1,"v":1}`}}, srcDDL: "k INT, v INT", src: []string{`{"k":null,"v":1}`}, merge: "t.k = s.k WHEN NOT MATCHED THEN INSERT *", err: "DELTA_NOT_NULL_CONSTRAINT_VIOLATED"},
	{name: "wrong column in ON", files: abc, src: []string{`{"k":1,"v":1}`}, merge: "t.kk = s.k WHEN MATCHED THEN DELETE", err: "did you mean t.k"},
	{name: "ambiguous column in ON", files: abc, src: []string{`{"k":1,"v":1}`}, merge: "k = s.k WHEN MATCHED THEN DELETE", err: "AMBIGUOUS"},
	{name: "star without the column", files: abc, srcDDL: "k INT", src: []string{`{"k":1}`}, merge: "t.k = s.k WHEN MATCHED THEN UPDATE SET *", err: "DELTA_MERGE_UNRESOLVED_EXPRESSION"},
	{name: "unreachable clause", files: abc, src: []string{`{"k":1,"v":1}`}, merge: "t.k = s.k WHEN MATCHED THEN DELETE WHEN MATCHED THEN UPDATE SET v = 1", err: "NON_LAST_MATCHED_CLAUSE_OMIT_CONDITION"},
	{name: "fields of structs", ddl: "k INT, s STRUCT<a: INT, b: STRUCT<c: STRING, d: INT>>", srcDDL: "k INT, v INT",
		files: [][]string{{`{"k":1,"s":{"a":1,"b":{"c":"x","d":2}}}`, `{"k":2,"s":null}`, `{"k":3,"s":{"a":3,"b":null}}`, `{"k":4,"s":null}`}},
		src:   []string{`{"k":1,"v":10}`, `{"k":2,"v":20}`, `{"k":3,"v":30}`}, merge: "t.k = s.k WHEN MATCHED THEN UPDATE SET s.b.d = s.v, t.s.a = t.k * 100",
		want: []string{`{"k":1,"s":{"a":100,"b":{"c":"x","d":10}}}`, `{"k":2,"s":{"a":200,"b":{"c":null,"d":20}}}`, `{"k":3,"s":{"a":300,"b":{"c":null,"d":30}}}`, `{"k":4,"s":null}`}, counts: [3]int64{0, 3, 0}},
	{name: "a field and its struct", ddl: "k INT, s STRUCT<a: INT>", files: [][]string{{`{"k":1,"s":null}`}}, src: []string{`{"k":1,"s":null}`}, merge: "t.k = s.k WHEN MATCHED THEN UPDATE SET s.a = 1, s = NULL", err: "DELTA_CONFLICT_SET_COLUMN"},
	{name: "a field twice", ddl: "k INT, s STRUCT<a: INT>", files: [][]string{{`{"k":1,"s":null}`}}, src: []string{`{"k":1,"s":null}`}, merge: "t.k = s.k WHEN MATCHED THEN UPDATE SET s.a = 1, s.A = 2", err: "DELTA_CONFLICT_SET_COLUMN"},
	{name: "a field that is not there", ddl: "k INT, s STRUCT<a: INT>", files: [][]string{{`{"k":1,"s":null}`}}, src: []string{`{"k":1,"s":null}`}, merge: "t.k = s.k WHEN MATCHED THEN UPDATE SET s.b = 1", err: "its fields are a"},
	{name: "a field of what is no struct", files: abc, src: []string{`{"k":1,"v":1}`}, merge: "t.k = s.k WHEN MATCHED THEN UPDATE SET t.v.x = 1", err: "only fields of structs"},
	{name: "a column set twice", files: abc, src: []string{`{"k":1,"v":1}`}, merge: "t.k = s.k WHEN MATCHED THEN UPDATE SET v = 1, V = 2", err: "DELTA_CONFLICT_SET_COLUMN"},
	{name: "the source in a by-source clause", files: abc, src: []string{`{"k":1,"v":1}`}, merge: "t.k = s.k WHEN NOT MATCHED BY SOURCE THEN UPDATE SET v = s.v", err: "UNRESOLVED"},
}

func TestSemantics(t *testing.T) {
	for _, c := range table {
		for _, mode := range []struct {
			name  string
			props map[string]string
			small int64
		}{{"vectors", nil, 0}, {"vectors, large files", nil, 1}, {"copies", tablekit.WithoutVectors(), 0}, {"copies, large files", tablekit.WithoutVectors(), 1},
			{"mapped by name, change feed", map[string]string{"delta.columnMapping.mode": "name", "delta.enableChangeDataFeed": "true"}, 1},
			{"mapped by id, change feed, copies", map[string]string{"delta.columnMapping.mode": "id", "delta.enableChangeDataFeed": "true", "delta.enableDeletionVectors": "false"}, 0},
			{"row ids", map[string]string{"delta.enableRowTracking": "true", "delta.enableChangeDataFeed": "true"}, 1},
			{"row ids, copies", map[string]string{"delta.enableRowTracking": "true", "delta.columnMapping.mode": "name", "delta.enableDeletionVectors": "false"}, 0}} {
			t.Run(c.name+"/"+mode.name, func(t *testing.T) { c.play(t, mode.props, mode.small) })
		}
	}
}

func (c semantics) play(t *testing.T, props map[string]string, small int64) {
	if c.ddl == "" {
		c.ddl = "k INT, v INT"
	}
	if c.srcDDL == "" {
		c.srcDDL = c.ddl
	}
	spec := tablekit.Spec{DDL: c.ddl, PartitionBy: c.parts, Files: c.files, Properties: props}
	k := tablekit.New(t, spec)
	before := k.Rows(t)
	res, err := run(t, k.Log, c.srcDDL, c.src, "MERGE INTO target t USING source s ON "+c.merge, small)
	after := k.Rows(t)
	if c.err != "" {
		if err == nil || !strings.Contains(err.Error(), c.err) {
			t.Errorf("want an error with %s: %v", c.err, err)
		}
		if !slices.Equal(before, after) || len(k.DataFiles(t)) != len(c.files) && len(c.parts) == 0 {
			t.Errorf("something is left behind: %v, %v", after, k.DataFiles(t))
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	sort.Strings(c.want)
	if !slices.Equal(after, c.want) {
		t.Errorf("rows\n  %s\nwant\n  %s", strings.Join(after, "\n  "), strings.Join(c.want, "\n  "))
	}
	if got := [3]int64{res.Metrics.Inserted, res.Metrics.Updated(), res.Metrics.Deleted()}; got != c.counts {
		t.Errorf("inserted, updated, deleted: %v, want %v", got, c.counts)
	}
	if changes := c.counts != [3]int64{}; res.Commit.Committed != changes {
		t.Errorf("committed %t", res.Commit.Committed)
	}
}

func run(t *testing.T, l *txn.Log, ddl string, rows []string, sql string, small int64) (merge.Result, error) {
	t.Helper()
	schema, err := types.ParseDDL(ddl)
	if err != nil {
		t.Fatal(err)
	}
	src, err := tablekit.Table(schema, rows...)
	if err != nil {
		t.Fatal(err)
	}
	m, err := parse.MergeStatement(sql)
	if err != nil {
		t.Fatal(err)
	}
	return merge.Run(t.Context(), l, m.Spec, src, merge.Options{SmallFile: small})
}

// TestMultipleMatchNamesTheRow: the error is a value of its own.
func TestMultipleMatchNamesTheRow(t *testing.T) {
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT, v INT", Files: abc})
	_, err := run(t, k.Log, "k INT, v INT", []string{`{"k":3,"v":1}`, `{"k":3,"v":2}`}, "MERGE INTO t USING s ON t.k = s.k WHEN MATCHED THEN UPDATE SET *", 0)
	var many *merge.MultipleMatchError
	if !errors.As(err, &many) || many.Row != "k=3" {
		t.Errorf("%v", err)
	}
}

// TestOnlyTouchedFilesAreRead: keys of the source and conditions keep files out.
func TestOnlyTouchedFilesAreRead(t *testing.T) {
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT, v INT", Properties: tablekit.WithoutVectors(), Files: abc})
	for sql, files := range map[string]int64{
		"t.k = s.k WHEN MATCHED THEN UPDATE SET v = t.v":                                                                1,
		"t.k = s.k WHEN MATCHED THEN UPDATE SET v = t.v WHEN NOT MATCHED BY SOURCE AND t.v = 40 THEN UPDATE SET v = 40": 2,
	} {
		res, err := run(t, k.Log, "k INT, v INT", []string{`{"k":3,"v":1}`}, "MERGE INTO t USING s ON "+sql, 0)
		if err != nil || res.Metrics.FilesRemoved != files || res.Metrics.Copied != 0 {
			t.Errorf("%s: %d files removed, %d rows copied, want %d, 0 (%v)", sql, res.Metrics.FilesRemoved, res.Metrics.Copied, files, err)
		}
	}
}
