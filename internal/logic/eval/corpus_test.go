package eval

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/klauspost/compress/zstd"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

// corpusCase is one expression over the fixed table, as Spark answered it.
type corpusCase struct {
	Expr       string
	Group      string
	Type       string
	Values     []json.RawMessage
	RenderedAs string
	NotScalar  bool
	Phase      string
	Error      *struct{ Condition *string }
}

// TestSparkCorpus compares type and value of each row, or the class of the error.
func TestSparkCorpus(t *testing.T) {
	dir := os.Getenv("SLUICE_SPARK_CORPUS")
	if dir == "" {
		t.Skip("SLUICE_SPARK_CORPUS names no directory with expr.jsonl.zst and expr_table.json")
	}
	schema, cols, n := corpusTable(t, filepath.Join(dir, "expr_table.json"))
	scope := expr.Scope{Tables: []expr.Table{{Schema: schema}}}
	passed, failed, skipped := 0, 0, 0
	for _, c := range corpusCases(t, filepath.Join(dir, "expr.jsonl.zst")) {
		if c.NotScalar {
			skipped++
			continue
		}
		if err := c.check(scope, cols, n); err != nil {
			failed++
			t.Logf("%s: %s: %v", c.Group, c.Expr, err)
		} else {
			passed++
		}
	}
	fmt.Printf("spark expressions: %d passed, %d failed, %d skipped\n", passed, failed, skipped)
	if failed > passed/50 {
		t.Fail()
	}
}

func corpusTable(t *testing.T, path string) (*types.Struct, []arrow.Array, int) {
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var table struct {
		Schema json.RawMessage
		Rows   []map[string]json.RawMessage
	}
	if err := json.Unmarshal(raw, &table); err != nil {
		t.Fatal(err)
	}
	schema, err := types.ParseSchema(string(table.Schema))
	if err != nil {
		t.Fatal(err)
	}
	cols := make([]arrow.Array, len(schema.Fields))
	for i, f := range schema.Fields {
		vals := make([]any, len(table.Rows))
		for r, row := range table.Rows {
			vals[r] = fromCanonical(row[f.Name], f.Type)
		}
		if cols[i], err = columns.FromValues(f.Type, vals...); err != nil {
			t.Fatal(f.Name, err)
		}
	}
	return schema, cols, len(table.Rows)
}

// fromCanonical reads the canonical form of a value.
func fromCanonical(raw json.RawMessage, t types.Type) any {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	var text string
	isText := json.Unmarshal(raw, &text) == nil
	switch x := t.(type) {
	case types.Decimal:
		d, _ := expr.ParseDecimal(text)
		return expr.Decimal{Unscaled: new(big.Int).Mul(d.Unscaled, powerOf10(x.Scale-d.Scale)), Scale: x.Scale}
	case *types.Array:
		var list []json.RawMessage
		_ = json.Unmarshal(raw, &list)
		out := make([]any, len(list))
		for i := range list {
			out[i] = fromCanonical(list[i], x.Element)
		}
		return out
	case *types.Map:
		var list [][2]json.RawMessage
		_ = json.Unmarshal(raw, &list)
		out := make([]columns.KV, len(list))
		for i := range list {
			out[i] = columns.KV{Key: fromCanonical(list[i][0], x.Key), Value: fromCanonical(list[i][1], x.Value)}
		}
		return out
	case *types.Struct:
		var obj map[string]json.RawMessage
		_ = json.Unmarshal(raw, &obj)
		out := make([]any, len(x.Fields))
		for i, f := range x.Fields {
			out[i] = fromCanonical(obj[f.Name], f.Type)
		}
		return out
	}
	switch t {
	case types.Boolean:
		return string(raw) == "true"
	case types.Float, types.Double:
		if isText {
			f, _ := parseFloat(text, 64)
			return f
		}
		if string(raw) == "-0" {
			return math.Copysign(0, -1)
		}
		var f float64
		_ = json.Unmarshal(raw, &f)
		return f
	case types.String:
		return text
	case types.Binary:
		b, _ := base64.StdEncoding.DecodeString(text)
		return b
	case types.Date:
		v, _ := civil.ParseDate(text)
		return v
	case types.Timestamp, types.TimestampNTZ:
		v, _ := civil.ParseTimestampNTZ(strings.TrimSuffix(text, "Z"))
		return v
	}
	var v int64
	_ = json.Unmarshal(raw, &v)
	return v
}

