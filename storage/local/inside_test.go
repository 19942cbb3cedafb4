package local

import (
	"errors"
	"io/fs"
	"os"
	"testing"
)

func TestPathOfURL(t *testing.T) {
	for _, c := range []struct{ goos, in, want string }{
		{"linux", "/a/b", "/a/b"}, {"linux", "rel/x", "rel/x"}, {"linux", "a%20b", "a%20b"}, {"linux", "what?", "what?"},
		{"linux", "file:///a/b%20c%25/%C3%A4", "/a/b c%/ä"}, {"linux", "file:///a b", "/a b"}, {"linux", "file:/a/b", "/a/b"},
		{"linux", "file://localhost/a", "/a"}, {"linux", "FILE:///a", "/a"}, {"linux", "file:rel/x%20y", "rel/x y"},
		{"windows", `C:\a\b`, `C:\a\b`}, {"windows", "C:/a", "C:/a"}, {"windows", "file:///C:/a%20b/c", `C:\a b\c`},
		{"windows", "file://server/share/x", `\\server\share\x`},
	} {
		got, err := pathFor(c.goos, c.in)
		if err != nil || got != c.want {
			t.Errorf("%s: path of %s = %q, %v; want %q", c.goos, c.in, got, err, c.want)
		}
	}
	for _, bad := range []string{"file://host/x", "file:///a%zz", "file://"} {
		if got, err := pathFor("linux", bad); err == nil {
			t.Errorf("path of %s = %q, want an error", bad, got)
		}
	}
}

func TestFileURL(t *testing.T) {
	for in, want := range map[string]string{
		"/a/b c%": "file:///a/b%20c%25", "C:/x": "file:///C:/x", "/": "file:///", "//server/share": "file://server/share",
	} {
		if got := fileURL(in); got != want {
			t.Errorf("fileURL(%s) = %s, want %s", in, got, want)
		}
	}
	for _, p := range []string{"/tmp/ä/100%/x y?#"} {
		if back, err := Path(fileURL(p)); err != nil || back != p {
			t.Errorf("%s goes through its URL to %q, %v", p, back, err)
		}
	}
}

// TestRenameExclusive checks the way that file systems without hard links take.
func TestRenameExclusive(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, name := range []string{"one", "two"} {
		if err := root.WriteFile(name, []byte(name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := renameExclusive(root, dir, "one", "target"); err != nil {
		t.Skipf("not offered here: %v", err)
	}
	if err := renameExclusive(root, dir, "two", "target"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("renaming over a name: %v, want fs.ErrExist", err)
	}
	if got, _ := root.ReadFile("target"); string(got) != "one" {
		t.Errorf("target holds %q", got)
	}
}

// TestOwnLinkIsRecognised: the reply to a successful link was lost, and the
// request that is sent again reports that the name exists.
func TestOwnLinkIsRecognised(t *testing.T) {
	dir := t.TempDir()
	root, _ := os.OpenRoot(dir)
	defer root.Close()
	root.WriteFile("tmp", []byte("mine"), 0o666)
	if err := root.Link("tmp", "name"); err != nil {
		t.Skip(err)
	}
	if err := publish(root, dir, "tmp", "name"); err != nil {
		t.Errorf("publish of a file that already has the name: %v", err)
	}
	root.WriteFile("other", []byte("theirs"), 0o666)
	if err := publish(root, dir, "other", "name"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("publish over another's file: %v", err)
	}
}
