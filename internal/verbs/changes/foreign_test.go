package changes_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/rows/rewrite"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/changes"
)

// The histories here are written by hand, as other engines write them.

var recording = map[string]string{"delta.enableChangeDataFeed": "true"}

func with(more ...string) map[string]string {
	out := maps.Clone(recording)
	for i := 0; i < len(more); i += 2 {
		out[more[i]] = more[i+1]
	}
	return out
}

func newest(t *testing.T, k *tablekit.Kit) *snapshot.Snapshot {
	t.Helper()
	s, err := k.Snapshot(t.Context(), snapshot.Latest())
	must(t, err)
	return s
}

func live(t *testing.T, k *tablekit.Kit) []*action.Add {
	t.Helper()
	s := newest(t, k)
	var out []*action.Add
	files := s.Files()
	for i := range files.All() {
		out = append(out, files.Add(i))
	}
	return out
}

func publish(t *testing.T, k *tablekit.Kit, acts ...action.Action) int64 {
	t.Helper()
	v := newest(t, k).Version() + 1
	must(t, tablekit.Publish(t.Context(), k.Bucket, v, "Manual Update", acts...))
	return v
}

// altered is the metadata of the table with some of it replaced.
func altered(t *testing.T, k *tablekit.Kit, change func(*action.Metadata)) *action.Metadata {
	t.Helper()
	md := *newest(t, k).Metadata()
	md.Configuration = maps.Clone(md.Configuration)
	change(&md)
	return &md
}

func remove(a *action.Add) *action.Remove { return rewrite.RemoveOf(a, 1) }

// feed is the changes of a range, as text.
func feed(t *testing.T, k *tablekit.Kit, from, to int64) []string {
	t.Helper()
	list, _, err := read(t.Context(), k, changes.Spec{From: snapshot.Version(from), To: snapshot.Version(to)}, -1)
	must(t, err)
	out := []string{}
	for _, c := range list {
		out = append(out, fmt.Sprint(c.version, " ", c.kind, " ", c.row))
	}
	return out
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %s\nwant %s", what, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

func refused(t *testing.T, what string, k *tablekit.Kit, from, to int64, want ...string) error {
	t.Helper()
	_, _, err := read(t.Context(), k, changes.Spec{From: snapshot.Version(from), To: snapshot.Version(to)}, -1)
	for _, w := range want {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("%s: %v\nwant %s", what, err, w)
		}
	}
	return err
}

// Deletion vectors that grow, shrink and go away.
func TestVectorDifferences(t *testing.T) {
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT", Properties: recording, Files: [][]string{{`{"k":0}`, `{"k":1}`, `{"k":2}`, `{"k":3}`}}})
	ctx := t.Context()
	mark := func(rows ...int64) *action.Add {
		whole := *live(t, k)[0]
		whole.DeletionVector = nil
		acts, err := tablekit.Mark(ctx, newest(t, k), &whole, rows...)
		must(t, err)
		return acts[1].(*action.Add)
	}
	a := live(t, k)[0]
	first := mark(0, 1)
	v := publish(t, k, remove(a), first)
	same(t, "a first vector", feed(t, k, v, v), `2 delete {"k":0}`, `2 delete {"k":1}`)
	second := mark(1, 3)
	v = publish(t, k, second, remove(first)) // the order in the commit does not matter
	same(t, "another vector", feed(t, k, v, v), `3 delete {"k":3}`, `3 insert {"k":0}`)
	a.DataChange = true
	v = publish(t, k, remove(second), a)
	same(t, "no vector any more", feed(t, k, v, v), `4 insert {"k":1}`, `4 insert {"k":3}`)
	v = publish(t, k, remove(a), first)
	v = publish(t, k, remove(first))
	same(t, "a file that goes with its vector", feed(t, k, v, v), `6 delete {"k":2}`, `6 delete {"k":3}`)
}

