package vacuum_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/rows/source"
	"github.com/sluicelake/sluice/internal/table/clones"
	"github.com/sluicelake/sluice/internal/table/inflight"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/vacuum"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/local"
)

const rowsOfA, rowsOfB = `{"k":1,"p":"a","v":1}`, `{"k":2,"p":"b","v":2}`

func hours(n float64) *time.Duration { d := vacuum.Hours(n); return &d }

func classOf(err error) string {
	var e *vacuum.Error
	if errors.As(err, &e) {
		return e.Class
	}
	return ""
}

func names(r *vacuum.Result) (out []string) {
	for key := range r.Files() {
		out = append(out, key)
	}
	slices.Sort(out)
	return out
}

func TestRetentionIsGuarded(t *testing.T) {
	w, err := newWorld(t.Context(), tablekit.Spec{DDL: "k INT", Properties: map[string]string{"delta.deletedFileRetentionDuration": "interval 90 minutes"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		retain *time.Duration
		off    bool
		class  string
	}{
		{nil, false, ""}, {hours(2), false, ""}, {hours(1), false, vacuum.ClassTooShort}, {hours(0), false, vacuum.ClassTooShort},
		{hours(0), true, ""}, {hours(-1), true, vacuum.ClassNegative}, {hours(1.5), false, ""}, {hours(1e30), false, ""},
	} {
		_, err := vacuum.Run(t.Context(), w.Log, vacuum.Spec{Retain: c.retain, DryRun: true}, vacuum.Options{NoRetentionCheck: c.off})
		if classOf(err) != c.class || (err != nil) != (c.class != "") {
			t.Errorf("retain %v, check off %v: %v, want %q", c.retain, c.off, err, c.class)
		}
	}
}

// TestCommits: VACUUM START and END are in the history as the reference writes them.
func TestCommits(t *testing.T) {
	w, err := newWorld(t.Context(), tablekit.Spec{DDL: "k INT, p STRING, v INT", Files: [][]string{{rowsOfA}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Bucket.Put(t.Context(), "x.parquet", []byte("1234")); err != nil {
		t.Fatal(err)
	}
	w.now.Pass(200 * time.Hour)
	res, err := vacuum.Run(t.Context(), w.Log, vacuum.Spec{Retain: hours(170)}, vacuum.Options{})
	if err != nil || res.Start != 2 || res.End != 3 || res.Deleted != 1 || res.Freed != 4 {
		t.Fatalf("%+v, %v", res, err)
	}
	for v, want := range map[int64][]string{
		2: {`"operation":"VACUUM START"`, `"retentionCheckEnabled":true`, `"specifiedRetentionMillis":612000000`, `"defaultRetentionMillis":604800000`,
			`"isolationLevel":"SnapshotIsolation"`, `"isBlindAppend":true`, `"numFilesToDelete":"1"`, `"sizeOfDataToDelete":"4"`},
		3: {`"operation":"VACUUM END"`, `"operationParameters":{"status":"COMPLETED"}`, `"numDeletedFiles":"1"`, `"numVacuumedDirectories":"1"`},
	} {
		data, _, err := deltalog.ReadCommit(t.Context(), w.Bucket, v)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range want {
			if !strings.Contains(string(data), part) {
				t.Errorf("version %d has no %s: %s", v, part, data)
			}
		}
		if strings.Count(string(data), "\n") != 1 {
			t.Errorf("version %d has actions: %s", v, data)
		}
	}
	if res, err = vacuum.Run(t.Context(), w.Log, vacuum.Spec{}, vacuum.Options{NoLog: true}); err != nil || res.Start != -1 || res.Version != 3 {
		t.Errorf("without commits: %+v, %v", res, err)
	}
	if s, err := w.Log.Update(t.Context()); err != nil || s.Version() != 3 {
		t.Errorf("version %d, %v", s.Version(), err)
	}
}

func TestLiteNeedsTheLog(t *testing.T) {
	ctx := t.Context()
	w, err := newWorld(ctx, tablekit.Spec{DDL: "k INT, p STRING, v INT", Properties: tablekit.WithoutVectors(), Files: [][]string{{rowsOfA}, {rowsOfB}}})
	if err != nil {
		t.Fatal(err)
	}
	lite := func() (*vacuum.Result, error) {
		return vacuum.Run(ctx, w.Log, vacuum.Spec{Lite: true}, vacuum.Options{NoLog: true})
	}
	w.now.Pass(time.Hour)
	if err := w.change("DELETE FROM t WHERE k = 1"); err != nil {
		t.Fatal(err)
	}
	w.now.Pass(100 * time.Hour)
	if res, err := lite(); err != nil || res.Deleted != 0 || res.FirstRead != -1 {
		t.Fatalf("nothing is old enough: %+v, %v", res, err)
	}
	w.now.Pass(100 * time.Hour)
	if res, err := lite(); err != nil || res.Deleted != 1 || res.FirstRead != 0 || res.LastRead != 3 {
		t.Fatalf("%+v, %v", res, err)
	}
	data, _, err := w.Bucket.Get(ctx, "_delta_log/_last_vacuum_info")
	if err != nil || string(data) != `{"latestCommitVersionOutsideOfRetentionWindow":3}`+"\n" {
		t.Errorf("%s, %v", data, err)
	}
	if err := w.change("DELETE FROM t WHERE k = 2"); err != nil {
		t.Fatal(err)
	}
	w.now.Pass(200 * time.Hour)
	s, err := w.Log.Update(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := snapshot.WriteCheckpoint(ctx, s); err != nil {
		t.Fatal(err)
	}
	for v := range int64(3) {
		w.Bucket.Delete(ctx, deltalog.CommitPath(v))
	}
	if res, err := lite(); err != nil || res.Deleted != 1 || res.FirstRead != 4 {
		t.Fatalf("the commits since the last one are there: %+v, %v", res, err)
	}
	w.Bucket.Delete(ctx, "_delta_log/_last_vacuum_info")
	if _, err := lite(); classOf(err) != vacuum.ClassLite {
		t.Fatalf("without all commits: %v", err)
	}
	if err := w.Bucket.Put(ctx, "_delta_log/_last_vacuum_info", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if _, err := lite(); classOf(err) != vacuum.ClassLite {
		t.Fatalf("a note that says nothing: %v", err)
	}
	if _, err := vacuum.Run(ctx, w.Log, vacuum.Spec{}, vacuum.Options{}); err != nil {
		t.Fatal(err)
	}
	if res, err := lite(); err != nil || res.FirstRead != -1 {
		t.Fatalf("after a full one: %+v, %v", res, err)
	}
}

func TestSlowWriters(t *testing.T) {
	ctx := t.Context()
	w, err := newWorld(ctx, tablekit.Spec{DDL: "k INT, p STRING, v INT", Files: [][]string{{rowsOfA}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Bucket.Put(ctx, "orphan.parquet", nil); err != nil {
		t.Fatal(err)
	}
	w.now.Pass(time.Minute)
	tx, err := w.Log.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"slow.parquet", "named.parquet"} {
		if err := w.Bucket.Put(ctx, key, nil); err != nil {
			t.Fatal(err)
		}
	}
	inflight.Wrote(w.Bucket.URL(), "named.parquet")
	w.now.Pass(1000 * time.Hour)
	o := vacuum.Options{NoRetentionCheck: true, NoLog: true}
	res, err := vacuum.Run(ctx, w.Log, vacuum.Spec{Retain: hours(0)}, o)
	if err != nil || !slices.Equal(names(res), []string{"orphan.parquet"}) || res.UnderWay != 1 {
		t.Fatalf("%v: %+v, %v", names(res), res, err)
	}
	for path, want := range map[string]string{"slow.parquet": vacuum.ReasonUnderWay, "named.parquet": vacuum.ReasonUnderWay, "orphan.parquet": vacuum.ReasonMissing} {
		v, err := vacuum.Explain(ctx, w.Log, path, vacuum.Spec{}, o)
		if err != nil || v.Deletable || v.Reason != want {
			t.Errorf("%s: %+v, %v", path, v, err)
		}
	}
	add := &action.Add{Path: "slow.parquet", PartitionValues: action.PartitionValues{}, DataChange: true}
	if _, err := tx.Commit(ctx, []action.Action{add}, txn.Operation{Name: "WRITE"}, txn.Options{}); err != nil {
		t.Fatal(err)
	}
	res, err = vacuum.Run(ctx, w.Log, vacuum.Spec{Retain: hours(0)}, o)
	if err != nil || !slices.Equal(names(res), []string{"named.parquet"}) {
		t.Fatalf("%v, %v", names(res), err)
	}
}

func TestClonesKeepTheirFiles(t *testing.T) {
	ctx := t.Context()
	w, err := newWorld(ctx, tablekit.Spec{DDL: "k INT, p STRING, v INT", Properties: tablekit.WithoutVectors(), Files: [][]string{{rowsOfA}, {rowsOfB}}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := newWorld(ctx, tablekit.Spec{DDL: "k INT, p STRING, v INT"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := w.Log.Update(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var acts []action.Action
	for i := range s.Files().All() {
		a := s.Files().Add(i)
		a.Path = w.Bucket.URL() + "/" + a.Path
		acts = append(acts, a)
		break
	}
	if err := tablekit.Publish(ctx, c.Bucket, 1, "CLONE", acts...); err != nil {
		t.Fatal(err)
	}
	if err := clones.Register(ctx, w.Bucket, clones.Entry{Clone: c.Bucket.URL(), Source: 2, Created: w.now.Now().UnixMilli()}); err != nil {
		t.Fatal(err)
	}
	if err := w.change("DELETE FROM t WHERE k > 0"); err != nil {
		t.Fatal(err)
	}
	w.now.Pass(1000 * time.Hour)
	o := vacuum.Options{NoLog: true}
	if _, err := vacuum.Run(ctx, w.Log, vacuum.Spec{}, o); classOf(err) != vacuum.ClassClone {
		t.Fatalf("a clone that cannot be read: %v", err)
	}
	o.Open = func(_ context.Context, url string) (*storage.Bucket, error) {
		if url != c.Bucket.URL() {
			return nil, errors.New("not " + url)
		}
		return c.Bucket, nil
	}
	v, err := vacuum.Explain(ctx, w.Log, acts[0].(*action.Add).Path, vacuum.Spec{}, o)
	if err != nil || v.Reason != vacuum.ReasonCloned {
		t.Errorf("%+v, %v", v, err)
	}
	res, err := vacuum.Run(ctx, w.Log, vacuum.Spec{}, o)
	if err != nil || res.Deleted != 1 || res.Cloned != 1 || len(res.Notes) != 1 {
		t.Fatalf("%+v, %v", res, err)
	}
	o.Open, o.ForgetClones = nil, []string{c.Bucket.URL()}
	if res, err = vacuum.Run(ctx, w.Log, vacuum.Spec{}, o); err != nil || res.Deleted != 1 {
		t.Fatalf("%+v, %v", res, err)
	}
	if list, err := clones.List(ctx, w.Bucket); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
}

// onDisk is a table in a folder whose files are all old.
func onDisk(t *testing.T, spec tablekit.Spec) (*tablekit.Kit, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "t able")
	d, err := local.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	spec.Driver = d
	return tablekit.New(t, spec), dir
}

func put(t *testing.T, dir, name string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
}

func age(t *testing.T, dir string) {
	t.Helper()
	old := time.Now().Add(-1000 * time.Hour)
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.Type()&os.ModeSymlink != 0 {
			return err
		}
		return os.Chtimes(path, old, old)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFoldersAndLinks(t *testing.T) {
	k, dir := onDisk(t, tablekit.Spec{DDL: "k INT, p STRING, v INT", PartitionBy: []string{"p"}, Properties: tablekit.WithoutVectors(), Files: [][]string{{rowsOfA}, {rowsOfB}}})
	k.Log.Close(t.Context())
	k.Log = txn.NewLog(k.Env, k.Bucket, txn.Policy{})
	outside := t.TempDir()
	put(t, outside, "precious.parquet")
	for _, name := range []string{"orphan.parquet", "p=a/orphan.parquet", "p=c/gone.parquet", "p=c/.gone.parquet.crc", "deep/er/er/x.parquet", "_hidden/x.parquet", ".hidden", "_x.parquet",
		"p=_h/_x", "p=_h/x.parquet", ".0123.sluice-tmp", "_delta_log/.0123.sluice-tmp", "p=a/.0123.sluice-tmp", "_delta_log/x.parquet", "metadata/m.parquet", "ünï coded %41.parquet"} {
		put(t, dir, name)
	}
	for _, d := range []string{"empty/er", "p=d"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	age(t, dir)
	age(t, outside)
	for name, to := range map[string]string{"link.parquet": filepath.Join(outside, "precious.parquet"), "linked": outside, "p=link": filepath.Join(dir, "p=a"), "broken.parquet": "nowhere"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	res, err := vacuum.Run(t.Context(), k.Log, vacuum.Spec{DryRun: true}, vacuum.Options{})
	if err != nil || res.Recent != 4 { // links were made just now
		t.Fatalf("%+v, %v", res, err)
	}
	want := []string{"deep/er/er/x.parquet", "metadata/m.parquet", "orphan.parquet", "p=_h/x.parquet", "p=a/orphan.parquet", "p=c/gone.parquet", "ünï coded %41.parquet"}
	if !slices.Equal(names(res), want) || res.Leftovers != 4 || res.Removed != 8 {
		t.Errorf("%v, %d leftovers, %d folders", names(res), res.Leftovers, res.Removed)
	}
	o := vacuum.Options{NoRetentionCheck: true, NoLog: true}
	if res, err = vacuum.Run(t.Context(), k.Log, vacuum.Spec{}, o); err != nil || res.Deleted != 7 || res.Removed != 8 {
		t.Fatalf("%+v, %v", res, err)
	}
	time.Sleep(20 * time.Millisecond)
	res, err = vacuum.Run(t.Context(), k.Log, vacuum.Spec{Retain: hours(0)}, o)
	if err != nil || !slices.Equal(names(res), []string{"broken.parquet", "link.parquet", "linked", "p=link"}) {
		t.Fatalf("%v, %v", names(res), err)
	}
	if _, err := os.Stat(filepath.Join(outside, "precious.parquet")); err != nil {
		t.Error("what a link leads to is gone")
	}
	if rows := k.Rows(t); len(rows) != 2 {
		t.Errorf("%v", rows)
	}
	for _, name := range []string{"_hidden/x.parquet", ".hidden", "_x.parquet", "p=_h/_x", "_delta_log/x.parquet"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

func inventory(t *testing.T, rows string) source.Source {
	t.Helper()
	path := filepath.Join(t.TempDir(), "inventory.json")
	if err := os.WriteFile(path, []byte(rows), 0o666); err != nil {
		t.Fatal(err)
	}
	src, err := source.Open(t.Context(), path, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func TestInventory(t *testing.T) {
	k, dir := onDisk(t, tablekit.Spec{DDL: "k INT, p STRING, v INT", Properties: tablekit.WithoutVectors(), Files: [][]string{{rowsOfA}}})
	live := k.DataFiles(t)[0]
	outside := t.TempDir()
	put(t, outside, "precious.parquet")
	put(t, dir, "a b.parquet")
	put(t, dir, "sub/c.parquet")
	put(t, dir, "unlisted.parquet")
	for _, to := range []string{dir, outside} {
		if err := os.Symlink(to, filepath.Join(dir, "link-"+filepath.Base(to))); err != nil {
			t.Skip(err)
		}
	}
	url := k.Bucket.URL()
	row := func(path string) string {
		return `{"path":"` + path + `","length":1,"isDir":false,"modificationTime":1000}` + "\n"
	}
	rows := row(url+"/"+live) + row(url+"/a%20b.parquet") + row(dir+"/sub/c.parquet") + row(outside+"/precious.parquet") + row("../"+filepath.Base(outside)+"/precious.parquet") +
		row("_delta_log/00000000000000000000.json") + row("link-"+filepath.Base(dir)+"/"+live) + row("link-"+filepath.Base(outside)+"/precious.parquet") + row("nowhere.parquet") +
		`{"path":"sub","length":0,"isDir":true,"modificationTime":1000}` + "\n" + `{"path":"unlisted.parquet","length":1,"isDir":false,"modificationTime":null}` + "\n"
	res, err := vacuum.Run(t.Context(), k.Log, vacuum.Spec{Inventory: inventory(t, rows)}, vacuum.Options{NoLog: true})
	if err != nil || res.Deleted != 2 || res.Mode != "INVENTORY" {
		t.Fatalf("%v: %+v, %v", names(res), res, err)
	}
	if _, err := os.Stat(filepath.Join(outside, "precious.parquet")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "sub")); err == nil {
		t.Error("the folder that became empty is there")
	}
	if len(k.Rows(t)) != 1 {
		t.Error("rows are gone")
	}
	if _, err := vacuum.Run(t.Context(), k.Log, vacuum.Spec{Inventory: inventory(t, `{"path":"x"}`)}, vacuum.Options{}); classOf(err) != vacuum.ClassInventory {
		t.Error(err)
	}
}
