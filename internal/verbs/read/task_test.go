package read_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/read"
)

// numbers is a table of 10 files with n rows each, in two partitions.
func numbers(t testing.TB, n int) (*tablekit.Kit, *snapshot.Snapshot) {
	files := make([][]string, 10)
	for f := range files {
		for i := range n {
			files[f] = append(files[f], fmt.Sprintf(`{"id":%d,"p":%d,"s":"%d"}`, f*n+i, f%2, i%7))
		}
	}
	k := tablekit.New(t, tablekit.Spec{DDL: "id INT, p INT, s STRING", PartitionBy: []string{"p"}, Files: files})
	return k, latest(t, k)
}

// sent is a task on another machine.
func sent(t testing.TB, task *read.Task) *read.Task {
	t.Helper()
	data, err := task.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	out, err := read.ParseTask(data)
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	again, err := out.MarshalBinary()
	if err != nil || !bytes.Equal(data, again) {
		t.Fatalf("encoded again: %v\n%s\nwant\n%s", err, again, data)
	}
	return out
}

func taskRows(t testing.TB, k *tablekit.Kit, task *read.Task) (out []string) {
	t.Helper()
	for b, err := range task.Rows(t.Context(), env.New(), k.Bucket) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range int(b.NumRows()) {
			out = append(out, string(columns.AppendCanonicalRow(nil, b.Columns(), task.Schema(), i)))
		}
	}
	return out
}

// All tasks together yield the rows of the scan, however it is shared out.
func TestTasksAreTheScan(t *testing.T) {
	k, s := numbers(t, 50)
	marked, err := tablekit.Mark(t.Context(), s, first(s), 3, 4, 49)
	if err != nil {
		t.Fatal(err)
	}
	if err := tablekit.Publish(t.Context(), k.Bucket, s.Version()+1, "DELETE", marked...); err != nil {
		t.Fatal(err)
	}
	s = latest(t, k)
	for _, where := range []string{"", "p = 1", "id % 3 = 0 AND p = 0", "_metadata.row_index < 5", "s = '3' AND id > 100"} {
		for _, cols := range [][]string{nil, {"id", "_metadata.row_index", "p AS part"}} {
			p, err := planOf(t, s, where, cols...)
			if err != nil {
				t.Fatal(err)
			}
			want := rowsOf(t.Context(), t, p)
			for size, least := range map[int64]int{0: 1, 600_000: 3, 100_000: 5} {
				var got []string
				tasks := 0
				for task := range p.Tasks(size) {
					tasks++
					got = append(got, taskRows(t, k, sent(t, task))...)
				}
				slices.Sort(got)
				if !slices.Equal(got, want) {
					t.Errorf("%q, %d bytes: %d rows of %d tasks, want %d rows", where, size, len(got), tasks, len(want))
				}
				if tasks < least && len(want) > 0 {
					t.Errorf("%q, %d bytes: %d tasks", where, size, tasks)
				}
			}
		}
	}
}

func first(s *snapshot.Snapshot) *action.Add {
	files := s.Files()
	for i := range files.All() {
		return files.Add(i)
	}
	return nil
}

// A task carries no properties but those that reading needs, and no statistics.
func TestTaskHoldsNoMore(t *testing.T) {
	k := tablekit.New(t, tablekit.Spec{DDL: "id INT", Properties: map[string]string{"secret.key": "hunter2", "delta.columnMapping.mode": "none"}, Files: [][]string{{`{"id":1}`}}})
	p, err := planOf(t, latest(t, k), "id = 1")
	if err != nil {
		t.Fatal(err)
	}
	for task := range p.Tasks(0) {
		data, err := task.MarshalBinary()
		if err != nil || bytes.Contains(data, []byte("hunter2")) || bytes.Contains(data, []byte("numRecords")) {
			t.Errorf("%v\n%s", err, data)
		}
		if task.Files() != 1 || task.Bytes() < 1 || task.Table() != k.Bucket.URL() || task.Version() != 1 {
			t.Errorf("%d files, %d bytes, %s, %d", task.Files(), task.Bytes(), task.Table(), task.Version())
		}
		if got := taskRows(t, k, sent(t, task)); !slices.Equal(got, []string{`{"id":1}`}) {
			t.Error(got)
		}
	}
}

const taskHead = `{"sluiceTask":1,"table":"memory://t","version":3,"columns":null,"limit":-1,"now":"2026-01-01T00:00:00Z","bytes":1`

const taskTail = "\n" + `{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}` + "\n" +
	`{"metaData":{"id":"x","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"integer\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":[],"configuration":{}}}` + "\n"