// Statistics are exact for the rows that an action leaves, not for those that it
// deletes: they must not hide these.
func TestTightStatisticsHideNoDeletedRow(t *testing.T) {
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT", Properties: recording, Files: [][]string{{`{"k":0}`, `{"k":9}`}}})
	a := live(t, k)[0]
	acts, err := tablekit.Mark(t.Context(), newest(t, k), a, 1)
	must(t, err)
	marked := acts[1].(*action.Add)
	marked.Stats = `{"numRecords":2,"minValues":{"k":0},"maxValues":{"k":0},"nullCount":{"k":0},"tightBounds":true}`
	publish(t, k, remove(a), marked)
	got, _, err := read(t.Context(), k, changes.Spec{From: snapshot.Version(2), Where: parsed(t, "k > 5")}, -1)
	must(t, err)
	if len(got) != 1 || got[0].row != `{"k":9}` {
		t.Errorf("%v, want the deleted 9", got)
	}
}

// What rearranges rows changes none, and what says that it changed none is believed.
func TestNothingChanged(t *testing.T) {
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT", Properties: recording, Files: [][]string{{`{"k":1}`}, {`{"k":2}`}}})
	acts, err := tablekit.Optimize(t.Context(), newest(t, k), live(t, k)...)
	must(t, err)
	v := publish(t, k, acts...)
	same(t, "OPTIMIZE", feed(t, k, v, v))
	a := live(t, k)[0]
	a.DataChange = true
	v++
	data, err := action.Marshal([]action.Action{&action.CommitInfo{Operation: "MERGE", OperationMetrics: map[string]string{
		"numTargetRowsInserted": "0", "numTargetRowsUpdated": "0", "numTargetRowsDeleted": "0", "numTargetRowsCopied": "2"}}, remove(a)})
	must(t, err)
	must(t, k.Bucket.PutIfAbsent(t.Context(), deltalog.CommitPath(v), data))
	same(t, "a MERGE of copies", feed(t, k, v, v))
}

// Deleted rows come first: an overwrite may bring a key back.
func TestDeletesComeFirst(t *testing.T) {
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT", Properties: recording, Files: [][]string{{`{"k":1}`}, {`{"k":2}`}}})
	a := live(t, k)
	old, new := a[0], a[1]
	again := *new
	again.Path, again.DataChange = "again.parquet", true
	data, _, err := k.Bucket.Get(t.Context(), new.Path)
	must(t, err)
	must(t, k.Bucket.Put(t.Context(), again.Path, data))
	v := publish(t, k, &again, remove(old), remove(new))
	same(t, "an overwrite", feed(t, k, v, v), `3 delete {"k":1}`, `3 delete {"k":2}`, `3 insert {"k":2}`)
}

// A removal need not say its partition: the version before does.
func TestRemovalsWithoutPartition(t *testing.T) {
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT, p INT", PartitionBy: []string{"p"}, Properties: recording, Files: [][]string{{`{"k":1,"p":7}`}, {`{"k":2,"p":8}`}}})
	a := live(t, k)
	short := func(a *action.Add) *action.Remove { return &action.Remove{Path: a.Path, DataChange: true} }
	v := publish(t, k, short(a[0]))
	same(t, "looked up", feed(t, k, v, v), `3 delete {"k":1,"p":7}`)
	v = publish(t, k, short(a[1]))
	same(t, "looked up", feed(t, k, v, v), `4 delete {"k":2,"p":8}`)
	v = publish(t, k, &action.Remove{Path: "never.parquet", DataChange: true})
	refused(t, "a file that was never there", k, v, v, "DELTA_REMOVE_FILE_CDC_MISSING_EXTENDED_METADATA", "version 5", "never.parquet")
}