func corpusCases(t *testing.T, path string) (out []corpusCase) {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var c corpusCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

// classOf is the error class, or "" for an error that has none.
func classOf(err error) string {
	var pe *expr.ParseError
	var be *expr.BindError
	var ee *Error
	switch {
	case errors.As(err, &pe):
		return pe.Class
	case errors.As(err, &be):
		return be.Class
	case errors.As(err, &ee):
		return ee.Class
	}
	return "unclassified: " + err.Error()
}

func (c *corpusCase) check(scope expr.Scope, cols []arrow.Array, n int) error {
	e, err := expr.Parse(c.Expr)
	if err == nil {
		e, err = expr.Bind(e, scope)
	}
	if err != nil {
		if c.Error != nil && c.Error.Condition != nil && classOf(err) == *c.Error.Condition {
			return nil
		}
		return fmt.Errorf("analysis: %w", err)
	}
	if c.Error != nil && c.Phase == "analysis" {
		return fmt.Errorf("bound as %s, want an error %s", e.Type(), *c.Error.Condition)
	}
	if got := typeName(e.Type()); got != c.Type {
		return fmt.Errorf("type %s, want %s", got, c.Type)
	}
	if c.Error != nil {
		return c.checkFailure(e, cols, n)
	}
	clean := true
	for i := range n {
		got, err := oneRow(e, columns.Slice(cols, i, 1), c.RenderedAs != "")
		if err != nil {
			got = fmt.Sprintf(`{"$error":%q}`, classOf(err))
			clean = false
		}
		if want := compact(c.Values[i]); !sameJSON(got, want) {
			return fmt.Errorf("row %d: got %s, want %s (%v)", i+1, got, want, err)
		}
	}
	return c.checkBatch(e, cols, n, clean)
}

// checkBatch compares all rows at once with the rows one by one.
func (c *corpusCase) checkBatch(e expr.Expr, cols []arrow.Array, n int, clean bool) error {
	all, err := Eval(e, Input{cols, n})
	if err != nil || !clean {
		if clean || err == nil {
			return fmt.Errorf("as a batch: error %v, rows alone without error: %v", err, clean)
		}
		return nil
	}
	if !expr.Deterministic(e) {
		return nil
	}
	for i := range n {
		got := canonical(all, e.Type(), i, c.RenderedAs != "")
		if want := compact(c.Values[i]); !sameJSON(got, want) {
			return fmt.Errorf("row %d of the batch: got %s, want %s", i+1, got, want)
		}
	}
	return nil
}

func (c *corpusCase) checkFailure(e expr.Expr, cols []arrow.Array, n int) error {
	want := ""
	if c.Error.Condition != nil {
		want = *c.Error.Condition
	}
	_, err := Eval(e, Input{cols, n})
	if err == nil {
		return fmt.Errorf("no error, want %s", want)
	}
	if got := classOf(err); got != want {
		return fmt.Errorf("error %v, want %s", err, want)
	}
	return nil
}

func typeName(t types.Type) string {
	return strings.ReplaceAll(t.String(), " not null", "")
}

func oneRow(e expr.Expr, cols []arrow.Array, text bool) (string, error) {
	a, err := Eval(e, Input{cols, 1})
	if err != nil {
		return "", err
	}
	return canonical(a, e.Type(), 0, text), nil
}

func canonical(a arrow.Array, t types.Type, i int, text bool) string {
	if text {
		s, err := castArray(a, t, types.String, castMode{})
		if err != nil {
			return err.Error()
		}
		a, t = s, types.String
	}
	return string(columns.AppendCanonicalValue(nil, a, t, i))
}

func compact(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return string(raw)
	}
	return b.String()
}

// sameJSON compares values; numbers by their text, since -0 matters.
func sameJSON(a, b string) bool {
	if a == b {
		return true
	}
	decode := func(s string) any {
		d := json.NewDecoder(strings.NewReader(s))
		d.UseNumber()
		var v any
		_ = d.Decode(&v)
		return v
	}
	x, _ := json.Marshal(sorted(decode(a)))
	y, _ := json.Marshal(sorted(decode(b)))
	return bytes.Equal(x, y)
}

// sorted gives numbers one spelling.
func sorted(v any) any {
	switch x := v.(type) {
	case json.Number:
		if f, err := x.Float64(); err == nil && strings.ContainsAny(x.String(), ".eE") {
			return f
		}
	case map[string]any:
		keys := make([]string, 0, len(x))
		for k := range x {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			x[k] = sorted(x[k])
		}
	case []any:
		for i := range x {
			x[i] = sorted(x[i])
		}
	}
	return v
}
