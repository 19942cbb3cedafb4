package deltalog

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
	"github.com/sluicelake/sluice/storage/tracestore"
)

const z20 = "00000000000000000000"

func v20(n int64) string { return fmt.Sprintf("%020d", n) }

func TestClassify(t *testing.T) {
	id := "80a083e8-7026-4e79-81be-64bd76c43a11"
	for name, want := range map[string]File{
		v20(10) + ".json":                                     {Kind: Commit, Version: 10, Start: 10},
		"09223372036854775807.json":                           {Kind: Commit, Version: 9223372036854775807, Start: 9223372036854775807},
		v20(10) + ".crc":                                      {Kind: Checksum, Version: 10, Start: 10},
		v20(10) + ".checkpoint.parquet":                       {Kind: Checkpoint, Version: 10, Start: 10},
		v20(10) + ".checkpoint.0000000002.0000000003.parquet": {Kind: CheckpointPart, Version: 10, Start: 10, Part: 2, Parts: 3},
		v20(10) + ".checkpoint." + id + ".json":               {Kind: CheckpointV2, Version: 10, Start: 10, ID: id, JSON: true},
		v20(10) + ".checkpoint." + id + ".parquet":            {Kind: CheckpointV2, Version: 10, Start: 10, ID: id},
		v20(4) + "." + v20(6) + ".compacted.json":             {Kind: Compacted, Version: 6, Start: 4},
		"_last_checkpoint":                                    {Kind: Hint},
	} {
		want.Object = storage.Object{Key: Dir + "/" + name}
		got := Classify(want.Object)
		if got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
		if got.Path() != want.Object.Key {
			t.Errorf("%s: the path is %s", name, got.Path())
		}
	}
	for _, name := range []string{
		"", "0.json", z20, z20 + ".", z20 + ".jso", z20 + ".json.tmp", z20 + "0.json", "0000000000000000001x.json", "99999999999999999999.json",
		"." + z20 + ".json.crc", z20 + ".checkpoint", z20 + ".checkpoint.", z20 + ".checkpoint..json", z20 + ".checkpoint.x.csv",
		z20 + ".checkpoint.0000000000.0000000003.parquet", z20 + ".checkpoint.0000000004.0000000003.parquet", z20 + ".checkpoint.0000000001.3.parquet",
		v20(7) + "." + v20(6) + ".compacted.json", z20 + "." + z20 + ".json", "_sidecars/" + z20 + ".json", "_staged_commits/" + z20 + "." + id + ".json",
		z20 + "." + id + ".json", "-0000000000000000001.json", "+0000000000000000001.json",
	} {
		if f := Classify(storage.Object{Key: Dir + "/" + name}); f.Kind != Other {
			t.Errorf("%q is taken for a %s: %+v", name, f.Kind, f)
		}
	}
	if f := Classify(storage.Object{Key: z20 + ".json"}); f.Kind != Other {
		t.Errorf("a file outside the log is taken for a %s", f.Kind)
	}
}

func TestPathsAndNamesAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Int64Min(0).Draw(t, "version")
		parts := rapid.IntRange(1, 9999).Draw(t, "parts")
		f := File{
			Kind: Kind(rapid.IntRange(int(Commit), int(Checksum)).Draw(t, "kind")), Version: v, Start: v,
		}
		switch f.Kind {
		case CheckpointPart:
			f.Part, f.Parts = rapid.IntRange(1, parts).Draw(t, "part"), parts
		case CheckpointV2:
			f.ID, f.JSON = rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}`).Draw(t, "id"), rapid.Bool().Draw(t, "json")
		case Compacted:
			f.Start = rapid.Int64Range(0, v).Draw(t, "start")
		}
		f.Object.Key = f.Path()
		if got := Classify(f.Object); got != f {
			t.Fatalf("%s: got %+v, want %+v", f.Path(), got, f)
		}
	})
}

func FuzzClassify(f *testing.F) {
	f.Add("_delta_log/" + z20 + ".checkpoint.0000000001.0000000003.parquet")
	f.Add("_delta_log/" + z20 + "." + z20 + ".compacted.json")
	f.Fuzz(func(t *testing.T, key string) {
		if file := Classify(storage.Object{Key: key}); file.Path() != key {
			t.Errorf("%q is read as %+v, which is written %q", key, file, file.Path())
		}
	})
}

func fill(t *testing.T, b *storage.Bucket, keys ...string) {
	t.Helper()
	for _, k := range keys {
		if err := b.Put(t.Context(), k, []byte(k)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestList(t *testing.T) {
	trace := tracestore.New(memory.New())
	b := storage.NewBucket(trace)
	fill(t, b,
		CommitPath(0), CommitPath(9), CommitPath(10), CommitPath(11), CheckpointPath(10), ChecksumPath(10), CompactedPath(8, 10),
		CompactedPath(10, 11), LastCheckpointPath, SidecarPath("x.parquet"), Dir+"/_staged_commits/"+v20(12)+".x.json",
		Dir+"/."+v20(10)+".json.crc", Dir+"/zzz", "part-0.parquet", Dir+"x/"+v20(10)+".json", Dir+"/"+v20(10)+".json.tmp",
	)
	for from, want := range map[int64][]string{
		10: {CheckpointPath(10), ChecksumPath(10), CommitPath(10), CompactedPath(10, 11), CommitPath(11)},
		12: nil,
		-5: {CommitPath(0), CompactedPath(8, 10), CommitPath(9), CheckpointPath(10), ChecksumPath(10), CommitPath(10), CompactedPath(10, 11), CommitPath(11)},
	} {
		var got []string
		for f, err := range List(t.Context(), b, from) {
			if err != nil {
				t.Fatal(err)
			}
			if f.Object.Size == 0 {
				t.Errorf("%s has no size", f.Object.Key)
			}
			got = append(got, f.Object.Key)
		}
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("from %d:\n got %s\nwant %s", from, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
	}
	if trace.Count("list") != 3 || trace.Count("get") != 0 {
		t.Errorf("three listings cost:\n%s", trace.Dump())
	}
}

func TestReadCommit(t *testing.T) {
	b := storage.NewBucket(memory.New())
	fill(t, b, CommitPath(3))
	if data, obj, err := ReadCommit(t.Context(), b, 3); err != nil || string(data) != CommitPath(3) || obj.Key != CommitPath(3) {
		t.Errorf("ReadCommit = %q, %+v, %v", data, obj, err)
	}
	if _, _, err := ReadCommit(t.Context(), b, 4); !errors.Is(err, storage.ErrNotExist) {
		t.Errorf("a missing commit: %v", err)
	}
}
