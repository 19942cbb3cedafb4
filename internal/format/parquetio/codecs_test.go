package parquetio

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/klauspost/compress/s2"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

func codec(t testing.TB, c compress.Compression) compress.Codec {
	t.Helper()
	got, err := compress.GetCodec(c)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestHadoopLZ4(t *testing.T) {
	raw, lz4 := codec(t, compress.Codecs.Lz4Raw), codec(t, compress.Codecs.Lz4)
	text := []byte(strings.Repeat("one two three ", 1000))
	frame := func(dst, part []byte) []byte {
		z := raw.Encode(nil, part)
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(part)))
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(z)))
		return append(dst, z...)
	}
	for name, src := range map[string][]byte{
		"one frame": frame(nil, text), "two frames": frame(frame(nil, text[:500]), text[500:]), "bare block": raw.Encode(nil, text),
	} {
		got, err := compress.Decode(lz4, make([]byte, len(text)), src)
		if err != nil || !bytes.Equal(got, text) {
			t.Errorf("%s: %v, %d bytes", name, err, len(got))
		}
	}
	for name, src := range map[string][]byte{"cut": frame(nil, text)[:50], "longer": append(frame(nil, text), 0), "more": frame(frame(nil, text), text)} {
		if got, err := compress.Decode(lz4, make([]byte, len(text)), src); err == nil && bytes.Equal(got, text) {
			t.Errorf("%s: was read", name)
		}
	}
}

// TestCodecsKeepToTheirRoom: what a header says bounds what is decoded, whatever
// the compressed bytes claim or hold.
func TestCodecsKeepToTheirRoom(t *testing.T) {
	for name, c := range map[string]compress.Compression{"snappy": compress.Codecs.Snappy, "gzip": compress.Codecs.Gzip, "zstd": compress.Codecs.Zstd,
		"brotli": compress.Codecs.Brotli, "lz4 raw": compress.Codecs.Lz4Raw, "lz4": compress.Codecs.Lz4} {
		k, enc := codec(t, c), codec(t, c)
		if c == compress.Codecs.Lz4 {
			enc = codec(t, compress.Codecs.Lz4Raw)
		}
		z := enc.Encode(nil, make([]byte, 1<<20))
		room := make([]byte, 100, 1<<22)
		got, err := compress.Decode(k, room, z)
		if err == nil {
			t.Errorf("%s: %d bytes went into 100", name, len(got))
		}
		if got, err := compress.Decode(k, make([]byte, 1<<20), z); err != nil || len(got) != 1<<20 {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		if c != compress.Codecs.Lz4Raw {
			if got, err := compress.Decode(k, []byte{}, nil); err != nil || len(got) != 0 {
				t.Errorf("%s: nothing: %v", name, err)
			}
		}
	}
	claim := binary.AppendUvarint(nil, 1<<31) // Snappy's own header
	if n, _ := s2.DecodedLen(claim); n != 1<<31 {
		t.Fatal(n)
	}
	if _, err := compress.Decode(codec(t, compress.Codecs.Snappy), make([]byte, 10), claim); err == nil {
		t.Error("a Snappy header that lies was believed")
	}
	big := make([]byte, 64<<20)
	z := codec(t, compress.Codecs.Zstd).Encode(nil, big)
	if _, err := compress.Decode(codec(t, compress.Codecs.Zstd), big, z); err == nil || !strings.Contains(err.Error(), "fill memory") {
		t.Errorf("%d bytes out of %d: %v", len(big), len(z), err)
	}
}

// TestLittleFileOfMuchText: a dictionary makes 280 MB of a small file,
// which is read some rows at a time.
func TestLittleFileOfMuchText(t *testing.T) {
	const rows = 350
	word := strings.Repeat("x", 800_000)
	vals := make([]any, rows)
	for i := range vals {
		vals[i] = word
	}
	a, err := columns.FromValues(types.String, vals...)
	if err != nil {
		t.Fatal(err)
	}
	s := types.NewStruct(field("c", types.String))
	data := arrowFile(t, s, []arrow.Array{a}, parquet.WithDictionaryDefault(true), parquet.WithDictionaryPageSizeLimit(1<<20), parquet.WithCompression(compress.Codecs.Snappy))
	if len(data) > 100_000 {
		t.Fatalf("the file has %d bytes", len(data))
	}
	f, err := Open(bytes.NewReader(data), int64(len(data)), OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range [][]RowRange{nil, {{300, 310}}} {
		n, largest := 0, 0
		for b, err := range f.Read(t.Context(), Query{Schema: s, Rows: part}) {
			if err != nil {
				t.Fatal(err)
			}
			n, largest = n+b.Rows, max(largest, b.Rows)
			if got := b.Columns[0].(*array.String).Value(b.Rows - 1); got != word {
				t.Fatal("another word")
			}
		}
		if part == nil && (n != rows || largest*len(word) > batchLimit) || part != nil && n != 10 {
			t.Errorf("%d rows, at most %d at a time", n, largest)
		}
	}
}