// A table may be written anew with other partition columns.
func TestOtherPartitions(t *testing.T) {
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT, p INT", PartitionBy: []string{"p"}, Properties: recording, Files: [][]string{{`{"k":1,"p":7}`}}})
	other := tablekit.New(t, tablekit.Spec{DDL: "k INT, p INT", PartitionBy: []string{"k"}, Files: [][]string{{`{"k":2,"p":8}`}}})
	add := live(t, other)[0]
	data, _, err := other.Bucket.Get(t.Context(), add.Path)
	must(t, err)
	must(t, k.Bucket.Put(t.Context(), add.Path, data))
	old := live(t, k)[0]
	add.DataChange = true
	md := altered(t, k, func(m *action.Metadata) { m.PartitionColumns = []string{"k"} })
	publish(t, k, md, remove(old), add)
	same(t, "the whole story", feed(t, k, 0, 2), `1 insert {"k":1,"p":7}`, `2 delete {"k":1,"p":7}`, `2 insert {"k":2,"p":8}`)
	got, _, err := read(t.Context(), k, changes.Spec{From: snapshot.Version(0), Where: parsed(t, "k = 1")}, -1)
	must(t, err)
	if len(got) != 2 {
		t.Errorf("by a column that is a partition column now: %v", got)
	}
}

// Recording may begin and end within the life of a table.
func TestRecordingInMidLife(t *testing.T) {
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT", Files: [][]string{{`{"k":1}`}}})
	on := publish(t, k, altered(t, k, func(m *action.Metadata) { m.Configuration["delta.enableChangeDataFeed"] = "true" }))
	must(t, k.Append(t.Context(), `{"k":2}`))
	same(t, "since then", feed(t, k, on, on+1), `3 insert {"k":2}`)
	refused(t, "before", k, 1, on+1, "[DELTA_MISSING_CHANGE_DATA]", "from version 1 to 3", "off at version 1", "recorded from version 2 on")
	off := publish(t, k, altered(t, k, func(m *action.Metadata) { m.Configuration["delta.enableChangeDataFeed"] = "false" }))
	refused(t, "to where it ends", k, on, off, "[DELTA_MISSING_CHANGE_DATA]", "off at version 4", "turn the feed on")
	same(t, "up to there", feed(t, k, on, off-1), `3 insert {"k":2}`)
	publish(t, k, altered(t, k, func(m *action.Metadata) {
		delete(m.Configuration, "delta.enableChangeDataFeed")
		m.Configuration["delta.enableChangeDataCapture"] = "true"
	}))
	same(t, "by the old name of the property", feed(t, k, 5, 5))
}

// Columns may come, but not go or change (the classes are the reference's).
func TestSchemas(t *testing.T) {
	schema := func(text string) func(*action.Metadata) {
		return func(m *action.Metadata) { m.SchemaString = text }
	}
	field := func(name, typ string) string {
		return fmt.Sprintf(`{"name":%q,"type":%q,"nullable":true,"metadata":{}}`, name, typ)
	}
	table := func(fields ...string) string { return `{"type":"struct","fields":[` + strings.Join(fields, ",") + `]}` }
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT", Properties: recording, Files: [][]string{{`{"k":1}`}}})
	publish(t, k, altered(t, k, schema(table(field("k", "integer"), field("v", "string")))))
	same(t, "a new column", feed(t, k, 0, 1), `1 insert {"k":1,"v":null}`)
	v := publish(t, k, altered(t, k, schema(table(field("k", "long"), field("v", "string")))))
	refused(t, "a wider column", k, 0, v, "[DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_SCHEMA_CHANGE]", "columns of version 2 ")
	if _, _, err := read(t.Context(), k, changes.Spec{From: snapshot.Version(0), Schema: snapshot.Version(2)}, -1); err == nil || !strings.Contains(err.Error(), "[DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_SCHEMA_CHANGE]") {
		t.Errorf("a wider column, read as it was: %v", err)
	}
	refused(t, "before it", k, 0, 1, "[DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA]", "choose the schema")
	for at, want := range map[int64]string{2: `{"k":1,"v":null}`, 1: `{"k":1}`} {
		got, _, err := read(t.Context(), k, changes.Spec{From: snapshot.Version(0), To: snapshot.Version(v - 1), Schema: snapshot.Version(at)}, -1)
		must(t, err)
		if len(got) != 1 || got[0].row != want {
			t.Errorf("in the schema of version %d: %v, want %s", at, got, want)
		}
	}
	v = publish(t, k, remove(live(t, k)[0]))
	same(t, "a file of before, removed behind it", feed(t, k, v-1, v), `4 delete {"k":1,"v":null}`)
	v = publish(t, k, altered(t, k, schema(table(field("k", "long"), field("_Commit_Version", "long")))))
	refused(t, "a column of the feed's name", k, v, v, "[DELTA_TABLE_ALREADY_CONTAINS_CDC_COLUMNS]")

	m := tablekit.New(t, tablekit.Spec{DDL: "k INT, v INT", Properties: with("delta.columnMapping.mode", "name"), Files: [][]string{{`{"k":1,"v":2}`}}})
	v = publish(t, m, altered(t, m, func(md *action.Metadata) {
		md.SchemaString = strings.Replace(md.SchemaString, `"name":"v"`, `"name":"w"`, 1)
	}))
	m.Schema = newest(t, m).Schema()
	must(t, m.Append(t.Context(), `{"k":3}`))
	refused(t, "a renamed column", m, 0, v, "[DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA]")
	same(t, "behind it", feed(t, m, v, v+1), `3 insert {"k":3,"w":null}`)
	s, err := m.Snapshot(t.Context(), snapshot.Version(1))
	must(t, err)
	p, err := changes.NewPlan(t.Context(), m.Env, newest(t, m), changes.Spec{From: snapshot.Version(0), To: snapshot.Version(1)})
	must(t, err)
	if got := p.Schema().Names()[:2]; !slices.Equal(got, s.Schema().Names()) {
		t.Errorf("before it the columns are %q", got)
	}
	v = publish(t, m, altered(t, m, func(md *action.Metadata) { delete(md.Configuration, "delta.columnMapping.mode") }))
	refused(t, "mapping taken away", m, v-1, v, "DELTA_CHANGE_DATA_FEED_INCOMPATIBLE")
}

