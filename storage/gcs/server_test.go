package gcs

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/sluicelake/sluice/internal/proof/servers"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/storetest"
)

func open2(t *testing.T, location string, more ...storage.Option) storage.Driver {
	t.Helper()
	b, err := storage.Open(t.Context(), location, more...)
	if err != nil {
		t.Fatal(err)
	}
	return b.Driver()
}

// The suite that every driver passes, with the race of 32 writers on one key.
func TestSuite(t *testing.T) {
	t.Setenv("STORAGE_EMULATOR_HOST", servers.StartGCS(t, "sluice-test"))
	n := 0
	storetest.Run(t, storetest.Subject{
		New: func(t *testing.T) storage.Driver {
			n++
			return open2(t, fmt.Sprintf("gs://sluice-test/place %d/t", n))
		},
		Again:   func(t *testing.T, d storage.Driver) storage.Driver { return open2(t, d.URL()) },
		Writers: 32, Rounds: 8,
	})
}

// Objects larger than a chunk go by resumable uploads.
func TestResumable(t *testing.T) {
	t.Setenv("STORAGE_EMULATOR_HOST", servers.StartGCS(t, "sluice-test"))
	d := open2(t, "gs://sluice-test/up", storage.With("chunk-size", fmt.Sprint(quantum)))
	for _, size := range []int{quantum - 1, quantum, quantum + 1, 3 * quantum, 3*quantum + 17} {
		key := fmt.Sprintf("f%d", size)
		want := bytes.Repeat([]byte("0123456789abcde"), size/15+1)[:size]
		w, err := d.Create(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(want); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Stat(t.Context(), key); !errors.Is(err, storage.ErrNotExist) {
			t.Errorf("%s shows before Commit: %v", key, err)
		}
		if err := w.Commit(); err != nil {
			t.Fatal(err)
		}
		if got, _, err := d.Get(t.Context(), key); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes of %d, %v", key, len(got), size, err)
		}
	}
	w, err := d.Create(t.Context(), "dropped")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, 3*quantum)); err != nil {
		t.Fatal(err)
	}
	if err := w.Abort(); err != nil {
		t.Error(err)
	}
	if _, err := d.Stat(t.Context(), "dropped"); !errors.Is(err, storage.ErrNotExist) {
		t.Errorf("a dropped upload shows: %v", err)
	}
}
