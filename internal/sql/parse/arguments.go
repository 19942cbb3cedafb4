package parse

import "github.com/sluicelake/sluice/expr"

// Use has the placeholders of the text stand for arguments.
func (s *Script) Use(a *expr.Arguments) { s.p.Use(a) }

// Unused is the first argument that the statements of a text have no placeholder
// for, "" when all are used. A text with mistakes uses all: it has other errors to tell.
func Unused(text string, a *expr.Arguments) string {
	s := NewScript(text)
	s.Use(a)
	for {
		_, _, more, err := s.Next()
		if err != nil {
			return ""
		}
		if !more {
			return a.Unused()
		}
	}
}

// asWritten takes an expression whose text is stored in the table: it has no
// placeholders.
func asWritten(p *expr.Parser) error {
	return p.Without(func() error {
		_, err := p.ParseExpr()
		return err
	})
}

// Placeholders reads a text for its syntax and counts the values that its
// placeholders want; -1 when some have names.
func Placeholders(text string) (int, error) {
	a := expr.AnyArguments()
	s := NewScript(text)
	s.Use(a)
	for {
		_, _, more, err := s.Next()
		if err != nil {
			return 0, err
		}
		if !more {
			return a.Wanted(), nil
		}
	}
}