// A log is not to be trusted, and can be damaged.
func TestHostileAndDamaged(t *testing.T) {
	ctx := t.Context()
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT", Properties: recording, Files: [][]string{{`{"k":1}`}}})
	for _, path := range []string{"_change_data/../../secret.parquet", "..%2fsecret.parquet", "/etc/passwd", "file:///etc/passwd"} {
		v := publish(t, k, &action.AddCDC{Path: path, Size: 10})
		var outside *scan.PathError
		if err := refused(t, path, k, v, v, "names the file"); !errors.As(err, &outside) {
			t.Errorf("%s: %v is no *PathError", path, err)
		}
	}
	v := publish(t, k, &action.AddCDC{Path: "_change_data/cdc-1.parquet", Size: 10})
	err := refused(t, "no such file", k, v, v, "[DELTA_CHANGE_DATA_FILE_NOT_FOUND]", "_change_data/cdc-1.parquet", fmt.Sprintf("version %d", v), "begin behind")
	var missing *scan.FileError
	if !errors.As(err, &missing) {
		t.Errorf("%v does not lead to the file", err)
	}
	must(t, k.Bucket.Put(ctx, "_change_data/cdc-1.parquet", []byte("PAR1 this is not Parquet PAR1")))
	refused(t, "not Parquet", k, v, v, "cdc-1.parquet", "cannot be read")
	if got := feed(t, k, 1, 1); len(got) != 1 {
		t.Errorf("the versions beside it: %v", got)
	}
	v = newest(t, k).Version() + 1
	must(t, tablekit.Publish(ctx, k.Bucket, v, "x"))
	must(t, tablekit.Publish(ctx, k.Bucket, v+1, "x"))
	good, _, err := k.Bucket.Get(ctx, deltalog.CommitPath(v))
	must(t, err)
	s := newest(t, k)
	must(t, k.Bucket.Put(ctx, deltalog.CommitPath(v), append(good, `{"add":{"path":"x"`...)))
	_, err = changes.NewPlan(ctx, k.Env, s, changes.Spec{From: snapshot.Version(v)})
	var corrupt *snapshot.CorruptError
	if !errors.As(err, &corrupt) || corrupt.File != deltalog.CommitPath(v) || corrupt.Line != 2 {
		t.Errorf("a damaged commit: %v", err)
	}
	must(t, k.Bucket.Delete(ctx, deltalog.CommitPath(v)))
	if _, err = changes.NewPlan(ctx, k.Env, s, changes.Spec{From: snapshot.Version(v - 1)}); !errors.As(err, &corrupt) || corrupt.Class != "DELTA_VERSIONS_NOT_CONTIGUOUS" {
		t.Errorf("a commit that is gone: %v", err)
	}
	for i := range v {
		must(t, k.Bucket.Delete(ctx, deltalog.CommitPath(i)))
	}
	_, err = changes.NewPlan(ctx, k.Env, s, changes.Spec{From: snapshot.Version(1)})
	var version *snapshot.VersionError
	if !errors.As(err, &version) || version.Earliest != v+1 || !strings.Contains(err.Error(), fmt.Sprintf("from version %d on", v+1)) {
		t.Errorf("a log that was cleaned up: %v", err)
	}
}

