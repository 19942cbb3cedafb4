package sluice_test

import (
	"bytes"
	"flag"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

var updateAPI = flag.Bool("update", false, "write testdata/api.txt anew")

// Every exported name of the package, with its type, is in testdata/api.txt: a
// change of what users hold is a change of that file. After a change that is
// meant: go test . -update
func TestExportedNames(t *testing.T) {
	got := exported(t)
	if *updateAPI {
		if err := os.WriteFile("testdata/api.txt", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile("testdata/api.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	is, was := lineSet(got), lineSet(string(want))
	for line := range was {
		if !is[line] {
			t.Errorf("gone:  %s", line)
		}
	}
	for line := range is {
		if !was[line] {
			t.Errorf("added: %s", line)
		}
	}
	t.Error("the exported names differ from testdata/api.txt; if that is meant, run: go test . -update")
}

func lineSet(s string) map[string]bool {
	out := map[string]bool{}
	for line := range strings.Lines(s) {
		out[strings.TrimRight(line, "\n")] = true
	}
	return out
}

// exported lists the declarations, one a line, sorted; it fails the test for
// one that has no comment.
func exported(t *testing.T) string {
	t.Helper()
	fset := token.NewFileSet()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	line := func(node any) string {
		var b bytes.Buffer
		if err := printer.Fprint(&b, fset, node); err != nil {
			t.Fatal(err)
		}
		return strings.Join(strings.Fields(b.String()), " ")
	}
	documented := func(name string, docs ...*ast.CommentGroup) {
		for _, d := range docs {
			if d.Text() != "" {
				return
			}
		}
		t.Errorf("%s has no comment", name)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if !d.Name.IsExported() || (d.Recv != nil && !receiverExported(d.Recv.List[0].Type)) {
					continue
				}
				documented(d.Name.Name, d.Doc)
				f := *d
				f.Body, f.Doc = nil, nil
				out = append(out, line(&f))
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch s := spec.(type) {
					case *ast.ValueSpec:
						for _, n := range s.Names {
							if n.IsExported() {
								documented(n.Name, s.Doc, d.Doc, s.Comment)
								out = append(out, d.Tok.String()+" "+n.Name)
							}
						}
					case *ast.TypeSpec:
						if !s.Name.IsExported() {
							continue
						}
						documented(s.Name.Name, s.Doc, d.Doc)
						out = append(out, typeLines(s, line)...)
					}
				}
			}
		}
	}
	sort.Strings(out)
	return strings.Join(out, "\n") + "\n"
}

func receiverExported(e ast.Expr) bool {
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	id, ok := e.(*ast.Ident)
	return ok && id.IsExported()
}

// typeLines is a type, and each exported field of a struct.
func typeLines(s *ast.TypeSpec, line func(any) string) []string {
	st, ok := s.Type.(*ast.StructType)
	if !ok {
		assign := " "
		if s.Assign.IsValid() {
			assign = " = "
		}
		return []string{"type " + s.Name.Name + assign + line(s.Type)}
	}
	out := []string{"type " + s.Name.Name + " struct"}
	for _, f := range st.Fields.List {
		if len(f.Names) == 0 {
			out = append(out, "field "+s.Name.Name+"."+line(f.Type)+" (embedded)")
		}
		for _, n := range f.Names {
			if n.IsExported() {
				out = append(out, "field "+s.Name.Name+"."+n.Name+" "+line(f.Type))
			}
		}
	}
	return out
}
