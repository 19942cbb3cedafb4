package local_test

import (
	"fmt"
	"testing"

	"github.com/sluicelake/sluice/storage/local"
)

func BenchmarkPutIfAbsent(b *testing.B) {
	line := make([]byte, 700)
	for name, opts := range map[string][]local.Option{"sync": nil, "nosync": {local.WithoutSync()}} {
		b.Run(name, func(b *testing.B) {
			s, err := local.New(b.TempDir(), opts...)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			i := 0
			for b.Loop() {
				if err := s.PutIfAbsent(b.Context(), fmt.Sprintf("_delta_log/%020d.json", i), line); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

// BenchmarkCommit is what a one-row append asks of a store: a small data file
// and a commit file.
func BenchmarkCommit(b *testing.B) {
	line := make([]byte, 700)
	for name, opts := range map[string][]local.Option{"sync": nil, "nosync": {local.WithoutSync()}} {
		b.Run(name, func(b *testing.B) {
			s, err := local.New(b.TempDir(), opts...)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			i := 0
			for b.Loop() {
				w, err := s.Create(b.Context(), fmt.Sprintf("part-%d.parquet", i))
				if err != nil {
					b.Fatal(err)
				}
				w.Write(line)
				if err := w.Commit(); err != nil {
					b.Fatal(err)
				}
				if err := s.PutIfAbsent(b.Context(), fmt.Sprintf("_delta_log/%020d.json", i), line); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

// BenchmarkTurn is what a turn between processes costs who is alone.
func BenchmarkTurn(b *testing.B) {
	s, err := local.New(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	if err := s.Put(b.Context(), "_delta_log/x", nil); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		t, err := s.Turn(b.Context(), "_delta_log")
		if err != nil {
			b.Skip(err)
		}
		if got, err := t.Try(); !got || err != nil {
			b.Fatal(got, err)
		}
		t.Close()
	}
}
