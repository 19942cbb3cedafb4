// Package storetest is what every storage.Driver must pass. A driver's test
// calls Run with a function that makes an empty store; each check says
// which promise of the Driver contract was broken.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/sluicelake/sluice/storage"
)

// Subject is the driver under test.
type Subject struct {
	// New makes an empty store; the suite closes it.
	New func(t *testing.T) storage.Driver
	// Again opens a second, independent handle to the place of d; nil when
	// that cannot be done.
	Again func(t *testing.T, d storage.Driver) storage.Driver
	// Rounds and Writers size the races of put-if-absent; 0 means 30 and 16.
	Rounds, Writers int
	// PlainNames restricts keys to what every file system can name.
	PlainNames bool
}

// Run runs the whole suite.
func Run(t *testing.T, s Subject) {
	if s.Rounds == 0 {
		s.Rounds = 30
	}
	if s.Writers == 0 {
		s.Writers = 16
	}
	for _, c := range []struct {
		name string
		run  func(*testing.T, *world)
	}{
		{"ReadBack", readBack},
		{"Missing", missing},
		{"PutIfAbsent", putIfAbsent},
		{"PutReplaces", putReplaces},
		{"Ranges", ranges},
		{"RandomReader", randomReader},
		{"Create", create},
		{"CreateAbort", createAbort},
		{"Delete", remove},
		{"DeleteMany", removeMany},
		{"Walk", walk},
		{"OddKeys", oddKeys},
		{"InvalidKeys", invalidKeys},
		{"ListOrder", listOrder},
		{"ListStartAfter", listStartAfter},
		{"ListPrefix", listPrefix},
		{"ListStops", listStops},
		{"ListModel", listModel},
		{"ListMany", listMany},
		{"Sub", sub},
		{"Cancelled", cancelled},
		{"Copies", copies},
		{"Race", race},
		{"RaceOfHandles", raceOfHandles},
		{"NeverPartial", neverPartial},
		{"ReadYourWrites", readYourWrites},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := s.New(t)
			t.Cleanup(func() {
				if err := d.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			})
			c.run(t, &world{s, d, storage.NewBucket(d)})
		})
	}
}

// world is what a check works with.
type world struct {
	Subject
	driver storage.Driver
	*storage.Bucket
}

func (w *world) must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) fill(t *testing.T, keys ...string) {
	t.Helper()
	for _, k := range keys {
		w.must(t, w.Put(t.Context(), k, []byte(k)))
	}
}

func (w *world) list(t *testing.T, prefix, after string) []string {
	t.Helper()
	var keys []string
	for o, err := range w.List(t.Context(), prefix, after) {
		w.must(t, err)
		keys = append(keys, o.Key)
	}
	return keys
}

func wantKeys(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want %v", what, err, want)
		return
	}
	var e *storage.Error
	if !errors.As(err, &e) || e.URL == "" || e.Op == "" {
		t.Errorf("%s: the error %v does not name operation and bucket", what, err)
	}
}

func readBack(t *testing.T, w *world) {
	ctx := t.Context()
	before := time.Now().Add(-time.Hour)
	for _, data := range [][]byte{nil, []byte("x"), bytes.Repeat([]byte("0123456789abcdef"), 70_000)} {
		key := fmt.Sprintf("dir/sub dir/%d.bin", len(data))
		w.must(t, w.PutIfAbsent(ctx, key, data))
		got, obj, err := w.Get(ctx, key)
		w.must(t, err)
		if !bytes.Equal(got, data) {
			t.Errorf("%s: read %d bytes that differ from the %d written", key, len(got), len(data))
		}
		stat, err := w.Stat(ctx, key)
		w.must(t, err)
		if stat.Key != key || stat.Size != int64(len(data)) || obj.Size != stat.Size || obj.Key != key {
			t.Errorf("%s: Get describes %+v, Stat %+v", key, obj, stat)
		}
		if !obj.ModTime.Equal(stat.ModTime) || stat.ModTime.Before(before) || stat.ModTime.After(time.Now().Add(time.Hour)) {
			t.Errorf("%s: modification time %v by Get, %v by Stat, now is %v", key, obj.ModTime, stat.ModTime, time.Now())
		}
		for o, err := range w.List(ctx, key, "") {
			w.must(t, err)
			if o.Size != stat.Size || !o.ModTime.Equal(stat.ModTime) {
				t.Errorf("%s: List says %+v, Stat %+v", key, o, stat)
			}
		}
	}
}

