package parse

import (
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/sql/query"
)

// Script reads statements that are separated by semicolons, one by one, so that
// those before an error can be run.
type Script struct{ p *expr.Parser }

// NewScript starts at the beginning of a text.
func NewScript(text string) *Script { return &Script{expr.NewParser(text)} }

// Next reads a statement; text is the statement as written. more is false at the
// end. After an error the script goes on behind the next semicolon.
func (s *Script) Next() (st Statement, text string, more bool, err error) {
	for s.p.Accept(";") {
	}
	start := s.p.Peek().Pos
	if s.p.Peek().Kind == expr.EOF {
		return nil, "", false, nil
	}
	st, err = statement(s.p)
	if t := s.p.Peek(); err == nil && t.Kind != expr.EOF && !t.Is(";") {
		err = s.p.Errorf(t, "unexpected text behind the end of the statement")
	}
	for !s.p.Peek().Is(";") && s.p.Peek().Kind != expr.EOF && s.p.Peek().Kind != expr.Bad {
		s.p.Next()
	}
	text = strings.TrimSpace(s.p.Source(start, max(start, s.p.LastEnd())))
	if s.p.Peek().Kind == expr.Bad { // nothing behind it can be told apart
		end := s.p.Peek().End
		text = strings.TrimSpace(s.p.Source(start, end))
		s.p.Seek(end)
		for s.p.Peek().Kind != expr.EOF {
			s.p.Seek(s.p.Peek().End)
		}
	}
	return st, text, true, err
}

// One reads a text that is one statement.
func One(text string) (Statement, error) {
	s := NewScript(text)
	st, _, more, err := s.Next()
	if err != nil {
		return nil, err
	}
	if !more {
		return nil, s.p.Errorf(s.p.Peek(), "there is no statement")
	}
	for s.p.Accept(";") {
	}
	return st, end(s.p)
}

// unbuilt are the first words of statements that are not carried out.
var unbuilt = [][]string{
	{"GRANT"}, {"REVOKE"}, {"CALL"}, {"SHOW", "FUNCTIONS"},
	{"CREATE", "DATABASE"}, {"CREATE", "SCHEMA"}, {"DROP", "DATABASE"}, {"DROP", "SCHEMA"}, {"CREATE", "FUNCTION"}, {"DECLARE"}, {"EXECUTE"}, {"BEGIN"}}

// statement reads from the first word on.
func statement(p *expr.Parser) (Statement, error) {
	for _, words := range unbuilt {
		if p.Accept(words...) {
			for !p.Peek().Is(";") && p.Peek().Kind != expr.EOF && p.Peek().Kind != expr.Bad {
				p.Next()
			}
			return &Unbuilt{What: strings.Join(words, " ")}, nil
		}
	}
	if st, ok, err := cataloguing(p); ok || err != nil {
		return st, err
	}
	t := p.Peek()
	switch {
	case p.Accept("EXPLAIN"):
		return explaining(p)
	case query.Starts(p):
		q, err := query.Parse(p)
		return &Select{q}, err
	case p.Accept("CONVERT", "TO", "DELTA"):
		return converting(p)
	case p.Accept("GENERATE"):
		return generating(p)
	case p.Accept("RESTORE"):
		return restoring(p)
	case p.Accept("OPTIMIZE"):
		return optimizing(p)
	case p.Accept("REORG"):
		return reorganising(p)
	case p.Accept("INSERT"):
		return insertInto(p)
	case t.Is("MERGE"):
		return merging(p)
	case p.Accept("UPDATE"):
		return change(p, "SET")
	case p.Accept("DELETE", "FROM"):
		return change(p, "WHERE")
	case p.Accept("TRUNCATE", "TABLE"):
		target, err := p.ParseQualifiedName()
		c := &Change{Target: Relation{Parts: target}}
		c.Spec.Delete = true
		return c, err
	case t.Is("CREATE"), t.Is("REPLACE"):
		return creating(p)
	case p.Accept("DROP"):
		return dropping(p)
	case p.Accept("ALTER", "TABLE"):
		return altering(p)
	case p.Accept("VACUUM"):
		return vacuuming(p)
	case p.Accept("FSCK"):
		return checking(p)
	case p.Accept("COMMENT", "ON"):
		return commenting(p)
	case p.Accept("DESCRIBE"), p.Accept("DESC"):
		return describing(p)
	case p.Accept("SHOW"):
		return showing(p)
	case p.Accept("SET"):
		return setting(p)
	case p.Accept("RESET"):
		key, err := settingName(p)
		return &Set{Key: key, Reset: true}, err
	}
	return nil, p.Errorf(t, "no statement begins like this: want SELECT, INSERT, UPDATE, DELETE, MERGE, CREATE, ALTER, DROP, DESCRIBE, SHOW or SET")
}
