package dv

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/local"
)

// files is a store in a map that counts its reads.
type files struct {
	data map[string][]byte
	gets int
	fail error
}

func (f *files) GetRange(_ context.Context, key string, off, n int64) ([]byte, error) {
	f.gets++
	b, ok := f.data[key]
	if !ok {
		return nil, storage.ErrNotExist
	}
	off = min(off, int64(len(b)))
	return b[off:min(off+n, int64(len(b)))], nil
}

func (f *files) Put(_ context.Context, key string, data []byte) error {
	if f.fail != nil {
		return f.fail
	}
	if f.data == nil {
		f.data = map[string][]byte{}
	}
	if _, ok := f.data[key]; ok {
		return storage.ErrExist
	}
	f.data[key] = slices.Clone(data)
	return nil
}

// The example of PROTOCOL.md, Deletion Vectors, JSON Example 3.
var inlineExample = action.DeletionVector{StorageType: "i", SizeInBytes: 44, Cardinality: 6,
	PathOrInlineDv: "^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L"}

func TestInlineExample(t *testing.T) {
	rows, err := Load(t.Context(), &files{}, "", &inlineExample)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]uint64{3, 4, 7, 11, 18, 29}, rows.ToArray()); diff != "" {
		t.Error(diff)
	}
}

func TestLocate(t *testing.T) {
	const root = "s3://mytable"
	for _, c := range []struct {
		kind, path, key, url, err string
	}{
		{"u", "ab^-aqEH.-t@S}K{vb[*k^", "ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin", "", ""},
		{"u", "^-aqEH.-t@S}K{vb[*k^", "deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin", "", ""},
		{"p", "s3://mytable/x%20y/d.bin", "x y/d.bin", "", ""},
		{"p", "s3://mytable/../d.bin", "", "s3://mytable/../d.bin", "outside"},
		{"p", "s3://mytable2/d.bin", "", "s3://mytable2/d.bin", "outside"},
		{"p", "/etc/passwd", "", "/etc/passwd", "outside"},
		{"u", "../^-aqEH.-t@S}K{vb[*k^", "", "", "prefix"},
		{"u", "/^-aqEH.-t@S}K{vb[*k^", "", "", "prefix"},
		{"u", "short", "", "", "too short"},
		{"u", "^-aqEH.-t@S}K{vb[*k\x00", "", "", "alphabet"},
		{"x", "", "", "", "storage type"},
		{"i", "12345", "", "", "descriptor says"},
	} {
		d := &action.DeletionVector{StorageType: c.kind, PathOrInlineDv: c.path, SizeInBytes: 40}
		loc, err := Locate(d, root)
		if (err == nil) != (c.err == "") || (err != nil && !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s %q: error %v, want %q", c.kind, c.path, err, c.err)
		}
		if loc.Key != c.key || loc.URL != c.url {
			t.Errorf("%s %q: %+v", c.kind, c.path, loc)
		}
	}
	loc, err := Locate(&action.DeletionVector{StorageType: "p", PathOrInlineDv: "file:///t/a.bin"}, "file:/t/")
	if err != nil || loc.Key != "a.bin" {
		t.Errorf("%+v %v", loc, err)
	}
}

func TestOutsideNeedsPermission(t *testing.T) {
	f := &files{}
	s, err := StoreWith(t.Context(), f, StoreOptions{}, []*roaring64.Bitmap{roaring64.BitmapOf(1, 2)})
	if err != nil {
		t.Fatal(err)
	}
	d := *s.Vectors[0]
	d.StorageType, d.PathOrInlineDv = Absolute, "mem://other/"+s.Keys[0]
	var outside *OutsideError
	if _, err := Load(t.Context(), f, "mem://t", &d); !errors.As(err, &outside) {
		t.Fatalf("got %v", err)
	}
	src := Source{Bucket: f, Root: "mem://t", Open: func(_ context.Context, url string) (Reader, string, error) {
		return f, strings.TrimPrefix(url, "mem://other/"), nil
	}}
	if rows, err := src.Load(t.Context(), &d); err != nil || rows.GetCardinality() != 2 {
		t.Fatal(rows, err)
	}
}

