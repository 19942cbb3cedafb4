package source

import (
	"fmt"

	"github.com/sluicelake/sluice/types"
)

// shape is what the values at one place of JSON records have been so far. The
// rules are those of Spark's reader: integers are LONG, or DECIMAL if they are too
// large, with fractions DOUBLE; what is only null, or of several kinds, is STRING.
type shape struct {
	bools, ints, floats, strings bool
	digits                       int // of the longest integer that is no LONG
	array                        *shape
	names                        []string // in the order in which they were first seen
	fields                       map[string]*shape
}

// object reads an object at the lexer into s.
func (s *shape) object(l *lexer) error {
	if err := startsObject(l); err != nil {
		return err
	}
	return s.value(l)
}

func (s *shape) value(l *lexer) error {
	c, err := l.peek()
	if err != nil {
		return err
	}
	switch c {
	case '{':
		if s.fields == nil {
			s.fields = map[string]*shape{}
		}
		return l.object(func(key []byte) error { return s.fieldOf(key).value(l) })
	case '[':
		if s.array == nil {
			s.array = &shape{}
		}
		return l.array(func() error { return s.array.value(l) })
	case '"':
		s.strings = true
	case 't', 'f':
		s.bools = true
	case 'n':
	default:
		if c != '-' && c-'0' > 9 {
			s.floats = true
			break
		}
		text, isWhole, err := l.number()
		if err != nil {
			return err
		}
		if !isWhole {
			s.floats = true
		} else if _, ok := whole(text); ok {
			s.ints = true
		} else if text[0] == '-' {
			s.digits = max(s.digits, len(text)-1)
		} else {
			s.digits = max(s.digits, len(text))
		}
		return nil
	}
	return l.skip()
}

// fieldOf is field for a key, without an allocation when it is known.
func (s *shape) fieldOf(key []byte) *shape {
	if f, ok := s.fields[string(key)]; ok {
		return f
	}
	return s.field(string(key))
}

func (s *shape) field(name string) *shape {
	f := s.fields[name]
	if f == nil {
		f = &shape{}
		s.fields[name] = f
		s.names = append(s.names, name)
	}
	return f
}

// merge adds what o has seen.
func (s *shape) merge(o *shape) {
	s.bools, s.ints, s.floats, s.strings = s.bools || o.bools, s.ints || o.ints, s.floats || o.floats, s.strings || o.strings
	s.digits = max(s.digits, o.digits)
	if o.array != nil {
		if s.array == nil {
			s.array = &shape{}
		}
		s.array.merge(o.array)
	}
	if o.fields != nil && s.fields == nil {
		s.fields = map[string]*shape{}
	}
	for _, name := range o.names {
		s.field(name).merge(o.fields[name])
	}
}

// typ is the type that holds everything seen.
func (s *shape) typ() types.Type {
	numbers := s.ints || s.floats || s.digits > 0
	kinds := 0
	for _, seen := range []bool{s.bools, numbers, s.strings, s.array != nil, len(s.fields) > 0} {
		if seen {
			kinds++
		}
	}
	switch {
	case kinds != 1 || s.strings:
		return types.String
	case s.bools:
		return types.Boolean
	case s.array != nil:
		return &types.Array{Element: s.array.typ(), ContainsNull: true}
	case len(s.fields) > 0:
		return s.structure()
	case s.floats || s.digits > 38:
		return types.Double
	case s.digits > 0:
		return types.Decimal{Precision: max(20, s.digits)}
	}
	return types.Long
}

func (s *shape) structure() *types.Struct {
	out := &types.Struct{}
	for _, name := range s.names {
		out.Fields = append(out.Fields, types.Field{Name: name, Type: s.fields[name].typ(), Nullable: true})
	}
	return out
}

// schema is the structure of the records.
func (s *shape) schema(o Options) (*types.Struct, error) {
	out := s.structure()
	if len(out.Fields) == 0 && o.Mode == Fail {
		return nil, fmt.Errorf("no record has a field, so no schema can be inferred; declare one")
	}
	for i, f := range out.Fields {
		if j := out.Index(f.Name); j != i {
			return nil, fmt.Errorf("the records have the fields %q and %q, which differ only in case; declare a schema", out.Fields[j].Name, f.Name)
		}
		for _, g := range out.Fields[:i] {
			if types.NewStruct(g).Index(f.Name) == 0 {
				return nil, fmt.Errorf("the records have the fields %q and %q, which differ only in case; declare a schema", g.Name, f.Name)
			}
		}
	}
	return out, nil
}
