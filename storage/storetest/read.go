package storetest

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/sluicelake/sluice/storage"
)

func ranges(t *testing.T, w *world) {
	ctx := t.Context()
	w.must(t, w.Put(ctx, "k", []byte("0123456789")))
	w.must(t, w.Put(ctx, "empty", nil))
	for _, c := range []struct {
		key         string
		off, length int64
		want        string
	}{
		{"k", 0, 10, "0123456789"}, {"k", 3, 4, "3456"}, {"k", 0, 0, ""}, {"k", 9, 1, "9"},
		{"k", 8, 100, "89"}, {"k", 10, 1, ""}, {"k", 11, 5, ""}, {"k", 1 << 40, 1, ""},
		{"k", 1, 1 << 62, "123456789"}, {"empty", 0, 5, ""},
	} {
		got, err := w.GetRange(ctx, c.key, c.off, c.length)
		if err != nil || string(got) != c.want {
			t.Errorf("GetRange(%s, %d, %d) = %q, %v; want %q", c.key, c.off, c.length, got, err, c.want)
		}
	}
	for _, c := range [][2]int64{{-1, 1}, {0, -1}} {
		if _, err := w.GetRange(ctx, "k", c[0], c[1]); err == nil {
			t.Errorf("GetRange(%d, %d) of a negative range succeeded", c[0], c[1])
		}
	}
}

func randomReader(t *testing.T, w *world) {
	ctx := t.Context()
	data := bytes.Repeat([]byte("0123456789"), 1000)
	w.must(t, w.Put(ctx, "k", data))
	for _, size := range []int64{-1, int64(len(data))} {
		r, err := w.OpenReader(ctx, "k", size)
		w.must(t, err)
		buf := make([]byte, 25)
		if n, err := r.ReadAt(buf, 15); n != 25 || err != nil || !bytes.Equal(buf, data[15:40]) {
			t.Errorf("ReadAt(25 bytes, 15) = %d, %v, %q", n, err, buf)
		}
		if n, err := r.ReadAt(buf, 9990); n != 10 || !errors.Is(err, io.EOF) {
			t.Errorf("ReadAt over the end = %d, %v; want 10, EOF", n, err)
		}
		if n, err := r.ReadAt(buf, 20_000); n != 0 || !errors.Is(err, io.EOF) {
			t.Errorf("ReadAt behind the end = %d, %v; want 0, EOF", n, err)
		}
		all, err := io.ReadAll(io.NewSectionReader(r, 0, int64(len(data))))
		if err != nil || !bytes.Equal(all, data) {
			t.Errorf("reading all through the reader: %d bytes, %v", len(all), err)
		}
		w.must(t, r.Close())
	}
	_, err := w.OpenReader(ctx, "none", -1)
	wantError(t, "OpenReader of nothing", err, storage.ErrNotExist)
}
