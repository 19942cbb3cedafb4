package diskcache

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
	"github.com/sluicelake/sluice/storage/storetest"
	"github.com/sluicelake/sluice/storage/tracestore"
)

func TestConformance(t *testing.T) {
	dir := t.TempDir()
	storetest.Run(t, storetest.Subject{New: func(t *testing.T) storage.Driver { return wrap(t, memory.New(), dir, least) }})
}

// far hides that reads of a store cost no request.
type far struct{ storage.Driver }

func wrap(t testing.TB, d storage.Driver, dir string, limit int64, opts ...Option) storage.Driver {
	t.Helper()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := Wrap(far{d}, dir, limit, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const (
	dataFile  = "p=a/part-00000-0b4e1f6a-1111-4222-8333-123456789abc.c000.snappy.parquet"
	classic   = "_delta_log/00000000000000000010.checkpoint.parquet"
	bigFooter = 3*blockSize + 17
)

func pattern(n int) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// A later handle, which is another process, reads without a request what an earlier one read.
func TestKeeps(t *testing.T) {
	ctx, dir, store := t.Context(), t.TempDir(), memory.New()
	later := func() time.Time { return time.Now().Add(time.Hour) }
	data := pattern(bigFooter)
	keep := []string{dataFile, classic, "_delta_log/_sidecars/0b4e1f6a-1111-4222-8333-123456789abc.parquet", "deletion_vector_0b4e1f6a-1111-4222-8333-123456789abc.bin",
		"_delta_log/00000000000000000010.checkpoint.0b4e1f6a-1111-4222-8333-123456789abc.json", "nested/t/_delta_log/00000000000000000010.checkpoint.0000000001.0000000002.parquet"}
	never := []string{"_delta_log/00000000000000000010.json", "_delta_log/_last_checkpoint", "_delta_log/00000000000000000010.crc", "plain.parquet",
		"_delta_log/_staged_commits/00000000000000000011.0b4e1f6a-1111-4222-8333-123456789abc.json", "_delta_log/.tmp/00000000000000000011.json.0b4e1f6a-1111-4222-8333-123456789abc"}
	for _, key := range append(keep, never...) {
		if err := store.Put(ctx, key, data); err != nil {
			t.Fatal(err)
		}
	}
	for round := range 2 {
		trace := tracestore.New(store)
		b := storage.NewBucket(wrap(t, trace, dir, least, WithClock(later)))
		for range b.List(ctx, "", "") {
		}
		trace.Reset()
		for i, key := range append(keep, never...) {
			before := trace.Count("")
			got, obj, err := b.Get(ctx, key)
			if err != nil || !bytes.Equal(got, data) || obj.Key != key || obj.Size != int64(len(data)) {
				t.Fatalf("%s: %d bytes, %+v, %v", key, len(got), obj, err)
			}
			part, err := b.GetRange(ctx, key, bigFooter-100, 500)
			if err != nil || !bytes.Equal(part, data[bigFooter-100:]) {
				t.Fatalf("%s: its end: %d bytes, %v", key, len(part), err)
			}
			want := 2
			if round == 1 && i < len(keep) {
				want = 0
			}
			if n := trace.Count("") - before; n != want {
				t.Errorf("round %d: %s cost %d requests, want %d", round, key, n, want)
			}
		}
		if n := b.Stats(); n.Gets != int64(trace.Count("")) || n.Lists != 1 {
			t.Errorf("%d requests were sent and %+v counted", trace.Count(""), n)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A classic checkpoint that was replaced is read anew; one that is young, or that no
// listing has shown, is not kept.
func TestCheckpointsByVersion(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	now := time.Now()
	store := memory.New(memory.WithClock(func() time.Time { return now }))
	b := storage.NewBucket(wrap(t, store, dir, least, WithClock(func() time.Time { return now })))
	read := func(want string) {
		t.Helper()
		if got, _, err := b.Get(ctx, classic); err != nil || string(got) != want {
			t.Fatalf("read %q, %v; want %q", got, err, want)
		}
	}
	put := func(text string) {
		t.Helper()
		if err := store.Put(ctx, classic, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	list := func() {
		for range b.List(ctx, "_delta_log/", "") {
		}
	}
	put("one")
	read("one") // no listing
	list()
	read("one") // young
	put("two")
	read("two")
	now = now.Add(time.Hour)
	list()
	read("two") // is kept now
	put("six")
	read("two") // until a listing shows that it is another
	list()
	read("six")
	now = now.Add(time.Hour)
	read("six") // is kept now
	put("ten")
	read("six")
	if err := b.Delete(ctx, classic); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Get(ctx, classic); err == nil {
		t.Error("a checkpoint that this handle deleted is still there")
	}
}

func files(t *testing.T, dir string) (paths []string, total int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s can be seen by others: %v", path, info.Mode())
		}
		if !e.IsDir() {
			paths, total = append(paths, path), total+info.Size()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths, total
}

// Whatever is done to an entry, the store's bytes are read, and kept again.
func TestDamage(t *testing.T) {
	ctx, store := t.Context(), memory.New()
	data := pattern(bigFooter)
	if err := store.Put(ctx, dataFile, data); err != nil {
		t.Fatal(err)
	}
	other := strings.Replace(dataFile, "0b4e", "ffff", 1)
	if err := store.Put(ctx, other, pattern(bigFooter+1)); err != nil {
		t.Fatal(err)
	}
	for name, harm := range map[string]func(text, of []byte) []byte{
		"a bit":                  func(text, _ []byte) []byte { text[len(text)/2] ^= 1; return text },
		"the sum":                func(text, _ []byte) []byte { text[9] ^= 1; return text },
		"cut":                    func(text, _ []byte) []byte { return text[:len(text)-1] },
		"empty":                  func([]byte, []byte) []byte { return nil },
		"longer":                 func(text, _ []byte) []byte { return append(text, 0) },
		"another entry's bytes":  func(_, of []byte) []byte { return of },
		"something else":         func([]byte, []byte) []byte { return bytes.Repeat([]byte("x"), 500) },
		"the head, without more": func(text, _ []byte) []byte { return text[:header-1] },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			trace := tracestore.New(store)
			b := storage.NewBucket(wrap(t, trace, dir, least))
			read := func(key string, want []byte) {
				t.Helper()
				if got, err := b.GetRange(ctx, key, blockSize-5, int64(len(want))); err != nil || !bytes.Equal(got, want[blockSize-5:]) {
					t.Fatalf("%d bytes, %v", len(got), err)
				}
			}
			read(other, pattern(bigFooter+1))
			paths, _ := files(t, dir)
			of, err := os.ReadFile(paths[0])
			if err != nil {
				t.Fatal(err)
			}
			read(dataFile, data)
			paths, _ = files(t, dir)
			for _, path := range paths {
				text, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, harm(text, of), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			trace.Reset()
			read(dataFile, data)
			read(dataFile, data)
			if n := trace.Count(""); n != 1 {
				t.Errorf("%d requests, want one", n)
			}
		})
	}
}

// The folder stays below its limit, and what was used last stays in it.
func TestBounded(t *testing.T) {
	ctx, dir, store := t.Context(), t.TempDir(), memory.New()
	s := wrap(t, store, dir, least).(*Store)
	b := storage.NewBucket(s)
	data := pattern(blockSize)
	key := func(i int) string { return strings.Replace(dataFile, "0b4e1f6a", fmt.Sprintf("%08x", i), 1) }
	const n = 2 * least / blockSize
	for i := range n {
		if err := store.Put(ctx, key(i), data); err != nil {
			t.Fatal(err)
		}
		if _, _, err := b.Get(ctx, key(i)); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(time.Duration(i-n) * time.Hour) // used one after the other
		f, _ := s.file(key(i))
		if err := os.Chtimes(filepath.Join(dir, place(f.whole())), at, at); err != nil {
			t.Fatal(err)
		}
		if i%8 == 0 { // the first is used all the time
			if _, _, err := b.Get(ctx, key(0)); err != nil {
				t.Fatal(err)
			}
		}
	}
	paths, total := files(t, dir)
	if total > least || len(paths) < n/4 {
		t.Errorf("%d entries of %d bytes are left, the limit is %d", len(paths), total, int64(least))
	}
	before := s.Requests().Gets
	for _, i := range []int{0, n - 1, n - 2} {
		if _, _, err := b.Get(ctx, key(i)); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Requests().Gets - before; got != 0 {
		t.Errorf("%d of the files used last are not kept", got)
	}
	old := filepath.Join(dir, "00", "left"+temporary)
	if err := os.MkdirAll(filepath.Dir(old), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(old, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(old, time.Time{}, time.Now().Add(-2*abandoned)); err != nil {
		t.Fatal(err)
	}
	s.disk.evict(least)
	if _, err := os.Stat(old); err == nil {
		t.Error("what a process that was killed was writing is still there")
	}
}

// Any reads through the cache, of several handles at once, are those of the store.
func TestSameBytes(t *testing.T) {
	ctx, dir, store := t.Context(), t.TempDir(), memory.New()
	sizes := []int{0, 1, blockSize - 1, blockSize, blockSize + 1, 2 * blockSize, bigFooter}
	key := func(i int) string { return strings.Replace(dataFile, "0b4e1f6a", fmt.Sprintf("%08x", i), 1) }
	for i, n := range sizes {
		if err := store.Put(ctx, key(i), pattern(n)); err != nil {
			t.Fatal(err)
		}
	}
	handles := []*storage.Bucket{storage.NewBucket(wrap(t, store, dir, least)), storage.NewBucket(wrap(t, store, dir, least))}
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.IntRange(0, len(sizes)-1).Draw(t, "file")
		off := rapid.Int64Range(0, int64(sizes[i])+10).Draw(t, "offset")
		n := rapid.Int64Range(0, int64(sizes[i])+2*blockSize).Draw(t, "length")
		want, err := store.GetRange(ctx, key(i), off, n)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for _, b := range handles {
			wg.Go(func() {
				if got, err := b.GetRange(ctx, key(i), off, n); err != nil || !bytes.Equal(got, want) {
					t.Errorf("file of %d, [%d+%d]: %d bytes, %v; want %d", sizes[i], off, n, len(got), err, len(want))
				}
			})
		}
		wg.Wait()
	})
}

// A cache that cannot be had is an error; one that fails later is none.
func TestFolder(t *testing.T) {
	ctx, store := t.Context(), memory.New()
	if _, err := Wrap(far{store}, t.TempDir(), 1000); err == nil {
		t.Error("a cache of nothing was made")
	}
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Wrap(far{store}, file, least); err == nil {
		t.Error("a file was taken for a folder")
	}
	if runtime.GOOS != "windows" {
		open := t.TempDir()
		if err := os.Chmod(open, 0o777); err != nil {
			t.Fatal(err)
		}
		if _, err := Wrap(far{store}, open, least); err == nil || !strings.Contains(err.Error(), "chmod 700") {
			t.Errorf("a folder that others may write to: %v", err)
		}
	}
	dir := filepath.Join(t.TempDir(), "new", "cache")
	s, err := Wrap(far{store}, dir, least)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Put(ctx, dataFile, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got, _, err := s.Get(ctx, dataFile); err != nil || string(got) != "x" {
			t.Errorf("without the folder: %q, %v", got, err)
		}
	}
	if d, err := Wrap(store, dir, least); err != nil || d != storage.Driver(store) {
		t.Errorf("a store that is near was wrapped: %v", err)
	}
	if d := s.(*Store).Describe(); !strings.Contains(d["cache"], "cache, at most 16 MiB") {
		t.Errorf("described as %v", d)
	}
}
