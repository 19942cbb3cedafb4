package types

import (
	"fmt"
	"strings"
)

// KeyCharVarchar is the metadata key that keeps the declared CHAR(n) or VARCHAR(n) of
// a string column, as Spark does: "varchar(5)", "char(3)".
const KeyCharVarchar = "__CHAR_VARCHAR_TYPE_STRING"

// ParseDDL reads a list of columns, for example
//
//	user_id STRING NOT NULL, n INT COMMENT 'x', s STRUCT<a: INT, b: ARRAY<STRING>>
//
// A comment is kept in the field's metadata under "comment", as Spark does.
func ParseDDL(ddl string) (*Struct, error) {
	p := &ddlParser{src: ddl}
	s := &Struct{}
	if p.skip(); p.done() {
		return s, nil
	}
	for {
		f, err := p.column()
		if err != nil {
			return nil, err
		}
		s.Fields = append(s.Fields, f)
		if !p.take(',') {
			break
		}
	}
	if p.skip(); !p.done() {
		return nil, p.fail("unexpected %s after a column", p.near())
	}
	if err := uniqueNames(s); err != nil {
		return nil, fmt.Errorf("columns %s: %w", clip([]byte(ddl)), err)
	}
	return s, nil
}

// ParseDataType reads one type in SQL spelling, for example "array<decimal(10,2)>".
func ParseDataType(text string) (Type, error) {
	p := &ddlParser{src: text}
	t, _, err := p.dataType(0)
	if err != nil {
		return nil, err
	}
	if p.skip(); !p.done() {
		return nil, p.fail("unexpected %s after the type", p.near())
	}
	return t, nil
}

// ParseTypePrefix reads a type at the start of text and returns how many bytes
// it took, for parsers of larger languages.
func ParseTypePrefix(text string) (Type, int, error) {
	p := &ddlParser{src: text}
	t, _, err := p.dataType(0)
	return t, p.pos, err
}

// ParseColumnPrefix reads one column definition at the start of text and returns
// how many bytes it took, for parsers of larger languages.
func ParseColumnPrefix(text string) (Field, int, error) {
	p := &ddlParser{src: text}
	f, err := p.column()
	return f, p.pos, err
}

func uniqueNames(s *Struct) error {
	seen := make(map[string]bool, len(s.Fields))
	for _, f := range s.Fields {
		low := strings.ToLower(f.Name)
		if seen[low] {
			return fmt.Errorf("the name %s is used twice (names must differ by more than case)", QuoteIdentifier(f.Name))
		}
		seen[low] = true
	}
	return nil
}

// column reads: name [:] type [NOT NULL | NULL | COMMENT 'text' | DEFAULT expr | GENERATED ...]*
func (p *ddlParser) column() (Field, error) {
	name, err := p.name()
	if err != nil {
		return Field{}, err
	}
	p.take(':')
	t, declared, err := p.dataType(0)
	if err != nil {
		return Field{}, err
	}
	f := Field{Name: name, Type: t, Nullable: true}
	if declared != "" {
		f.Metadata = f.Metadata.With(KeyCharVarchar, declared)
	}
	return f, p.options(&f, true)
}

func (p *ddlParser) options(f *Field, top bool) error {
	for {
		mark := p.pos
		switch word := p.word(); {
		case word == "not":
			if p.word() != "null" {
				return p.fail("want NULL after NOT, found %s", p.near())
			}
			f.Nullable = false
		case word == "null":
			f.Nullable = true
		case word == "comment":
			text, err := p.text()
			if err != nil {
				return err
			}
			f.Metadata = f.Metadata.With("comment", text)
		case word == "default" && top:
			text := p.exprText()
			if text == "" {
				return p.fail("want an expression after DEFAULT")
			}
			f.Metadata = f.Metadata.With("CURRENT_DEFAULT", text)
		case word == "generated" && top:
			if err := p.generated(f); err != nil {
				return err
			}
		default:
			p.pos = mark
			return nil
		}
	}
}

