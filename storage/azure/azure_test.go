package azure_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluicelake/sluice/storage"
	_ "github.com/sluicelake/sluice/storage/azure"
	"github.com/sluicelake/sluice/storage/azure/emulator"
	"github.com/sluicelake/sluice/storage/diskcache"
	"github.com/sluicelake/sluice/storage/storetest"
)

// cloud starts an emulator with the secret of the service principal in its vault.
func cloud(t *testing.T) (*emulator.Cloud, map[string]string) {
	t.Helper()
	c, err := emulator.Start("lake", "writer", "operator-secret")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, c.Options("writer", "operator-secret", saved(t, c.Certificate))
}

// saved writes a file for the option ca-file.
func saved(t *testing.T, pem []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// openAt opens a location; more overrides the options, an empty value takes one away.
func openAt(t testing.TB, location string, options map[string]string, more ...string) (*storage.Bucket, error) {
	t.Helper()
	all := map[string]string{}
	for k, v := range options {
		all[k] = v
	}
	for i := 0; i < len(more); i += 2 {
		all[more[i]] = more[i+1]
	}
	var opts []storage.Option
	for k, v := range all {
		if v != "" {
			opts = append(opts, storage.With(k, v))
		}
	}
	b, err := storage.Open(t.Context(), location, opts...)
	if err == nil {
		t.Cleanup(func() { b.Close() })
	}
	return b, err
}

func mustOpen(t testing.TB, location string, options map[string]string, more ...string) *storage.Bucket {
	t.Helper()
	b, err := openAt(t, location, options, more...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var places atomic.Int64

// suite runs the contract of drivers against a container. Each check has a
// directory of its own.
func suite(t *testing.T, container string, options map[string]string, s storetest.Subject, more ...string) {
	s.New = func(t *testing.T) storage.Driver {
		return mustOpen(t, fmt.Sprintf("%s/tests/place %d", container, places.Add(1)), options, more...).Driver()
	}
	s.Again = func(t *testing.T, d storage.Driver) storage.Driver {
		return mustOpen(t, d.URL(), options, more...).Driver()
	}
	s.Writers, s.Rounds, s.PlainNames = 32, 10, true
	storetest.Run(t, s)
	t.Run("Names", func(t *testing.T) { names(t, mustOpen(t, container+"/tests/names", options, more...)) })
}

// names checks odd names beyond those of every file system, and refusals.
func names(t *testing.T, b *storage.Bucket) {
	ctx := t.Context()
	good := []string{"question?mark", "star*", "colon: time 12:30:00", `quote"d`, "less<more>", "pipe|", "aux.txt", "con", "p=a%5Cb/x"}
	for _, k := range good {
		if err := b.PutIfAbsent(ctx, k, []byte(k)); err != nil {
			t.Errorf("%q: %v", k, err)
		}
		if got, _, err := b.Get(ctx, k); err != nil || string(got) != k {
			t.Errorf("%q: %q, %v", k, got, err)
		}
	}
	n := 0
	for o, err := range b.List(ctx, "", "") {
		if err != nil || !slices.Contains(good, o.Key) {
			t.Errorf("listed %q, %v", o.Key, err)
		}
		n++
	}
	if n != len(good) {
		t.Errorf("%d names listed, %d put", n, len(good))
	}
	for _, k := range []string{`back\slash`, "bell\a", "new\nline", "d/.x.sluice-tmp"} {
		if err := b.Put(ctx, k, nil); !errors.Is(err, storage.ErrInvalidKey) {
			t.Errorf("Put %q: %v", k, err)
		}
	}
}

// The contract, through the dfs endpoint with pages and blocks as small as may be.
func TestDFSContract(t *testing.T) {
	t.Parallel()
	c, options := cloud(t)
	c.Lake.PageSize = 50
	suite(t, "abfss://lake@lakeaccount.dfs.core.windows.net", options, storetest.Subject{}, "block-size", "65536")
	if n := c.Vault.Reads(); n == 0 {
		t.Error("nobody asked the vault")
	}
}

// A writer that was stopped leaves a temporary file, which a walk shows and a listing
// does not. A disk cache before the store changes nothing about that.
func TestDFSWalk(t *testing.T) {
	t.Parallel()
	c, options := cloud(t)
	c.Lake.PageSize = 3
	ctx := t.Context()
	far := mustOpen(t, "abfss://lake@lakeaccount.dfs.core.windows.net/t", options, "block-size", "65536")
	d, err := diskcache.Wrap(far.Driver(), t.TempDir(), diskcache.Default)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]*storage.Bucket{"store": far, "cache": storage.NewBucket(d)} {
		t.Run(name, func(t *testing.T) {
			for _, key := range []string{"a/x", "a/y", "_delta_log/0.json", "top"} {
				if err := b.Put(ctx, key, []byte(key)); err != nil {
					t.Fatal(err)
				}
			}
			w, err := b.Create(ctx, "a/unfinished")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				t.Fatal(err)
			}
			defer w.Abort()
			dirs, ok := b.Walker()
			if !ok {
				t.Fatal("no directories")
			}
			var temp string
			for deadline := time.Now().Add(20 * time.Second); temp == "" && time.Now().Before(deadline); { // blocks are sent behind Write
				for e, err := range dirs.Walk(ctx, "", func(key string) bool { return key != "_delta_log" }) {
					if err != nil {
						t.Fatal(err)
					}
					if e.Kind == storage.EntryTemporary {
						temp = e.Key
					}
				}
			}
			if !strings.HasPrefix(temp, "a/.") {
				t.Fatalf("the temporary file is %q", temp)
			}
			for o, err := range b.List(ctx, "", "") {
				if err != nil || o.Key == temp {
					t.Errorf("listed %q, %v", o.Key, err)
				}
			}
			if o, err := dirs.Look(ctx, temp); err != nil || o.Key != temp {
				t.Errorf("Look: %+v, %v", o, err)
			}
			if done, err := dirs.Remove(ctx, temp); !done || err != nil {
				t.Errorf("Remove: %v, %v", done, err)
			}
		})
	}
}
