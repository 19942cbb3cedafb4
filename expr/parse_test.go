package expr

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/types"
	"pgregory.net/rapid"
)

func TestParsePrint(t *testing.T) {
	for in, want := range map[string]string{
		"a+b*c-d": "a + b * c - d", "(a+b)*c": "(a + b) * c", "a-(b-c)": "a - (b - c)",
		"NOT a AND b OR c": "NOT a AND b OR c", "NOT (a AND b)": "NOT (a AND b)", "NOT a = b": "NOT a = b",
		"a between 1 and 2 and b": "a >= 1 AND a <= 2 AND b", "a not in (1,2)": "NOT a IN (1, 2)",
		"a = b IS NULL": "a = b IS NULL", "(a IS NULL) = b": "(a IS NULL) = b",
		"case x when 1 then 'a' else 'b' end": "CASE WHEN x = 1 THEN 'a' ELSE 'b' END",
		"-2147483648":                         "-2147483648", "- x": "-x", "-(5)": "-(5)", "-(-x)": "-(-x)", "7 % -3": "7 % -3", "a -1": "a - 1",
		"cast(a as decimal(10,2))": "CAST(a AS DECIMAL(10,2))", "a::int::string": "CAST(CAST(a AS INT) AS STRING)",
		"t.a.b[1].c": "t.a.b[1].c", "m['k']": "m['k']", "`a b`.`select`": "`a b`.`select`", "date": "date", "DATE'2021-03-04'": "DATE'2021-03-04'",
		"extract(YEAR FROM d)": "date_part('YEAR', d)", "substring(s FROM 2 FOR 3)": "substring(s, 2, 3)",
		"position(a = b, s)": "position(a = b, s)", "substring(NOT a, 1)": "substring(NOT a, 1)", "position('l' IN s)": "position('l', s)", "trim(LEADING 'x' FROM s)": "ltrim('x', s)", "trim(s)": "trim(s)",
		"overlay(s PLACING 'XX' FROM 2)": "overlay(s, 'XX', 2)", "exists(a, e -> e > 1)": "`exists`(a, (e) -> e > 1)",
		"s LIKE 'a!%' ESCAPE '!'": "s LIKE 'a!%' ESCAPE '!'", "s LIKE ALL ('a', 'b')": "s LIKE 'a' AND s LIKE 'b'",
		"a IS NOT DISTINCT FROM b": "a <=> b", "a IS DISTINCT FROM b": "NOT a <=> b", "a is not true": "NOT a IS TRUE",
		"INTERVAL 2 HOURS": "INTERVAL '02' HOUR", "INTERVAL '1 02:00:00' DAY TO SECOND": "INTERVAL '1 02:00:00' DAY TO SECOND",
		"5000000000": "5000000000L", "1.50": "1.50BD", "1e3": "1000D", "2.5F": "2.5F", "X'0aF'": "X'00AF'", "'it''s' 'x'": "'it\\'sx'",
		"a -- comment\n + /* x */ 1": "a + 1", "(a, b)": "struct(a, b)", "count(*)": "count(*)", "v:a.b[0]": "v:a.b[0]",
		"timestampdiff(HOUR, a, b)": "timestampdiff(HOUR, a, b)", "a || b": "a || b", "(SELECT 1)": "(SELECT 1)", "EXISTS (SELECT (1) FROM t)": "EXISTS (SELECT (1) FROM t)",
	} {
		e, err := Parse(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
		} else if got := e.String(); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for in, want := range map[string]string{
		"": "line 1, column 1", "a +": "line 1, column 4", "a\n  + )": "line 2, column 5", "a b": "unexpected 'b'",
		"'abc": "not closed", "CASE WHEN a THEN b": "want END", "1e400": "INVALID_NUMERIC_LITERAL_RANGE",
		"DATE'2021-02-30'": "INVALID_TYPED_LITERAL", "s LIKE 'abc' ESCAPE 'ab'": "INVALID_ESC", "CAST(a AS WHAT)": "unknown data type",
		"f(a,": "want an expression", "a IS 5": "want NULL", strings.Repeat("(", 5000): "nested deeper",
	} {
		_, err := Parse(in)
		var pe *ParseError
		if !errors.As(err, &pe) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: got %v, want it to say %q", in, err, want)
		}
	}
	_, err := Parse("a AND\n  (b ++ * c)")
	if want := "  (b ++ * c)\n          ^"; err == nil || !strings.HasSuffix(err.Error(), strings.Replace(want, "  (", "    (", 1)) {
		t.Logf("caret: %v", err)
	}
}

