package action

import (
	"encoding/json"
	"fmt"
	"testing"
)

// commitOf makes a commit of adds with statistics over a few columns.
func commitOf(n int) []byte {
	var b []byte
	for i := range n {
		b = fmt.Appendf(b, `{"add":{"path":"country=UK/part-%05d-%08x-7a1c-4e0b-9f53-0123456789ab-c000.snappy.parquet","partitionValues":{"country":"UK"},"size":%d,"modificationTime":%d,"dataChange":true,"stats":"{\"numRecords\":%d,\"minValues\":{\"user_id\":%d,\"city\":\"city-%04d\",\"at\":\"2024-01-01T00:00:00.000Z\",\"amount\":1.25},\"maxValues\":{\"user_id\":%d,\"city\":\"city-%04d\",\"at\":\"2024-12-31T23:59:59.999Z\",\"amount\":99.75},\"nullCount\":{\"user_id\":0,\"city\":1,\"at\":0,\"amount\":3}}"}}`+"\n",
			i, i*7919, 1000+i, 1700000000000+i, i%1000, i, i%97, i+1000, i%97)
	}
	return b
}

func BenchmarkScan(b *testing.B) {
	data := commitOf(20_000)
	b.Run("skip", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if err := Scan(data, "", &Handler{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("raw", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		var size int64
		h := &Handler{Add: func(f *File) error { size += f.Size; return nil }}
		for b.Loop() {
			if err := Scan(data, "", h); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := ParseCommit(data, ""); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			for rest := data; len(rest) > 0; {
				n := 0
				for rest[n] != '\n' {
					n++
				}
				var v struct{ Add *struct{ Path, Stats string } }
				if err := json.Unmarshal(rest[:n], &v); err != nil {
					b.Fatal(err)
				}
				rest = rest[n+1:]
			}
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	acts, err := ParseCommit(commitOf(2000), "")
	if err != nil {
		b.Fatal(err)
	}
	var buf []byte
	for b.Loop() {
		buf = buf[:0]
		for _, a := range acts {
			if buf, err = Append(buf, a); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.SetBytes(int64(len(buf)))
}
