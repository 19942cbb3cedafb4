package fsck_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/internal/inspect/fsck"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/rows/rewrite"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/storage"
)

// check runs fsck and gives the codes that it found, each once and sorted.
func check(t testing.TB, b *storage.Bucket, deep bool) ([]fsck.Code, []fsck.Finding, fsck.Summary) {
	t.Helper()
	c := fsck.New(env.New(), b, fsck.Options{Deep: deep})
	var codes []fsck.Code
	var all []fsck.Finding
	for f, err := range c.Findings(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if f.Meaning == "" || f.Advice == "" || f.Message == "" {
			t.Errorf("a finding that does not explain itself: %+v", f)
		}
		codes, all = append(codes, f.Code), append(all, f)
	}
	slices.Sort(codes)
	return slices.Compact(codes), all, c.Summary()
}

// world is a table of four commits with a checkpoint in the middle, a deletion
// vector, partitions, checksums, and a file that is gone from the newest version.
type world struct {
	*tablekit.Kit
	t testing.TB
}

func good(t testing.TB) *world {
	t.Helper()
	k := tablekit.New(t, tablekit.Spec{DDL: "id INT NOT NULL, name STRING, p STRING", PartitionBy: []string{"p"}, Policy: txn.Policy{NoChecksum: true, NoCheckpoint: true},
		Files: [][]string{{`{"id":1,"name":"a","p":"x"}`, `{"id":2,"name":"b","p":"x"}`, `{"id":3,"name":null,"p":"x"}`}, {`{"id":4,"name":"d","p":"y"}`}}})
	w := &world{k, t}
	for v := range int64(3) {
		s, err := w.Snapshot(t.Context(), snapshot.Version(v))
		if err == nil {
			err = s.WriteChecksum(t.Context(), "")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s := w.now()
	if err := snapshot.WriteCheckpoint(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	w.write(func(s *snapshot.Snapshot) []action.Action {
		acts, err := tablekit.Mark(t.Context(), s, w.file("x"), 1)
		if err != nil {
			t.Fatal(err)
		}
		return acts
	})
	return w
}

func (w *world) now() *snapshot.Snapshot {
	w.t.Helper()
	s, err := w.Snapshot(w.t.Context(), snapshot.Latest())
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// write commits by hand, as another engine would.
func (w *world) write(acts func(s *snapshot.Snapshot) []action.Action) {
	w.t.Helper()
	s := w.now()
	if err := tablekit.Publish(w.t.Context(), w.Bucket, s.Version()+1, "TEST", acts(s)...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) file(p string) *action.Add {
	w.t.Helper()
	files := w.now().Files()
	for i := range files.All() {
		if a := files.Add(i); *a.PartitionValues["p"] == p {
			return a
		}
	}
	w.t.Fatal("no such file")
	return nil
}

func (w *world) get(key string) []byte {
	w.t.Helper()
	data, _, err := w.Bucket.Get(w.t.Context(), key)
	if err != nil {
		w.t.Fatal(err)
	}
	return data
}

func (w *world) put(key string, data []byte) {
	w.t.Helper()
	if err := w.Bucket.Put(w.t.Context(), key, data); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) drop(key string) {
	w.t.Helper()
	if err := w.Bucket.Delete(w.t.Context(), key); err != nil {
		w.t.Fatal(err)
	}
}

// edit replaces text in an object.
func (w *world) edit(key, old, new string) {
	w.t.Helper()
	data := w.get(key)
	if !bytes.Contains(data, []byte(old)) {
		w.t.Fatalf("%s does not hold %q:\n%s", key, old, data)
	}
	w.put(key, bytes.Replace(data, []byte(old), []byte(new), 1))
}

func (w *world) vectorKey() string {
	at, err := dv.Locate(w.file("x").DeletionVector, w.Bucket.URL())
	if err != nil {
		w.t.Fatal(err)
	}
	return at.Key
}

// restate adds a file again with another entry.
func (w *world) restate(p string, change func(a *action.Add)) {
	w.write(func(*snapshot.Snapshot) []action.Action {
		a := w.file(p)
		old := *a
		change(a)
		return []action.Action{rewrite.RemoveOf(&old, 1), a}
	})
}

func TestHealthy(t *testing.T) {
	w := good(t)
	codes, all, sum := check(t, w.Bucket, true)
	if len(codes) > 0 {
		t.Errorf("findings in a good table: %v", all)
	}
	if sum.Version != 3 || sum.Commits != 4 || sum.Checkpoints != 1 || sum.Files != 2 || sum.Rows != 3 || sum.Compared < 3 {
		t.Errorf("summary: %+v", sum)
	}
}

// Each damage is found, and nothing else.
func TestDamage(t *testing.T) {
	checkpoint := deltalog.CheckpointPath(2)
	for name, c := range map[string]struct {
		damage func(w *world)
		deep   bool
		want   []fsck.Code
	}{
		"commit missing": {func(w *world) {
			w.drop(deltalog.CommitPath(3))
			w.put(deltalog.CommitPath(4), []byte(`{"commitInfo":{"operation":"X"}}`))
		}, false, []fsck.Code{fsck.CommitMissing}},
		"commit missing below a checkpoint": {func(w *world) { w.drop(deltalog.CommitPath(1)) }, false, []fsck.Code{fsck.CommitMissing}},
		"log cleaned up": {func(w *world) {
			w.drop(deltalog.CommitPath(0))
			w.drop(deltalog.CommitPath(1))
			w.drop(deltalog.ChecksumPath(0))
			w.drop(deltalog.ChecksumPath(1))
		}, true, nil},
		"commit empty":   {func(w *world) { w.put(deltalog.CommitPath(3), nil) }, false, []fsck.Code{fsck.CommitEmpty}},
		"commit cut":     {func(w *world) { b := w.get(deltalog.CommitPath(3)); w.put(deltalog.CommitPath(3), b[:len(b)-20]) }, false, []fsck.Code{fsck.CommitUnreadable}},
		"commit garbage": {func(w *world) { w.put(deltalog.CommitPath(3), []byte("{}\nnonsense")) }, false, []fsck.Code{fsck.CommitUnreadable}},
		"adds a file twice": {func(w *world) {
			w.write(func(*snapshot.Snapshot) []action.Action { a := w.file("y"); return []action.Action{a, a} })
		}, false, []fsck.Code{fsck.DuplicateAction}},
		"two protocols": {func(w *world) {
			w.write(func(s *snapshot.Snapshot) []action.Action { return []action.Action{s.Protocol(), s.Protocol()} })
		}, false, []fsck.Code{fsck.DuplicateAction}},
		"adds and removes": {func(w *world) {
			w.write(func(*snapshot.Snapshot) []action.Action {
				a := w.file("y")
				return []action.Action{rewrite.RemoveOf(a, 1), a}
			})
		}, false, []fsck.Code{fsck.Contradiction}},
		"removes what is not there": {func(w *world) {
			w.write(func(*snapshot.Snapshot) []action.Action {
				return []action.Action{&action.Remove{Path: "nowhere.parquet"}}
			})
		}, false, []fsck.Code{fsck.RemoveWithoutAdd, fsck.VacuumedFiles}},
		"live twice": {func(w *world) {
			w.write(func(*snapshot.Snapshot) []action.Action {
				a := w.file("x")
				a.DeletionVector = nil
				return []action.Action{a}
			})
		}, false, []fsck.Code{fsck.LiveTwice}},
		"no protocol": {func(w *world) {
			w.drop(checkpoint)
			w.drop(deltalog.LastCheckpointPath)
			w.edit(deltalog.CommitPath(0), `{"protocol"`, `{"notprotocol"`)
			w.drop(deltalog.ChecksumPath(0))
			w.drop(deltalog.ChecksumPath(1))
			w.drop(deltalog.ChecksumPath(2))
		}, false, []fsck.Code{fsck.NoProtocol}},
		"unknown reader feature": {func(w *world) {
			w.write(func(s *snapshot.Snapshot) []action.Action {
				p := *s.Protocol()
				p.MinReaderVersion, p.MinWriterVersion = 3, 7
				p.ReaderFeatures = append(slices.Clone(p.ReaderFeatures), "teleport")
				p.WriterFeatures = append(slices.Clone(p.WriterFeatures), "teleport")
				return []action.Action{&p}
			})
		}, false, []fsck.Code{fsck.UnsupportedProtocol}},
		"features that do not fit": {func(w *world) {
			w.write(func(s *snapshot.Snapshot) []action.Action {
				p := *s.Protocol()
				p.WriterFeatures = slices.DeleteFunc(slices.Clone(p.WriterFeatures), func(f string) bool { return f == "deletionVectors" })
				return []action.Action{&p}
			})
		}, false, []fsck.Code{fsck.ProtocolFeatures}},
		"schema": {func(w *world) {
			w.write(func(s *snapshot.Snapshot) []action.Action {
				m := *s.Metadata()
				m.SchemaString = `{"type":"struct","fields":[{"name":"id","type":"colour","nullable":true,"metadata":{}}]}`
				return []action.Action{&m}
			})
		}, false, []fsck.Code{fsck.BadMetadata}},
		"checksum": {func(w *world) { w.edit(deltalog.ChecksumPath(1), `"numFiles":1`, `"numFiles":7`) }, false, []fsck.Code{fsck.ChecksumWrong}},
		"checksum metadata": {func(w *world) { w.edit(deltalog.ChecksumPath(2), `"partitionColumns":["p"]`, `"partitionColumns":[]`) }, false,
			[]fsck.Code{fsck.ChecksumWrong}},
		"checksum cut":       {func(w *world) { w.put(deltalog.ChecksumPath(2), []byte(`{"numFiles":`)) }, false, []fsck.Code{fsck.ChecksumUnreadable}},
		"hint cut":           {func(w *world) { w.put(deltalog.LastCheckpointPath, []byte(`{"version":`)) }, false, []fsck.Code{fsck.HintUnreadable}},
		"hint stale":         {func(w *world) { w.put(deltalog.LastCheckpointPath, []byte(`{"version":9,"size":1}`)) }, false, []fsck.Code{fsck.HintStale}},
		"checkpoint cut":     {func(w *world) { b := w.get(checkpoint); w.put(checkpoint, b[:len(b)/2]) }, false, []fsck.Code{fsck.CheckpointBad}},
		"checkpoint empty":   {func(w *world) { w.put(checkpoint, nil) }, false, []fsck.Code{fsck.CheckpointBad}},
		"checkpoint partial": {func(w *world) { w.put(deltalog.CheckpointPartPath(3, 1, 2), w.get(checkpoint)) }, false, []fsck.Code{fsck.CheckpointPartial}},
		"checkpoint of another version": {func(w *world) {
			s, err := w.Snapshot(w.t.Context(), snapshot.Version(1))
			if err == nil {
				err = snapshot.WriteCheckpoint(w.t.Context(), s)
			}
			if err != nil {
				w.t.Fatal(err)
			}
			w.put(checkpoint, w.get(deltalog.CheckpointPath(1)))
			w.drop(deltalog.CheckpointPath(1))
			w.put(deltalog.LastCheckpointPath, []byte(`{"version":2,"size":3}`))
		}, false, []fsck.Code{fsck.CheckpointWrong}},
		"compacted": {func(w *world) {
			w.put(deltalog.CompactedPath(1, 2), slices.Concat(w.get(deltalog.CommitPath(1)), w.get(deltalog.CommitPath(2))))
		}, false, nil},
		"compacted lacks a file": {func(w *world) { w.put(deltalog.CompactedPath(1, 2), w.get(deltalog.CommitPath(2))) }, false, []fsck.Code{fsck.CompactedWrong}},
		"compacted garbage":      {func(w *world) { w.put(deltalog.CompactedPath(1, 2), []byte("}")) }, false, []fsck.Code{fsck.CompactedBad}},

		"data file missing": {func(w *world) { w.drop(w.file("y").Path) }, true, []fsck.Code{fsck.MissingFile}},
		"data file empty":   {func(w *world) { w.put(w.file("y").Path, nil) }, false, []fsck.Code{fsck.EmptyFile}},
		"data file cut": {func(w *world) { k := w.file("y").Path; b := w.get(k); w.put(k, b[:len(b)-9]) }, true,
			[]fsck.Code{fsck.UnreadableFile, fsck.SizeMismatch}},
		"data file damaged inside": {func(w *world) {
			k := w.file("y").Path
			b := w.get(k)
			copy(b[4:], bytes.Repeat([]byte{0xff}, 60))
			w.put(k, b)
		}, true, []fsck.Code{fsck.UnreadableFile}},
		"vector missing": {func(w *world) { w.drop(w.vectorKey()) }, true, []fsck.Code{fsck.MissingVector}},
		"vector cut":     {func(w *world) { k := w.vectorKey(); b := w.get(k); w.put(k, b[:len(b)-3]) }, false, []fsck.Code{fsck.BadVector}},
		"vector bit": {func(w *world) { k := w.vectorKey(); b := w.get(k); b[len(b)-6] ^= 1; w.put(k, b) }, true,
			[]fsck.Code{fsck.BadVector}},
		"vector beyond the file": {func(w *world) {
			w.write(func(s *snapshot.Snapshot) []action.Action {
				acts, err := tablekit.Mark(w.t.Context(), s, w.file("y"), 77)
				if err != nil {
					w.t.Fatal(err)
				}
				return acts
			})
		}, true, []fsck.Code{fsck.VectorRange}},
		"inline vector": {func(w *world) {
			w.restate("y", func(a *action.Add) {
				a.DeletionVector = &action.DeletionVector{StorageType: "i", PathOrInlineDv: "wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L", SizeInBytes: 40, Cardinality: 5}
			})
		}, false, []fsck.Code{fsck.BadVector}},
		"no row count under a vector": {func(w *world) { w.restate("x", func(a *action.Add) { a.Stats = "" }) }, false,
			[]fsck.Code{fsck.Contradiction, fsck.VectorNoRows}},
		"path that climbs": {func(w *world) {
			w.write(func(*snapshot.Snapshot) []action.Action {
				a := w.file("y")
				a.Path = "../other/" + a.Path
				return []action.Action{a}
			})
		}, true, []fsck.Code{fsck.EscapingPath}},
		"path elsewhere": {func(w *world) {
			w.write(func(*snapshot.Snapshot) []action.Action {
				a := w.file("y")
				a.Path = "/elsewhere/" + a.Path
				return []action.Action{a}
			})
		}, true, []fsck.Code{fsck.OutsidePath}},
		"partition value missing": {func(w *world) {
			w.restate("y", func(a *action.Add) { a.PartitionValues, a.Path = nil, "copy.parquet" })
			w.put("copy.parquet", w.get(w.oldY()))
		}, true, []fsck.Code{fsck.MissingPartition}},
		"statistics": {func(w *world) { w.other("y", func(a *action.Add) { a.Stats = `{"numRecords":1,` }) }, false, []fsck.Code{fsck.BadStats}},
		"row count":  {func(w *world) { w.other("y", func(a *action.Add) { a.Stats = `{"numRecords":5}` }) }, true, []fsck.Code{fsck.RowCount}},
		"minimum too large": {func(w *world) {
			w.other("y", func(a *action.Add) {
				a.Stats = `{"numRecords":1,"minValues":{"id":5},"maxValues":{"id":9},"nullCount":{"id":0}}`
			})
		}, true, []fsck.Code{fsck.StatsLoseRows}},
		"maximum too small": {func(w *world) {
			w.other("y", func(a *action.Add) { a.Stats = `{"numRecords":1,"minValues":{"name":"a"},"maxValues":{"name":"c"}}` })
		}, true, []fsck.Code{fsck.StatsLoseRows}},
		"no NULL by the statistics": {func(w *world) {
			w.other("x", func(a *action.Add) { a.Stats = `{"numRecords":3,"nullCount":{"name":0},"tightBounds":false}` })
		}, true, []fsck.Code{fsck.StatsLoseRows}},
		"wider bounds are no damage": {func(w *world) {
			w.other("y", func(a *action.Add) {
				a.Stats = `{"numRecords":1,"minValues":{"id":-100,"name":""},"maxValues":{"id":100,"name":"zz"},"nullCount":{"id":0}}`
			})
		}, true, nil},
		"NULL in NOT NULL": {func(w *world) {
			w.write(func(s *snapshot.Snapshot) []action.Action {
				m := *s.Metadata()
				m.SchemaString = strings.Replace(m.SchemaString, `"name":"name","type":"string","nullable":true`, `"name":"name","type":"string","nullable":false`, 1)
				return []action.Action{&m}
			})
		}, true, []fsck.Code{fsck.NullValue}},
		"unknown file":      {func(w *world) { w.put("p=x/left-over.parquet", []byte("x")) }, false, []fsck.Code{fsck.Orphans}},
		"temporary file":    {func(w *world) { w.put("_temporary/0/part-0.parquet", []byte("x")) }, false, []fsck.Code{fsck.Temporary}},
		"hidden file":       {func(w *world) { w.put("_SUCCESS", nil); w.put("_manifest/x", nil) }, false, nil},
		"vacuumed old file": {func(w *world) { w.restate2("y"); w.drop(w.oldY()) }, false, []fsck.Code{fsck.VacuumedFiles}},
	} {
		t.Run(name, func(t *testing.T) {
			w := good(t)
			c.damage(w)
			codes, all, _ := check(t, w.Bucket, c.deep)
			slices.Sort(c.want)
			if !slices.Equal(codes, c.want) {
				t.Errorf("found %v, want %v\n%v", codes, c.want, all)
			}
		})
	}
}

// other adds a file in place of another one, with another entry.
func (w *world) other(p string, change func(a *action.Add)) {
	w.t.Helper()
	old := w.file(p)
	w.put("other.parquet", w.get(old.Path))
	w.write(func(*snapshot.Snapshot) []action.Action {
		a := *old
		a.Path = "other.parquet"
		change(&a)
		return []action.Action{rewrite.RemoveOf(old, 1), &a}
	})
}

func (w *world) restate2(p string) { w.other(p, func(*action.Add) {}) }

// oldY is the path of the first file of partition y.
func (w *world) oldY() string {
	w.t.Helper()
	for f := range strings.Lines(string(w.get(deltalog.CommitPath(2)))) {
		var line struct{ Add *struct{ Path string } }
		if json.Unmarshal([]byte(f), &line) == nil && line.Add != nil {
			return line.Add.Path
		}
	}
	w.t.Fatal("no file")
	return ""
}

// In-commit timestamps must be there, and grow.
func TestInCommitTimestamps(t *testing.T) {
	for name, c := range map[string]struct {
		line string
		want []fsck.Code
	}{
		"missing": {`{"commitInfo":{"operation":"X"}}`, []fsck.Code{fsck.TimestampMissing}},
		"back":    {`{"commitInfo":{"operation":"X","inCommitTimestamp":5}}`, []fsck.Code{fsck.TimestampOrder}},
		"later":   {`{"commitInfo":{"operation":"X","inCommitTimestamp":99999999999999}}`, nil},
	} {
		k := tablekit.New(t, tablekit.Spec{DDL: "id INT", Properties: map[string]string{"delta.enableInCommitTimestamps": "true"}, Files: [][]string{{`{"id":1}`}}})
		if err := k.Bucket.Put(t.Context(), deltalog.CommitPath(2), []byte(c.line)); err != nil {
			t.Fatal(err)
		}
		if codes, all, _ := check(t, k.Bucket, false); !slices.Equal(codes, c.want) {
			t.Errorf("%s: %v", name, all)
		}
	}
}

// Many vectors in one file, and many files, are looked at with one listing.
func TestRequests(t *testing.T) {
	k := tablekit.New(t, tablekit.Spec{DDL: "id INT"})
	for i := range 30 {
		if err := k.Append(t.Context(), fmt.Sprintf(`{"id":%d}`, i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := k.Log.Close(t.Context()); err != nil { // what is done behind the commits asks the store too
		t.Fatal(err)
	}
	before := k.Bucket.Stats()
	if codes, all, _ := check(t, k.Bucket, false); len(codes) > 0 {
		t.Error(all)
	}
	after := k.Bucket.Stats()
	if lists, stats := after.Lists-before.Lists, after.Stats-before.Stats; lists > 5 || stats > 2 {
		t.Errorf("%d listings and %d looks at single objects", lists, stats)
	}
}

// The check ends when the caller has enough, and changes nothing.
func TestStopsAndChangesNothing(t *testing.T) {
	w := good(t)
	w.drop(w.file("y").Path)
	w.put(deltalog.ChecksumPath(1), []byte("{"))
	before := objects(t, w.Bucket)
	n := 0
	for range fsck.New(env.New(), w.Bucket, fsck.Options{Deep: true}).Findings(context.Background()) {
		if n++; n == 1 {
			break
		}
	}
	if n != 1 {
		t.Errorf("%d findings", n)
	}
	check(t, w.Bucket, true)
	if after := objects(t, w.Bucket); after != before {
		t.Errorf("objects were %s\nare %s", before, after)
	}
}

func objects(t testing.TB, b *storage.Bucket) string {
	var out strings.Builder
	for o, err := range b.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		data, _, err := b.Get(t.Context(), o.Key)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "%s %d %x\n", o.Key, o.ModTime.UnixNano(), hashOf(data))
	}
	return out.String()
}

func hashOf(data []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range data {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}