// dataType also returns the declared spelling of CHAR(n) and VARCHAR(n), which are strings.
func (p *ddlParser) dataType(depth int) (Type, string, error) {
	if depth > maxDepth {
		return nil, "", p.fail("a type nested deeper than %d levels", maxDepth)
	}
	p.skip()
	start := p.pos
	word := p.word()
	if t, ok := sqlPrimitives[word]; ok {
		return t, "", nil
	}
	switch word {
	case "decimal", "dec", "numeric":
		t, err := p.decimal(start)
		return t, "", err
	case "char", "character", "varchar":
		if word == "character" {
			word = "char"
		}
		args, err := p.numbers(1)
		if err != nil || len(args) != 1 || args[0] < 1 {
			p.pos = start
			return nil, "", p.fail("%s needs a length, as in %s(10)", strings.ToUpper(word), strings.ToUpper(word))
		}
		return String, fmt.Sprintf("%s(%d)", word, args[0]), nil
	case "time":
		args, err := p.numbers(1)
		if err != nil || (len(args) == 1 && args[0] > 6) {
			p.pos = start
			return nil, "", p.fail("TIME takes 0 to 6 fractional digits")
		}
		if len(args) == 1 {
			return Time{args[0]}, "", nil
		}
		return Time{6}, "", nil
	case "interval":
		t, err := p.interval()
		return t, "", err
	case "array":
		t, err := p.array(depth)
		return t, "", err
	case "map":
		t, err := p.mapType(depth)
		return t, "", err
	case "struct":
		t, err := p.structType(depth)
		return t, "", err
	}
	p.pos = start
	if word == "" {
		return nil, "", p.fail("want a data type, found %s", p.near())
	}
	return nil, "", p.fail("unknown data type %q", word)
}

var sqlPrimitives = map[string]Type{
	"boolean": Boolean, "tinyint": Byte, "byte": Byte, "smallint": Short, "short": Short,
	"int": Integer, "integer": Integer, "bigint": Long, "long": Long, "float": Float, "real": Float,
	"double": Double, "date": Date, "timestamp": Timestamp, "timestamp_ltz": Timestamp,
	"timestamp_ntz": TimestampNTZ, "string": String, "text": String, "binary": Binary,
	"variant": Variant, "void": Void,
}

func (p *ddlParser) decimal(start int) (Type, error) {
	args, err := p.numbers(2)
	if err != nil {
		return nil, err
	}
	d := Decimal{10, 0}
	if len(args) > 0 {
		d.Precision = args[0]
	}
	if len(args) > 1 {
		d.Scale = args[1]
	}
	if d.Precision < 1 || d.Precision > 38 || d.Scale > d.Precision {
		p.pos = start
		return nil, p.fail("%s is not possible: the precision is 1 to 38 and the scale at most the precision", d)
	}
	return d, nil
}

func (p *ddlParser) array(depth int) (Type, error) {
	if !p.take('<') {
		return nil, p.fail("want < after ARRAY, found %s", p.near())
	}
	el, _, err := p.dataType(depth + 1)
	if err != nil {
		return nil, err
	}
	return &Array{Element: el, ContainsNull: true}, p.closing("ARRAY")
}

func (p *ddlParser) mapType(depth int) (Type, error) {
	if !p.take('<') {
		return nil, p.fail("want < after MAP, found %s", p.near())
	}
	k, _, err := p.dataType(depth + 1)
	if err != nil {
		return nil, err
	}
	if !p.take(',') {
		return nil, p.fail("want , between the key and value types of MAP, found %s", p.near())
	}
	v, _, err := p.dataType(depth + 1)
	if err != nil {
		return nil, err
	}
	return &Map{Key: k, Value: v, ValueContainsNull: true}, p.closing("MAP")
}

func (p *ddlParser) structType(depth int) (Type, error) {
	s := &Struct{}
	if !p.take('<') {
		return nil, p.fail("want < after STRUCT, found %s", p.near())
	}
	if p.take('>') {
		return s, nil
	}
	for {
		name, err := p.name()
		if err != nil {
			return nil, err
		}
		p.take(':')
		t, declared, err := p.dataType(depth + 1)
		if err != nil {
			return nil, err
		}
		f := Field{Name: name, Type: t, Nullable: true}
		if declared != "" {
			f.Metadata = f.Metadata.With(KeyCharVarchar, declared)
		}
		if err := p.options(&f, false); err != nil {
			return nil, err
		}
		s.Fields = append(s.Fields, f)
		if !p.take(',') {
			break
		}
	}
	return s, p.closing("STRUCT")
}

func (p *ddlParser) interval() (Type, error) {
	unit := func() (Unit, bool) {
		mark := p.pos
		w := strings.TrimSuffix(p.word(), "s")
		for u, n := range unitNames {
			if n == w {
				return Unit(u), true
			}
		}
		p.pos = mark
		return 0, false
	}
	from, ok := unit()
	if !ok {
		return CalendarInterval, nil
	}
	to, mark := from, p.pos
	if p.word() == "to" {
		if to, ok = unit(); !ok {
			return nil, p.fail("want a unit after TO, found %s", p.near())
		}
	} else {
		p.pos = mark
	}
	if to < from || (from <= Month) != (to <= Month) {
		return nil, p.fail("an interval cannot go from %s to %s", from, to)
	}
	return Interval{from, to}, nil
}
