package local_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/local"
)

func bucket(t testing.TB, dir string, opts ...local.Option) *storage.Bucket {
	t.Helper()
	return storage.NewBucket(newStore(t, dir, opts...))
}

func keys(t *testing.T, b *storage.Bucket) string {
	t.Helper()
	var list []string
	for o, err := range b.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, o.Key)
	}
	return strings.Join(list, " ")
}

func link(t *testing.T, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
}

func TestLinksStayInside(t *testing.T) {
	ctx := t.Context()
	outside, dir := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("s"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := bucket(t, dir)
	if err := b.Put(ctx, "real/file", []byte("inside")); err != nil {
		t.Fatal(err)
	}
	link(t, filepath.Join(outside, "secret"), filepath.Join(dir, "leak"))
	link(t, outside, filepath.Join(dir, "away"))
	link(t, "..", filepath.Join(dir, "up"))
	link(t, "real/file", filepath.Join(dir, "alias"))
	link(t, "real", filepath.Join(dir, "realdir"))
	link(t, "nothing", filepath.Join(dir, "dangling"))
	link(t, ".", filepath.Join(dir, "loop"))

	for _, key := range []string{"leak", "away/secret", "up/x"} {
		if _, _, err := b.Get(ctx, key); !errors.Is(err, storage.ErrInvalidKey) {
			t.Errorf("Get %s: %v, want ErrInvalidKey", key, err)
		}
		if err := b.PutIfAbsent(ctx, key+"2/x", []byte("!")); err != nil && !errors.Is(err, storage.ErrInvalidKey) {
			t.Errorf("PutIfAbsent %s2/x: %v", key, err)
		}
	}
	if err := b.Put(ctx, "away/new", []byte("!")); !errors.Is(err, storage.ErrInvalidKey) {
		t.Errorf("Put through a link that leaves: %v, want ErrInvalidKey", err)
	}
	if err := b.Put(ctx, "leak", []byte("replaced")); err != nil {
		t.Errorf("Put replaces the link itself: %v", err)
	}
	if data, _ := os.ReadFile(filepath.Join(outside, "secret")); string(data) != "s" {
		t.Errorf("a file outside was changed: %q", data)
	}
	if list, _ := os.ReadDir(outside); len(list) != 1 {
		t.Errorf("files appeared outside: %v", list)
	}
	for _, key := range []string{"alias", "realdir/file", "loop/loop/real/file"} {
		if got, _, err := b.Get(ctx, key); err != nil || string(got) != "inside" {
			t.Errorf("Get %s = %q, %v", key, got, err)
		}
	}
	if got := keys(t, b); !strings.Contains(got, "alias") || !strings.Contains(got, "real/file") || strings.Contains(got, "dangling") || strings.Contains(got, "loop/") {
		t.Errorf("List = %s", got)
	}
}

func TestTemporaryFilesAreHidden(t *testing.T) {
	dir := t.TempDir()
	b := bucket(t, dir)
	if err := b.Put(t.Context(), "d/k", nil); err != nil {
		t.Fatal(err)
	}
	left := "d/.0123.sluice-tmp"
	if err := os.WriteFile(filepath.Join(dir, left), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := keys(t, b); got != "d/k" {
		t.Errorf("List = %s", got)
	}
	if _, _, err := b.Get(t.Context(), left); !errors.Is(err, storage.ErrInvalidKey) {
		t.Errorf("Get of a temporary file: %v", err)
	}
}

// entries lists all names in a directory, hidden ones too.
func entries(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

func TestNothingIsLeftBehind(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	b := bucket(t, dir)
	b.PutIfAbsent(ctx, "k", []byte("1"))
	b.PutIfAbsent(ctx, "k", []byte("2"))
	b.Put(ctx, "k", []byte("3"))
	w, err := b.Create(ctx, "w")
	if err != nil {
		t.Fatal(err)
	}
	w.Write([]byte("x"))
	w.Abort()
	os.Mkdir(filepath.Join(dir, "directory"), 0o777)
	os.WriteFile(filepath.Join(dir, "directory", "full"), nil, 0o666)
	if err := b.Put(ctx, "directory", nil); err == nil {
		t.Error("Put replaced a directory")
	}
	if err := b.PutIfAbsent(ctx, "directory", nil); !errors.Is(err, storage.ErrExist) {
		t.Errorf("PutIfAbsent of a directory's name: %v", err)
	}
	if err := b.Put(ctx, "k/below", nil); !errors.Is(err, storage.ErrInvalidKey) {
		t.Errorf("Put below a file: %v", err)
	}
	if got := strings.Join(entries(t, dir), " "); got != "directory k" {
		t.Errorf("the directory holds %s", got)
	}
}

func TestDirectoryRemovedAndMadeAgain(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("an open directory cannot be removed")
	}
	ctx := t.Context()
	dir := t.TempDir() + "/table"
	b := bucket(t, dir)
	for round := range 3 {
		for _, key := range []string{"k", "_delta_log/0.json"} {
			if err := b.PutIfAbsent(ctx, key, []byte{byte('0' + round)}); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if _, _, err := b.Get(ctx, "k"); !errors.Is(err, storage.ErrNotExist) {
			t.Errorf("Get after removal: %v", err)
		}
		if got := keys(t, b); got != "" {
			t.Errorf("List after removal = %s", got)
		}
		other := bucket(t, dir)
		if err := other.Put(ctx, "theirs", []byte("x")); err != nil {
			t.Fatal(err)
		}
		if got := keys(t, b); got != "theirs" {
			t.Errorf("List after another made the directory = %s", got)
		}
		if _, _, err := b.Get(ctx, "theirs"); err != nil {
			t.Errorf("Get after another made the directory: %v", err)
		}
		os.RemoveAll(dir)
	}
}

func TestReadingMakesNothing(t *testing.T) {
	dir := t.TempDir() + "/none"
	b := bucket(t, dir)
	b.Get(t.Context(), "k")
	b.Delete(t.Context(), "k")
	keys(t, b)
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("reading made the directory: %v", err)
	}
}

func TestClosed(t *testing.T) {
	s, err := local.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s.Put(t.Context(), "k", nil)
	s.Close()
	if _, _, err := s.Get(t.Context(), "k"); err == nil {
		t.Error("Get on a closed store succeeded")
	}
}

func TestRootIsAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	os.WriteFile(file, nil, 0o666)
	b := bucket(t, file)
	if _, _, err := b.Get(t.Context(), "k"); err == nil {
		t.Error("Get below a file succeeded")
	}
	if err := b.Put(t.Context(), "k", nil); err == nil {
		t.Error("Put below a file succeeded")
	}
}