func TestStoreAndLoad(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		opts := StoreOptions{InlineBelow: rapid.SampledFrom([]int{0, 60, 1 << 20}).Draw(t, "inline"),
			Prefix: rapid.SampledFrom([]string{"", "ab"}).Draw(t, "prefix")}
		var in []*roaring64.Bitmap
		for range rapid.IntRange(0, 5).Draw(t, "vectors") {
			b := roaring64.New()
			for range rapid.IntRange(0, 4).Draw(t, "parts") {
				from := rapid.Uint64Range(0, 1<<34).Draw(t, "from")
				b.AddRange(from, from+rapid.Uint64Range(1, 70000).Draw(t, "n"))
			}
			in = append(in, b)
		}
		f := &files{}
		s, err := StoreWith(context.Background(), f, opts, in)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Keys) > 1 || len(f.data) != len(s.Keys) {
			t.Fatalf("keys %v, files %d", s.Keys, len(f.data))
		}
		all, err := Source{Bucket: f}.LoadAll(context.Background(), s.Vectors)
		if err != nil {
			t.Fatal(err)
		}
		if f.gets > 1 {
			t.Fatalf("%d requests for one file", f.gets)
		}
		for i, b := range in {
			one, err := Load(context.Background(), f, "", s.Vectors[i])
			if err != nil || !one.Equals(b) || !all[i].Equals(b) {
				t.Fatalf("vector %d differs: %v", i, err)
			}
		}
	})
}

func TestStoreSplitsLargeFiles(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var in []*roaring64.Bitmap
	for range 5 {
		b := roaring64.New()
		for range 500000 {
			b.Add(rng.Uint64N(1 << 23))
		}
		in = append(in, b)
	}
	f := &files{}
	s, err := StoreWith(t.Context(), f, StoreOptions{}, in)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Keys) < 2 {
		t.Fatalf("one file for %d bytes", len(f.data[s.Keys[0]]))
	}
	out, err := Source{Bucket: f}.LoadAll(t.Context(), s.Vectors)
	if err != nil {
		t.Fatal(err)
	}
	for i := range in {
		if !out[i].Equals(in[i]) {
			t.Errorf("vector %d differs", i)
		}
	}
}

func TestStoreFails(t *testing.T) {
	f := &files{fail: storage.ErrNoSpace}
	s, err := StoreWith(t.Context(), f, StoreOptions{}, []*roaring64.Bitmap{roaring64.BitmapOf(1)})
	if !errors.Is(err, storage.ErrNoSpace) || len(s.Keys) != 1 {
		t.Fatal(s.Keys, err)
	}
}

func TestLoadFindsDamage(t *testing.T) {
	f := &files{}
	s, err := StoreWith(t.Context(), f, StoreOptions{}, []*roaring64.Bitmap{roaring64.BitmapOf(1, 5), roaring64.BitmapOf(7)})
	if err != nil {
		t.Fatal(err)
	}
	good := f.data[s.Keys[0]]
	for i := range good { // every byte is covered by some check
		bad := slices.Clone(good)
		bad[i] ^= 0x10
		f.data[s.Keys[0]] = bad
		var found bool
		for _, d := range s.Vectors {
			_, err := Load(t.Context(), f, "", d)
			var corrupt *CorruptError
			found = found || errors.As(err, &corrupt)
		}
		if !found {
			t.Errorf("byte %d changed unnoticed", i)
		}
	}
	for n := range good {
		f.data[s.Keys[0]] = good[:n]
		if _, err := Load(t.Context(), f, "", s.Vectors[1]); err == nil {
			t.Errorf("file cut at %d is accepted", n)
		}
	}
	f.data[s.Keys[0]] = good
	wrong := *s.Vectors[0]
	wrong.Cardinality++
	if _, err := Load(t.Context(), f, "", &wrong); err == nil || !strings.Contains(err.Error(), "descriptor says 3") {
		t.Errorf("cardinality: %v", err)
	}
	f.data = map[string][]byte{}
	if _, err := Load(t.Context(), f, "", s.Vectors[0]); !errors.Is(err, storage.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

func TestCursor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dead := rapid.SliceOfDistinct(rapid.Uint64Range(0, 60), func(v uint64) uint64 { return v }).Draw(t, "dead")
		b := roaring64.BitmapOf(dead...)
		c := NewCursor(b)
		for start := int64(0); start < 64; {
			n := rapid.IntRange(1, 20).Draw(t, "n")
			var want []int32
			for i := range n {
				if !b.Contains(uint64(start) + uint64(i)) {
					want = append(want, int32(i))
				}
			}
			got, all := c.Live(start, n, nil)
			if all != (len(want) == n) || (!all && !slices.Equal(got, want)) {
				t.Fatalf("rows %d+%d: %v %v, want %v", start, n, got, all, want)
			}
			start += int64(n)
		}
	})
}

