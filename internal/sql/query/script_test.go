package query

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/types"
)

var update = flag.Bool("update", false, "write the expected results of the scripts anew")

// rows is a relation in memory that hands out two rows at a time.
type rows struct {
	schema *types.Struct
	cols   []arrow.Array
	n      int
}

func (t *rows) Schema() *types.Struct { return t.schema }

func (t *rows) Scan(_ context.Context, o ScanOptions) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		for from := 0; from < t.n; from += 2 {
			n := min(2, t.n-from)
			var cols []arrow.Array
			var fields []arrow.Field
			for _, c := range o.Columns {
				a := array.NewSlice(t.cols[c], int64(from), int64(from+n))
				cols, fields = append(cols, a), append(fields, arrow.Field{Name: t.schema.Fields[c].Name, Type: a.DataType(), Nullable: true})
			}
			if !yield(array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, int64(n)), nil) {
				return
			}
		}
	}
}

// tables is a catalog in memory. A name with a version is a table of its own: t@1.
type tables struct {
	rels  map[string]Relation
	views map[string]*Query
}

func (c *tables) Relation(_ context.Context, name []string, at At) (Relation, error) {
	key := strings.ToLower(strings.Join(name, "."))
	if at.Version != nil {
		key += fmt.Sprintf("@%d", *at.Version)
	}
	if at.Timestamp != nil {
		key += "@" + fmt.Sprint(at.Timestamp.(*expr.Literal).Value)
	}
	if r, ok := c.rels[key]; ok {
		return r, nil
	}
	return nil, NotFound(name, nil)
}

func (c *tables) View(_ context.Context, name []string) (*Query, Catalog, bool, error) {
	q, ok := c.views[strings.ToLower(strings.Join(name, "."))]
	return q, c, ok, nil
}

func (c *tables) Function(_ context.Context, name string, args []*expr.Literal) (Relation, bool, error) {
	if name != "table_changes" || len(args) == 0 {
		return nil, false, nil
	}
	r, ok := c.rels["changes of "+fmt.Sprint(args[0].Value)]
	return r, ok, nil
}

var testOptions = expr.Options{Now: time.Date(2024, 3, 4, 5, 6, 7, 0, time.UTC)}

func execute(c Catalog, text string) (*rows, error) {
	q, err := ParseText(text)
	if err != nil {
		return nil, err
	}
	p, err := Bind(context.Background(), q, c, testOptions)
	if err != nil {
		return nil, err
	}
	return collect(p)
}

// collect runs a plan.
func collect(p *Plan) (*rows, error) {
	t := &rows{schema: p.Schema()}
	var parts [][]arrow.Array
	for rec, err := range p.Run(context.Background(), env.New()) {
		if err != nil {
			return nil, err
		}
		t.n += int(rec.NumRows())
		parts = append(parts, rec.Columns())
	}
	if len(parts) == 0 {
		for _, f := range t.schema.Fields {
			dt, err := columns.ArrowType(f.Type)
			if err != nil {
				return nil, err
			}
			t.cols = append(t.cols, columns.Nulls(dt, 0))
		}
		return t, nil
	}
	var err error
	t.cols, err = columns.ConcatColumns(parts)
	return t, err
}

// show writes a result as a script expects it: the columns, then the rows.
func show(t *rows, err error) string {
	if err != nil {
		return "error: " + showError(err) + "\n"
	}
	var b strings.Builder
	for i, f := range t.schema.Fields {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(types.QuoteIdentifier(f.Name) + " " + types.SQL(f.Type))
		if !f.Nullable {
			b.WriteString(" NOT NULL")
		}
	}
	b.WriteByte('\n')
	for i := range t.n {
		line := []byte{}
		for c, f := range t.schema.Fields {
			if c > 0 {
				line = append(line, '|')
			}
			line = columns.AppendCanonicalValue(line, t.cols[c], f.Type, i)
		}
		b.Write(append(line, '\n'))
	}
	return b.String()
}

func showError(err error) string {
	var be *expr.BindError
	var ee *eval.Error
	var pe *expr.ParseError
	switch {
	case errors.As(err, &be):
		if be.SQLState == "" {
			return be.Class + " without SQLSTATE"
		}
		if len(be.Candidates) > 0 {
			return be.Class + " " + strings.Join(be.Candidates, " ")
		}
		return be.Class
	case errors.As(err, &ee):
		return ee.Class
	case errors.As(err, &pe):
		return fmt.Sprintf("%s at %d:%d %s", pe.Class, pe.Line, pe.Column, pe.Msg)
	}
	return err.Error()
}

// A script is blocks apart by blank lines. "table t: query", "view v: query" and
// "drop" lines make the catalog; other blocks are a query, a line ---- and the result.
func TestScripts(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txt")
	if len(files) == 0 {
		t.Fatal("no scripts")
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) { script(t, f) })
	}
}

func script(t *testing.T, file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c := &tables{rels: map[string]Relation{}, views: map[string]*Query{}}
	var out []string
	for _, block := range strings.Split(strings.TrimRight(string(data), "\n"), "\n\n") {
		if define(t, c, block) {
			out = append(out, block)
			continue
		}
		text, want, _ := strings.Cut(block, "\n----\n")
		got := strings.TrimRight(show(execute(c, text)), "\n")
		out = append(out, text+"\n----\n"+got)
		if !*update && got != want {
			t.Errorf("%s\ngot:\n%s\nwant:\n%s", text, got, want)
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(strings.Join(out, "\n\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// define handles a block that makes tables and views, and comments.
func define(t *testing.T, c *tables, block string) bool {
	defined := false
	for line := range strings.Lines(block) {
		line = strings.TrimRight(line, "\n")
		head, text, _ := strings.Cut(line, ": ")
		kind, name, _ := strings.Cut(head, " ")
		switch {
		case strings.HasPrefix(line, "#"):
		case kind == "table":
			r, err := execute(c, text)
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			c.rels[name] = r
		case kind == "view":
			q, err := ParseText(text)
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			c.views[name] = q
		default:
			return defined
		}
		defined = true
	}
	return true
}
