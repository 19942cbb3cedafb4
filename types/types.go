package types

import (
	"fmt"
	"strings"
)

// Kind tells the types apart without a type switch.
type Kind uint8

// The kinds of Delta's types. Void is the type of NULL and of columns that
// never held a value. Intervals and times of day exist in expressions only: no
// table column can have them.
const (
	KindInvalid Kind = iota
	KindBoolean
	KindByte
	KindShort
	KindInteger
	KindLong
	KindFloat
	KindDouble
	KindDecimal
	KindString
	KindBinary
	KindDate
	KindTimestamp
	KindTimestampNTZ
	KindVariant
	KindVoid
	KindDayTimeInterval
	KindYearMonthInterval
	KindTime
	KindCalendarInterval
	KindStruct
	KindArray
	KindMap
)

// Type is a Delta data type. String gives the SQL spelling in lower case, for
// example "decimal(10,2)" or "array<int>".
type Type interface {
	Kind() Kind
	String() string
}

// Primitive is a type without parameters.
type Primitive Kind

// The types without parameters.
const (
	Boolean      = Primitive(KindBoolean)
	Byte         = Primitive(KindByte)
	Short        = Primitive(KindShort)
	Integer      = Primitive(KindInteger)
	Long         = Primitive(KindLong)
	Float        = Primitive(KindFloat)
	Double       = Primitive(KindDouble)
	String       = Primitive(KindString)
	Binary       = Primitive(KindBinary)
	Date         = Primitive(KindDate)
	Timestamp    = Primitive(KindTimestamp)
	TimestampNTZ = Primitive(KindTimestampNTZ)
	Variant      = Primitive(KindVariant)
	Void         = Primitive(KindVoid)

	// CalendarInterval is a number of months, of days and of microseconds, each
	// for itself. It occurs in expressions only.
	CalendarInterval = Primitive(KindCalendarInterval)
)

// primitive spellings: the name in schema JSON and the name in SQL.
var primitiveNames = map[Primitive][2]string{
	Boolean: {"boolean", "boolean"}, Byte: {"byte", "tinyint"}, Short: {"short", "smallint"},
	Integer: {"integer", "int"}, Long: {"long", "bigint"}, Float: {"float", "float"},
	Double: {"double", "double"}, String: {"string", "string"}, Binary: {"binary", "binary"},
	Date: {"date", "date"}, Timestamp: {"timestamp", "timestamp"},
	TimestampNTZ: {"timestamp_ntz", "timestamp_ntz"}, Variant: {"variant", "variant"}, Void: {"void", "void"},
	CalendarInterval: {"", "interval"},
}

// Kind returns the kind itself.
func (p Primitive) Kind() Kind { return Kind(p) }

func (p Primitive) String() string {
	if n, ok := primitiveNames[p]; ok {
		return n[1]
	}
	return fmt.Sprintf("invalid(%d)", uint8(p))
}

// Decimal is an exact number with Precision digits (1..38), Scale of them after the point.
type Decimal struct{ Precision, Scale int }

// Kind returns KindDecimal.
func (Decimal) Kind() Kind { return KindDecimal }

func (d Decimal) String() string { return fmt.Sprintf("decimal(%d,%d)", d.Precision, d.Scale) }

// Array is a sequence of elements of one type.
type Array struct {
	Element      Type
	ContainsNull bool
}

// Kind returns KindArray.
func (*Array) Kind() Kind { return KindArray }

func (a *Array) String() string { return "array<" + a.Element.String() + ">" }

// Map associates keys (never null) with values.
type Map struct {
	Key, Value        Type
	ValueContainsNull bool
}

// Kind returns KindMap.
func (*Map) Kind() Kind { return KindMap }

func (m *Map) String() string { return "map<" + m.Key.String() + "," + m.Value.String() + ">" }

// Struct is an ordered list of named fields; the schema of a table is one.
type Struct struct{ Fields []Field }

// Field is one member of a Struct.
type Field struct {
	Name     string
	Type     Type
	Nullable bool
	Metadata Metadata
}

// NewStruct builds a struct from its fields.
func NewStruct(fields ...Field) *Struct { return &Struct{Fields: fields} }

// Kind returns KindStruct.
func (*Struct) Kind() Kind { return KindStruct }

func (s *Struct) String() string {
	var b strings.Builder
	b.WriteString("struct<")
	for i, f := range s.Fields {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(QuoteIdentifier(f.Name))
		b.WriteByte(':')
		b.WriteString(f.Type.String())
		if !f.Nullable {
			b.WriteString(" not null")
		}
	}
	b.WriteByte('>')
	return b.String()
}

// Index returns the position of the field with that name, compared without
// regard to case as Delta does, or -1. An exact match wins.
func (s *Struct) Index(name string) int {
	found := -1
	for i := range s.Fields {
		if s.Fields[i].Name == name {
			return i
		}
		if found < 0 && strings.EqualFold(s.Fields[i].Name, name) {
			found = i
		}
	}
	return found
}

// Field returns the field with that name (see Index).
func (s *Struct) Field(name string) (Field, bool) {
	if i := s.Index(name); i >= 0 {
		return s.Fields[i], true
	}
	return Field{}, false
}

// Names lists the field names in order.
func (s *Struct) Names() []string {
	out := make([]string, len(s.Fields))
	for i := range s.Fields {
		out[i] = s.Fields[i].Name
	}
	return out
}

// Equal reports whether two types are the same, nullability and field names
// (exact case) included; field metadata is not compared.
func Equal(a, b Type) bool { return same(a, b, true) }

// SameIgnoringNullability is Equal without regard to nullability at any depth.
func SameIgnoringNullability(a, b Type) bool { return same(a, b, false) }

func same(a, b Type, nulls bool) bool {
	if a == nil || b == nil {
		return a == b
	}
	switch x := a.(type) {
	case Primitive:
		return a == b
	case Decimal:
		return a == b
	case *Array:
		y, ok := b.(*Array)
		return ok && (!nulls || x.ContainsNull == y.ContainsNull) && same(x.Element, y.Element, nulls)
	case *Map:
		y, ok := b.(*Map)
		return ok && (!nulls || x.ValueContainsNull == y.ValueContainsNull) &&
			same(x.Key, y.Key, nulls) && same(x.Value, y.Value, nulls)
	case *Struct:
		y, ok := b.(*Struct)
		if !ok || len(x.Fields) != len(y.Fields) {
			return false
		}
		for i := range x.Fields {
			f, g := x.Fields[i], y.Fields[i]
			if f.Name != g.Name || (nulls && f.Nullable != g.Nullable) || !same(f.Type, g.Type, nulls) {
				return false
			}
		}
		return true
	}
	return false
}

// IsNumeric reports whether values of the type are numbers.
func IsNumeric(t Type) bool { k := t.Kind(); return k >= KindByte && k <= KindDecimal }

// IsIntegral reports whether the type is byte, short, integer or long.
func IsIntegral(t Type) bool { k := t.Kind(); return k >= KindByte && k <= KindLong }

// IsNested reports whether the type is a struct, array or map.
func IsNested(t Type) bool { return t.Kind() >= KindStruct }

// QuoteIdentifier spells a name for SQL: bare when it is a plain identifier,
// otherwise in backticks with inner backticks doubled.
func QuoteIdentifier(name string) string {
	plain := name != ""
	for i, r := range name {
		if r == '_' || (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z') || (i > 0 && r >= '0' && r <= '9') {
			continue
		}
		plain = false
		break
	}
	if plain {
		return name
	}
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}