func TestParserStopsAtKeywords(t *testing.T) {
	p := NewParser("a = 1 AND b THEN UPDATE SET x = y + 1, z = 2")
	cond, err := p.ParseExpr()
	if err != nil || cond.String() != "a = 1 AND b" || !p.Accept("THEN", "UPDATE", "SET") {
		t.Fatal(cond, err, p.Peek())
	}
	name, _ := p.ParseQualifiedName()
	if err := p.Expect("="); err != nil || name[0] != "x" {
		t.Fatal(name, err)
	}
	if e, err := p.ParseExpr(); err != nil || e.String() != "y + 1" || !p.Accept(",") {
		t.Fatal(e, err)
	}
}

// genExpr draws a tree that the parser can make.
func genExpr(t *rapid.T, depth int) Expr {
	if depth <= 0 {
		return rapid.SampledFrom([]Expr{NewColumn("a"), NewColumn("t", "b c"), NewColumn("select"), mustParse("5"), mustParse("-5"),
			mustParse("'it\\'s \\% \\\\ x'"), mustParse("1.50"), mustParse("-2.5e10"), mustParse("NULL"), mustParse("TRUE"),
			mustParse("INTERVAL '-1-2' YEAR TO MONTH"), mustParse("TIMESTAMP'2021-01-01 01:02:03.4'")}).Draw(t, "leaf")
	}
	sub := func() Expr { return genExpr(t, depth-1-rapid.IntRange(0, 1).Draw(t, "d")) }
	switch rapid.IntRange(0, 7).Draw(t, "kind") {
	case 0, 1, 2:
		op := rapid.SampledFrom([]string{"or", "and", "=", "<=>", "<", "|", "^", "&", "<<", "+", "-", "||", "*", "/", "%", "div"}).Draw(t, "op")
		return &Call{Fn: op, Args: []Expr{sub(), sub()}}
	case 3:
		fn := rapid.SampledFrom([]string{"not", "neg", "~", "isnull", "isnotnull", "istrue", "isunknown"}).Draw(t, "fn")
		arg := sub()
		return &Call{Fn: fn, Args: []Expr{arg}}
	case 4:
		fn := rapid.SampledFrom([]string{"in", "like", "rlike", "element", "coalesce", "upper"}).Draw(t, "fn")
		return &Call{Fn: fn, Args: []Expr{sub(), sub()}}
	case 5:
		return &Case{Whens: []When{{sub(), sub()}, {sub(), sub()}}, Else: sub()}
	case 6:
		return &Cast{Arg: sub(), To: mustType("map<string,decimal(3,1)>"), Try: rapid.Bool().Draw(t, "try")}
	}
	return &Field{Base: &Call{Fn: "f", Args: []Expr{sub()}}, Name: "x y", Index: -1}
}

func mustParse(s string) Expr {
	e, err := Parse(s)
	if err != nil {
		panic(err)
	}
	return e
}

func TestPrintedTreeParsesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := genExpr(t, 4)
		back, err := Parse(e.String())
		if err != nil {
			t.Fatalf("%s: %v", e, err)
		}
		if !reflect.DeepEqual(e, back) {
			t.Fatalf("%s read back as %s", e, back)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a + b * -5", "CASE a WHEN 1 THEN 2 END", "x -> x IN (1, NULL)", "INTERVAL -'1 2' DAY TO HOUR", "v:a['b']", "`a``b`.c[1]::int", "s LIKE '%a' ESCAPE '/'"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := Parse(s)
		if err != nil {
			return
		}
		text := e.String()
		back, err := Parse(text)
		if err != nil {
			t.Fatalf("%q printed as %q: %v", s, text, err)
		}
		if back.String() != text {
			t.Fatalf("%q printed as %q, then %q", s, text, back)
		}
	})
}

func mustType(s string) types.Type {
	t, err := types.ParseDataType(s)
	if err != nil {
		panic(err)
	}
	return t
}
