package testkit

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// Corpus is the directory that an environment variable names; the test is
// skipped when it is not set.
func Corpus(t testing.TB, variable string) string {
	t.Helper()
	dir := os.Getenv(variable)
	if dir == "" {
		t.Skipf("%s is not set: it names the directory of the corpus", variable)
	}
	return dir
}

// Archives lists the .tar.zst files under a directory, sorted.
func Archives(t testing.TB, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".tar.zst") {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) == 0 {
		t.Fatalf("%s holds no .tar.zst archive", dir)
	}
	slices.Sort(out)
	return out
}

// ArchiveName is the name of an archive below the corpus, without its extension.
func ArchiveName(dir, archive string) string {
	name, err := filepath.Rel(dir, archive)
	if err != nil {
		name = filepath.Base(archive)
	}
	return strings.TrimSuffix(filepath.ToSlash(name), ".tar.zst")
}

// Unpack extracts a .tar.zst archive into a fresh directory that goes away
// with the test. Modification times are set, empty directories are made.
func Unpack(t testing.TB, archive string) string {
	t.Helper()
	dir := t.TempDir()
	if err := UnpackTo(dir, archive); err != nil {
		t.Fatalf("unpack %s: %v", archive, err)
	}
	return dir
}

// UnpackTo is Unpack into a given directory.
func UnpackTo(dir, archive string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return err
	}
	defer z.Close()
	root, err := os.OpenRoot(dir) // no member leaves it
	if err != nil {
		return err
	}
	defer root.Close()
	var times []*tar.Header
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		name := filepath.FromSlash(strings.Trim(h.Name, "/"))
		if name == "" || name == "." {
			continue
		}
		switch h.Typeflag {
		case tar.TypeDir:
			err = root.MkdirAll(name, 0o755)
		case tar.TypeReg:
			err = writeMember(root, name, r)
		default:
			err = fmt.Errorf("member %s is neither a file nor a directory", h.Name)
		}
		if err != nil {
			return err
		}
		times = append(times, h)
	}
	for _, h := range slices.Backward(times) { // directories after their members
		name := filepath.FromSlash(strings.Trim(h.Name, "/"))
		if err := root.Chtimes(name, h.ModTime, h.ModTime); err != nil {
			return err
		}
	}
	return nil
}

func writeMember(root *os.Root, name string, r io.Reader) error {
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := root.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}