func TestZ85(t *testing.T) {
	// The example of ZeroMQ RFC 32.
	hello := []byte{0x86, 0x4F, 0xD2, 0x6F, 0xB5, 0x59, 0xF7, 0x5B}
	if got := EncodeZ85(hello); got != "HelloWorld" {
		t.Error(got)
	}
	for _, bad := range []string{"abcd", "%nSc1", "#####", "abc d", "abcd\""} {
		if b, err := DecodeZ85(bad); err == nil {
			t.Errorf("%q gives %x", bad, b)
		}
	}
}

func FuzzZ85(f *testing.F) {
	f.Add("HelloWorld")
	f.Fuzz(func(t *testing.T, s string) {
		if b, err := DecodeZ85(s); err == nil && EncodeZ85(b) != s {
			t.Errorf("%q changes to %q", s, EncodeZ85(b))
		}
	})
}

// native encodes rows below 1<<34 in the native format.
func native(t testing.TB, rows *roaring64.Bitmap) []byte {
	t.Helper()
	out := binary.LittleEndian.AppendUint32(nil, nativeMagic)
	out = binary.LittleEndian.AppendUint32(out, 4)
	for key := range uint64(4) {
		part := roaring.New()
		for _, v := range rows.ToArray() {
			if v>>32 == key {
				part.Add(uint32(v))
			}
		}
		data, err := part.ToBytes()
		if err != nil {
			t.Fatal(err)
		}
		out = append(binary.LittleEndian.AppendUint32(out, uint32(len(data))), data...)
	}
	return out
}

func TestNativeFormat(t *testing.T) {
	for _, want := range []*roaring64.Bitmap{roaring64.New(), roaring64.BitmapOf(0, 7, 1<<32+5, 3<<32+1<<31)} {
		data := native(t, want)
		rows, err := Decode(data)
		if err != nil || !rows.Equals(want) {
			t.Errorf("%v: %v, %v", want, rows, err)
		}
		for n := range data {
			if rows, err := Decode(data[:n]); err == nil {
				t.Errorf("%d of %d bytes give %v", n, len(data), rows)
			}
		}
		if _, err := Decode(append(data, 0)); err == nil {
			t.Error("a byte too many")
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(native(f, roaring64.BitmapOf(1, 1<<33)))
	for _, b := range []*roaring64.Bitmap{roaring64.New(), roaring64.BitmapOf(1, 2, 1<<40), roaring64.BitmapOf(0)} {
		data, _ := Encode(b)
		f.Add(data)
	}
	many := roaring64.New()
	for i := range uint64(6000) {
		many.Add(i * 3)
	}
	many.AddRange(1<<33, 1<<33+100000)
	data, _ := Encode(many)
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := Decode(data)
		if err != nil {
			return
		}
		if n := rows.GetCardinality(); n < 1<<20 {
			if got := uint64(len(rows.ToArray())); got != n {
				t.Errorf("cardinality %d, rows %d", n, got)
			}
		}
	})
}

// BenchmarkStore compares a file with an inline vector of three rows.
func BenchmarkStore(b *testing.B) {
	d, err := local.New(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	bucket := storage.NewBucket(d)
	for name, below := range map[string]int{"file": 0, "inline": 1024} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				s, err := StoreWith(b.Context(), bucket, StoreOptions{InlineBelow: below}, []*roaring64.Bitmap{roaring64.BitmapOf(5, 700, 90000)})
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(s.Vectors[0].SizeInBytes), "bytes")
			}
		})
	}
}

func ExampleLocate() {
	loc, _ := Locate(&action.DeletionVector{StorageType: "u", PathOrInlineDv: "ab^-aqEH.-t@S}K{vb[*k^"}, "s3://mytable")
	fmt.Println(loc.Key)
	// Output: ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin
}