func addLine(path string) string {
	return fmt.Sprintf(`{"add":{"path":%q,"partitionValues":{},"size":10,"modificationTime":1,"dataChange":false}}`+"\n", path)
}

func TestParseTask(t *testing.T) {
	if _, err := read.ParseTask([]byte(taskHead + "}" + taskTail + addLine("x"))); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ text, want string }{
		"empty":          {"", "no header"},
		"other text":     {"hello\nworld", "no header"},
		"newer":          {strings.Replace(taskHead, `"sluiceTask":1`, `"sluiceTask":2`, 1) + "}" + taskTail, "a newer engine made it"},
		"unknown field":  {taskHead + `,"new":1}` + taskTail, "unknown field"},
		"no actions":     {taskHead + "}", "lacks the protocol"},
		"no metadata":    {taskHead + "}\n" + `{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}`, "lacks the protocol or the metadata"},
		"two protocols":  {taskHead + "}" + taskTail + `{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}`, `is "protocol", which has no place there`},
		"a remove":       {taskHead + "}" + taskTail + `{"remove":{"path":"x"}}`, `is "remove"`},
		"add too early":  {taskHead + "}\n" + addLine("x"), `is "add"`},
		"broken":         {taskHead + "}" + taskTail + `{"add":{`, "line 3"},
		"rows, no file":  {taskHead + `,"rows":[{"file":1,"from":0,"to":1}]}` + taskTail + addLine("x"), "there are 1 files"},
		"rows backwards": {taskHead + `,"rows":[{"file":0,"from":5,"to":9},{"file":0,"from":0,"to":6}]}` + taskTail + addLine("x"), "overlap"},
		"bad condition":  {taskHead + `,"where":"id ="}` + taskTail, "PARSE_SYNTAX_ERROR"},
		"other column":   {taskHead + `,"where":"nope = 1"}` + taskTail, "UNRESOLVED_COLUMN"},
		"feature":        {taskHead + "}" + strings.Replace(taskTail, `"minReaderVersion":1,"minWriterVersion":2`, `"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["teleport"],"writerFeatures":["teleport"]`, 1), "teleport"},
		"limit":          {strings.Replace(taskHead, `"limit":-1`, `"limit":-7`, 1) + "}" + taskTail, "limit -7"},
	} {
		_, err := read.ParseTask([]byte(c.text))
		var e *read.TaskError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// A task cannot name files outside of the table.
func TestTaskStaysInTable(t *testing.T) {
	k, _ := numbers(t, 1)
	for _, path := range []string{"../x.parquet", "a/../../x.parquet", "%2e%2e/x.parquet", "/etc/passwd", "file:///etc/passwd", "memory://other/x.parquet"} {
		task, err := read.ParseTask([]byte(taskHead + "}" + taskTail + addLine(path)))
		if err != nil {
			t.Fatal(err)
		}
		var got error
		for _, err := range task.Rows(t.Context(), env.New(), k.Bucket) {
			got = err
		}
		var e *scan.PathError
		if !errors.As(got, &e) {
			t.Errorf("%s: %v", path, got)
		}
	}
}

func FuzzParseTask(f *testing.F) {
	f.Add([]byte(taskHead + "}" + taskTail + addLine("x")))
	f.Add([]byte(taskHead + `,"where":"id = 1","rows":[{"file":0,"from":0,"to":9}]}` + taskTail + addLine("a%20b")))
	f.Add([]byte(strings.Replace(taskHead, `"columns":null`, `"columns":["id AS x","_metadata.row_index"]`, 1) + "}" + taskTail))
	f.Fuzz(func(t *testing.T, data []byte) {
		task, err := read.ParseTask(data)
		if err != nil {
			return
		}
		text, err := task.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		again, err := read.ParseTask(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if more, err := again.MarshalBinary(); err != nil || !bytes.Equal(more, text) {
			t.Fatalf("%v\n%s\nwas\n%s", err, more, text)
		}
	})
}

// The limit is one of each task.
func TestTaskLimit(t *testing.T) {
	k, s := numbers(t, 5)
	e, err := expr.Parse("id >= 0")
	if err != nil {
		t.Fatal(err)
	}
	p, err := read.NewPlan(s, read.Spec{Where: e, Limit: 3})
	if err != nil {
		t.Fatal(err)
	}
	for task := range p.Tasks(0) {
		if got := taskRows(t, k, sent(t, task)); len(got) != 3 {
			t.Errorf("%d rows", len(got))
		}
	}
}
