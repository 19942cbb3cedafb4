package source

import (
	"bytes"
	"fmt"
	"testing"
)

func benchJSON(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, `{"user_id":"%d","name":"Customer Number %d","city":"San Diego","country":"USA","amount":%d.25,"n":%d,"ts":"2024-01-02T03:04:05Z"}`+"\n", i, i, i%1000, i)
	}
	return b.Bytes()
}

func benchRead(b *testing.B, data []byte, o Options) {
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		s, err := OpenReader(b.Context(), bytes.NewReader(data), o)
		if err != nil {
			b.Fatal(err)
		}
		rows := int64(0)
		for batch, err := range s.Batches(b.Context()) {
			if err != nil {
				b.Fatal(err)
			}
			rows += batch.NumRows()
		}
		if rows == 0 {
			b.Fatal("no rows")
		}
	}
}

func BenchmarkJSON(b *testing.B) {
	data := benchJSON(100_000)
	for name, ddlText := range map[string]string{
		"strings": "user_id STRING, name STRING, city STRING, country STRING",
		"typed":   "user_id STRING, name STRING, city STRING, country STRING, amount DOUBLE, n BIGINT, ts TIMESTAMP",
		"decimal": "amount DECIMAL(10,2), n INT",
	} {
		b.Run(name, func(b *testing.B) { benchRead(b, data, Options{Format: JSON, Schema: ddl(b, ddlText)}) })
	}
	b.Run("inferred", func(b *testing.B) { benchRead(b, data, Options{Format: JSON}) })
}

func BenchmarkCSV(b *testing.B) {
	var buf bytes.Buffer
	for i := range 100_000 {
		fmt.Fprintf(&buf, "%d,Customer Number %d,San Diego,USA,%d.25,%d,2024-01-02T03:04:05Z\n", i, i, i%1000, i)
	}
	benchRead(b, buf.Bytes(), Options{Format: CSV, CSV: CSVOptions{NoHeader: true},
		Schema: ddl(b, "user_id STRING, name STRING, city STRING, country STRING, amount DOUBLE, n BIGINT, ts TIMESTAMP")})
}
