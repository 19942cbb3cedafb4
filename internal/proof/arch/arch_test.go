package arch

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/sluicelake/sluice"

// place finds a package in the plan: its floor and its rank inside the floor.
// Packages of one tree share a rank and may import each other.
func place(pkg string) (floor, rank int, ok bool) {
	for i, f := range Plan {
		for j, p := range f.Packages {
			tree, isTree := strings.CutSuffix(p, "/...")
			if p == pkg || isTree && (pkg == tree || strings.HasPrefix(pkg, tree+"/")) {
				return i, j, true
			}
		}
	}
	return 0, 0, false
}

func TestImportsGoDownTheFloors(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && file != root && (strings.HasPrefix(name, ".") || name == "testdata") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(rel)
		if pkg == "." {
			pkg = ""
		}
		checkFile(t, file, pkg)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func checkFile(t *testing.T, file, pkg string) {
	floor, rank, ok := place(pkg)
	if !ok {
		t.Errorf("package %q is not in the plan: enter it in internal/proof/arch/arch.go and in docs/ARCHITECTURE.md, on the floor where its idea belongs", pkg)
		return
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Error(err)
		return
	}
	for _, imp := range parsed.Imports {
		full, err := strconv.Unquote(imp.Path.Value)
		if err != nil || (full != module && !strings.HasPrefix(full, module+"/")) {
			continue
		}
		other := strings.TrimPrefix(strings.TrimPrefix(full, module), "/")
		if other == pkg {
			continue
		}
		f, r, ok := place(other)
		switch {
		case !ok:
			t.Errorf("%s imports %q, which is not in the plan", path.Base(file), other)
		case f > floor:
			t.Errorf("%s is on the floor %q and imports %s from the floor %q above it: let the value come back to the caller, or move the code up", pkg, Plan[floor].Name, other, Plan[f].Name)
		case f == floor && r > rank:
			t.Errorf("%s imports %s, which comes after it on the floor %q: swap them in the plan if the idea allows, or move the shared part down", pkg, other, Plan[f].Name)
		}
	}
}