func missing(t *testing.T, w *world) {
	ctx := t.Context()
	w.fill(t, "there/one")
	for _, key := range []string{"none", "there/none", "there", "none/of/these", "there/one/below"} {
		_, _, err := w.Get(ctx, key)
		wantError(t, "Get "+key, err, storage.ErrNotExist)
		_, err = w.GetRange(ctx, key, 0, 1)
		wantError(t, "GetRange "+key, err, storage.ErrNotExist)
		_, err = w.Stat(ctx, key)
		wantError(t, "Stat "+key, err, storage.ErrNotExist)
		if err := w.Delete(ctx, key); err != nil {
			t.Errorf("Delete %s, which does not exist: %v", key, err)
		}
	}
	wantKeys(t, "List of a missing prefix", w.list(t, "none/", ""), nil)
	wantKeys(t, "List", w.list(t, "", ""), []string{"there/one"})
}

func putReplaces(t *testing.T, w *world) {
	ctx := t.Context()
	w.must(t, w.Put(ctx, "k", []byte("a longer first value")))
	w.must(t, w.Put(ctx, "k", []byte("second")))
	got, obj, err := w.Get(ctx, "k")
	w.must(t, err)
	if string(got) != "second" || obj.Size != 6 {
		t.Errorf("after Put over an object: %q, size %d", got, obj.Size)
	}
}

func putIfAbsent(t *testing.T, w *world) {
	ctx := t.Context()
	w.must(t, w.PutIfAbsent(ctx, "a/k", []byte("first")))
	wantError(t, "second PutIfAbsent", w.PutIfAbsent(ctx, "a/k", []byte("second")), storage.ErrExist)
	wantError(t, "PutIfAbsent of nothing", w.PutIfAbsent(ctx, "a/k", nil), storage.ErrExist)
	got, _, err := w.Get(ctx, "a/k")
	w.must(t, err)
	if string(got) != "first" {
		t.Errorf("the loser's bytes are there: %q", got)
	}
	w.must(t, w.Put(ctx, "a/p", []byte("put")))
	wantError(t, "PutIfAbsent over Put", w.PutIfAbsent(ctx, "a/p", []byte("x")), storage.ErrExist)
	w.must(t, w.Delete(ctx, "a/k"))
	w.must(t, w.PutIfAbsent(ctx, "a/k", []byte("third")))
	wantKeys(t, "List shows nothing else", w.list(t, "", ""), []string{"a/k", "a/p"})
}

func remove(t *testing.T, w *world) {
	ctx := t.Context()
	w.fill(t, "d/a", "d/b")
	w.must(t, w.Delete(ctx, "d/a"))
	w.must(t, w.Delete(ctx, "d/a"))
	wantKeys(t, "List after Delete", w.list(t, "", ""), []string{"d/b"})
	w.must(t, w.Delete(ctx, "d")) // a prefix is no object
	wantKeys(t, "List after Delete of a prefix", w.list(t, "", ""), []string{"d/b"})
}

func cancelled(t *testing.T, w *world) {
	w.fill(t, "k", "l")
	ctx, cancel := context.WithCancel(t.Context())
	open, err := w.Create(ctx, "open")
	w.must(t, err)
	cancel()
	_, _, err = w.Get(ctx, "k")
	wantError(t, "Get", err, context.Canceled)
	_, err = w.GetRange(ctx, "k", 0, 1)
	wantError(t, "GetRange", err, context.Canceled)
	wantError(t, "PutIfAbsent", w.PutIfAbsent(ctx, "n", nil), context.Canceled)
	wantError(t, "Put", w.Put(ctx, "n", nil), context.Canceled)
	wantError(t, "Delete", w.Delete(ctx, "k"), context.Canceled)
	_, err = w.Stat(ctx, "k")
	wantError(t, "Stat", err, context.Canceled)
	_, err = w.Create(ctx, "n")
	wantError(t, "Create", err, context.Canceled)
	wantError(t, "Commit", open.Commit(), context.Canceled)
	open.Abort()
	var last error
	for _, err := range w.List(ctx, "", "") {
		last = err
	}
	wantError(t, "List", last, context.Canceled)
	wantKeys(t, "List afterwards", w.list(t, "", ""), []string{"k", "l"})
	// The driver itself honours the context, not only the Bucket.
	if err := w.driver.PutIfAbsent(ctx, "n", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("driver.PutIfAbsent with a cancelled context: %v", err)
	}
}

func copies(t *testing.T, w *world) {
	ctx := t.Context()
	data := []byte("original")
	w.must(t, w.Put(ctx, "k", data))
	copy(data, "CHANGED!")
	got, _, err := w.Get(ctx, "k")
	w.must(t, err)
	if string(got) != "original" {
		t.Errorf("the store kept the caller's slice: %q", got)
	}
	copy(got, "CHANGED!")
	if got, _, _ = w.Get(ctx, "k"); string(got) != "original" {
		t.Errorf("Get handed out the store's own bytes: %q", got)
	}
}
