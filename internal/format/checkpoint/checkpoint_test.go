package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
)

func bucket(t testing.TB) *storage.Bucket {
	b := storage.NewBucket(memory.New())
	t.Cleanup(func() { b.Close() })
	return b
}

// filesOf yields the adds (or removes) of commit lines as a scanner has them.
func filesOf(t testing.TB, lines string, remove bool) iter.Seq[*action.File] {
	return func(yield func(*action.File) bool) {
		each := func(f *action.File) error {
			if !yield(f) {
				return errors.New("stop")
			}
			return nil
		}
		h := &action.Handler{Add: each}
		if remove {
			h = &action.Handler{Remove: each}
		}
		if err := action.Scan([]byte(lines), "", h); err != nil {
			t.Error(err)
		}
	}
}

const sample = `{"add":{"path":"a","partitionValues":{"p":"x","q":null},"size":1,"modificationTime":2,"dataChange":false,"stats":"{\"numRecords\":1}"}}
{"add":{"path":"b","partitionValues":{},"size":1,"modificationTime":2,"dataChange":false,"tags":{"t":"\"é"},"deletionVector":{"storageType":"u","pathOrInlineDv":"ab","offset":1,"sizeInBytes":3,"cardinality":2,"maxRowIndex":4},"baseRowId":7,"defaultRowCommitVersion":8,"clusteringProvider":"liquid"}}
{"remove":{"path":"c","deletionTimestamp":9,"dataChange":false,"extendedFileMetadata":true,"partitionValues":{"p":"y"},"size":4,"deletionVector":{"storageType":"i","pathOrInlineDv":"z","sizeInBytes":1,"cardinality":1}}}
{"remove":{"path":"d","dataChange":false}}
`

func sampleState(t testing.TB) *State {
	return &State{
		Version:  3,
		Protocol: &action.Protocol{MinReaderVersion: 3, MinWriterVersion: 7, ReaderFeatures: []string{"deletionVectors"}, WriterFeatures: []string{"deletionVectors"}},
		Metadata: &action.Metadata{ID: "i", Format: action.Format{Provider: "parquet", Options: map[string]string{}}, SchemaString: `{"type":"struct","fields":[]}`,
			PartitionColumns: []string{"p", "q"}, Configuration: map[string]string{"k": "v"}},
		Txns:    []*action.Txn{{AppID: "a", Version: 1}},
		Domains: []*action.DomainMetadata{{Domain: "d", Configuration: "{}"}},
		Adds:    filesOf(t, sample, false), Removes: filesOf(t, sample, true),
		NumAdds: 2, StatsJSON: true,
	}
}

func readAll(b *storage.Bucket, key string) ([]action.Action, error) {
	obj, err := b.Stat(context.Background(), key)
	if err != nil {
		return nil, err
	}
	var out []action.Action
	err = Read(context.Background(), b, obj, action.Collect(func(a action.Action) error {
		out = append(out, a)
		return nil
	}, key))
	return out, err
}

func TestRoundTrip(t *testing.T) {
	b := bucket(t)
	s := sampleState(t)
	if _, err := Write(context.Background(), b, s); err != nil {
		t.Fatal(err)
	}
	got, err := readAll(b, deltalog.CheckpointPath(3))
	if err != nil {
		t.Fatal(err)
	}
	files, err := action.ParseCommit([]byte(sample), "")
	if err != nil {
		t.Fatal(err)
	}
	want := []action.Action{s.Protocol, s.Metadata, s.Txns[0], s.Domains[0], files[2], files[3], files[0], files[1]}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +have)\n%s", d)
	}
}

func TestManyRows(t *testing.T) {
	b := bucket(t)
	s := sampleState(t)
	var lines strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&lines, `{"add":{"path":"f%d","partitionValues":{"p":"%d"},"size":%d,"modificationTime":2,"dataChange":false}}`+"\n", i, i%3, i)
	}
	s.Adds = filesOf(t, lines.String(), false)
	if _, err := Write(context.Background(), b, s); err != nil {
		t.Fatal(err)
	}
	got, err := readAll(b, deltalog.CheckpointPath(3))
	if err != nil || len(got) != 20_006 {
		t.Fatalf("%d actions, %v", len(got), err)
	}
	if a := got[len(got)-1].(*action.Add); a.Path != "f19999" || a.Size != 19_999 || *a.PartitionValues["p"] != "1" {
		t.Errorf("%+v", a)
	}
}

// TestDamage: a file with any bytes changed or missing is read or refused, and
// never takes the program down.
func TestDamage(t *testing.T) {
	b := bucket(t)
	ctx := context.Background()
	if _, err := Write(ctx, b, sampleState(t)); err != nil {
		t.Fatal(err)
	}
	whole, _, err := b.Get(ctx, deltalog.CheckpointPath(3))
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	refused := 0
	for i := range 1500 {
		data := append([]byte(nil), whole...)
		switch i % 3 {
		case 0:
			data[rnd.IntN(len(data))] ^= 1 << rnd.IntN(8)
		case 1:
			for range 8 {
				data[rnd.IntN(len(data))] = byte(rnd.IntN(256))
			}
		case 2:
			data = data[:rnd.IntN(len(data))]
		}
		if err := b.Put(ctx, "damaged.parquet", data); err != nil {
			t.Fatal(err)
		}
		if _, err := readAll(b, "damaged.parquet"); err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Key != "damaged.parquet" {
				t.Fatalf("error %v, want one that names the file", err)
			}
			refused++
		}
	}
	if refused < 500 {
		t.Errorf("only %d damaged files were refused", refused)
	}
}

func TestSidecarKey(t *testing.T) {
	for path, want := range map[string]string{
		"a.parquet": "_delta_log/_sidecars/a.parquet", "a%20b.parquet": "_delta_log/_sidecars/a b.parquet",
		"_delta_log/_sidecars/x": "_delta_log/_sidecars/x", "s3://b/t/_delta_log/_sidecars/x": "_delta_log/_sidecars/x",
		"../x": "", "/etc/passwd": "", "..": "", "%2e%2e": "", "": "", "%zz": "", "other/_sidecars/x": "",
	} {
		got, err := SidecarKey(&action.Sidecar{Path: path})
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v, want %q", path, got, err, want)
		}
	}
}

func TestStoreErrorsComeThrough(t *testing.T) {
	b := bucket(t)
	err := Read(context.Background(), b, storage.Object{Key: "missing.parquet", Size: 9}, &action.Handler{})
	if !errors.Is(err, storage.ErrNotExist) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Read(ctx, b, storage.Object{Key: "missing.json"}, &action.Handler{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