// A protocol that came and went may have meant anything.
func TestUnknownProtocolInTheRange(t *testing.T) {
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT", Properties: recording})
	now := newest(t, k)
	publish(t, k, &action.Protocol{MinReaderVersion: 3, MinWriterVersion: 7, ReaderFeatures: []string{"timeTunnel"}, WriterFeatures: []string{"timeTunnel"}})
	must(t, tablekit.Publish(t.Context(), k.Bucket, 2, "x", now.Protocol()))
	refused(t, "an unknown feature", k, 0, 2, "DELTA_UNSUPPORTED_FEATURES_FOR_READ", "timeTunnel")
}

// Times stand in the commits, or are those of their files.
func TestTimes(t *testing.T) {
	k := tablekit.New(t, tablekit.Spec{DDL: "k INT", Properties: recording})
	md := altered(t, k, func(m *action.Metadata) {
		m.Configuration["delta.enableInCommitTimestamps"] = "true"
		m.Configuration["delta.inCommitTimestampEnablementVersion"] = "0"
		m.Configuration["delta.inCommitTimestampEnablementTimestamp"] = "1000"
	})
	p := newest(t, k).Protocol()
	write := func(v, millis int64, acts ...action.Action) {
		data, err := action.Marshal(append([]action.Action{&action.CommitInfo{InCommitTimestamp: &millis, Operation: "x"}}, acts...))
		must(t, err)
		must(t, k.Bucket.Put(t.Context(), deltalog.CommitPath(v), data))
	}
	write(0, 1000, p, md)
	for v := range int64(3) {
		write(v+1, 2000+1000*v)
	}
	for _, c := range []struct {
		from, to int64 // milliseconds
		want     string
	}{
		{2000, 3000, "1 2"}, {1500, 3999, "1 2"}, {0, 1000, "0 0"}, {4000, 4000, "3 3"}, {2500, 2600, "2 1"},
		{4001, 4000, "DELTA_TIMESTAMP_GREATER_THAN_COMMIT"}, {1000, 4001, "DELTA_TIMESTAMP_GREATER_THAN_COMMIT"},
		{0, 500, "DELTA_TIMESTAMP_EARLIER_THAN_COMMIT_RETENTION"}, {3500, 2500, "DELTA_INVALID_CDC_RANGE"}, {2600, 2500, "DELTA_INVALID_CDC_RANGE"},
	} {
		plan, err := changes.NewPlan(t.Context(), k.Env, newest(t, k), changes.Spec{From: snapshot.Time(millis(c.from)), To: snapshot.Time(millis(c.to))})
		got := fmt.Sprint(err)
		if err == nil {
			from, to := plan.Range()
			got = fmt.Sprint(from, to)
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("from %d to %d: %s, want %s", c.from, c.to, got, c.want)
		}
	}
	other := tablekit.New(t, tablekit.Spec{DDL: "k INT", Files: [][]string{{`{"k":1}`}}})
	add := live(t, other)[0]
	add.DataChange = true
	data, _, err := other.Bucket.Get(t.Context(), add.Path)
	must(t, err)
	must(t, k.Bucket.Put(t.Context(), add.Path, data))
	write(4, 4321, add)
	if got := stamps(t, k, 4); !slices.Equal(got, []int64{4_321_000}) {
		t.Errorf("_commit_timestamp %v, the commit says 4321 milliseconds", got)
	}
}
