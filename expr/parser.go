package expr

import (
	"fmt"
	"strings"

	"github.com/sluicelake/sluice/types"
)

// maxDepth bounds the nesting of an expression: text may be hostile, stacks are not endless.
const maxDepth = 400

// Parse reads one expression that takes the whole text.
func Parse(sql string) (Expr, error) {
	p := NewParser(sql)
	e, err := p.ParseExpr()
	if err != nil {
		return nil, err
	}
	if t := p.Peek(); t.Kind != EOF {
		return nil, p.Errorf(t, "unexpected %s after the expression", t.describe())
	}
	return e, nil
}

// ParseDataType reads a data type in SQL spelling.
func ParseDataType(text string) (types.Type, error) { return types.ParseDataType(text) }

// Parser reads SQL text token by token. Parsers of statements drive it: they take
// keywords with Accept and Expect and ask for an expression, which ends before
// the first token that cannot continue it (THEN, SET, WHEN, a comma, ...).
type Parser struct {
	// Queries takes a query that stands as an operand, up to its closing parenthesis;
	// the result is kept in Subquery.Query. Without it the text is passed over.
	Queries func(*Parser) (any, error)

	args  *Arguments
	src   string
	tok   Token
	next  Token // valid when ahead
	ahead bool
	last  int // end of the last token taken
	depth int
}

// NewParser starts at the beginning of a text.
func NewParser(sql string) *Parser {
	return &Parser{src: sql, tok: nextToken(sql, 0)}
}

// Peek is the token that comes next.
func (p *Parser) Peek() Token { return p.tok }

// PeekSecond is the token after that.
func (p *Parser) PeekSecond() Token {
	if !p.ahead {
		p.next, p.ahead = nextToken(p.src, p.tok.End), true
	}
	return p.next
}

// Next takes a token.
func (p *Parser) Next() Token {
	t := p.tok
	p.last = t.End
	if p.ahead {
		p.tok, p.ahead = p.next, false
	} else {
		p.tok = nextToken(p.src, t.End)
	}
	return t
}

// Seek continues at a byte offset, for example at a Token's Pos to read it again.
func (p *Parser) Seek(offset int) {
	p.tok, p.ahead, p.last = nextToken(p.src, offset), false, offset
}

// LastEnd is the offset where the last token that was taken ended.
func (p *Parser) LastEnd() int { return p.last }

// Source is the text between two offsets.
func (p *Parser) Source(from, to int) string { return p.src[from:to] }

// Accept takes a sequence of keywords (upper case) or symbols if all of them come next.
func (p *Parser) Accept(words ...string) bool {
	mark := *p
	for _, w := range words {
		if !p.tok.Is(w) {
			*p = mark
			return false
		}
		p.Next()
	}
	return true
}

// Expect is Accept that fails when the words do not come next.
func (p *Parser) Expect(words ...string) error {
	for _, w := range words {
		if !p.tok.Is(w) {
			if strings.ContainsAny(w, "(),=.") {
				w = "'" + w + "'"
			}
			return p.Errorf(p.tok, "want %s, found %s", w, p.tok.describe())
		}
		p.Next()
	}
	return nil
}

// Errorf is a syntax error at a token.
func (p *Parser) Errorf(at Token, format string, args ...any) error {
	return p.fail(at, "PARSE_SYNTAX_ERROR", "42601", fmt.Sprintf(format, args...))
}

func (p *Parser) fail(at Token, class, state, msg string) error {
	if at.Kind == Bad && at.Value != "" && class == "PARSE_SYNTAX_ERROR" {
		msg = at.Value
	}
	return newParseError(p.src, at.Pos, at.Text, class, state, msg)
}

func (t Token) describe() string {
	if t.Kind == EOF {
		return "the end of the text"
	}
	if len(t.Text) > 40 {
		return "'" + t.Text[:40] + "...'"
	}
	return "'" + t.Text + "'"
}

// ParseIdentifier takes a bare or quoted name.
func (p *Parser) ParseIdentifier() (string, error) {
	if p.tok.Kind != Word && p.tok.Kind != QuotedWord {
		return "", p.Errorf(p.tok, "want a name, found %s", p.tok.describe())
	}
	return p.Next().Value, nil
}

// ParseQualifiedName takes a.b.c.
func (p *Parser) ParseQualifiedName() ([]string, error) {
	name, err := p.ParseIdentifier()
	if err != nil {
		return nil, err
	}
	parts := []string{name}
	for p.tok.Is(".") {
		p.Next()
		if name, err = p.ParseIdentifier(); err != nil {
			return nil, err
		}
		parts = append(parts, name)
	}
	return parts, nil
}

// ParseDataType takes a type.
func (p *Parser) ParseDataType() (types.Type, error) {
	t, n, err := types.ParseTypePrefix(p.src[p.tok.Pos:])
	if err != nil {
		msg := err.Error()
		if de, ok := err.(*types.DDLError); ok {
			p.tok.Pos += de.Offset
			msg = de.Msg
		}
		return nil, p.fail(p.tok, "UNSUPPORTED_DATATYPE", "0A000", msg)
	}
	p.Seek(p.tok.Pos + n)
	return t, nil
}

// ParseColumn takes a column definition as in CREATE TABLE.
func (p *Parser) ParseColumn() (types.Field, error) {
	f, n, err := types.ParseColumnPrefix(p.src[p.tok.Pos:])
	if err != nil {
		msg := err.Error()
		if de, ok := err.(*types.DDLError); ok {
			p.tok.Pos += de.Offset
			msg = de.Msg
		}
		return f, p.Errorf(p.tok, "%s", msg)
	}
	p.Seek(p.tok.Pos + n)
	return f, nil
}

// ParseExpr takes an expression.
func (p *Parser) ParseExpr() (Expr, error) { return p.expr(precOr) }

// enter guards recursion.
func (p *Parser) enter() error {
	if p.depth++; p.depth > maxDepth {
		return p.Errorf(p.tok, "the expression is nested deeper than %d levels", maxDepth)
	}
	return nil
}

func (p *Parser) leave() { p.depth-- }

func (p *Parser) list(closing string) ([]Expr, error) {
	var out []Expr
	for {
		e, err := p.argument()
		if err != nil {
			return nil, err
		}
		out = append(out, e)
		if p.Accept(",") {
			continue
		}
		return out, p.Expect(closing)
	}
}

// isQuery reports whether a query starts at the token.
func isQuery(t Token) bool {
	return t.Is("SELECT") || t.Is("WITH") || t.Is("FROM") || t.Is("VALUES")
}

// subquery takes the text of a query up to its closing parenthesis.
func (p *Parser) subquery(exists bool) (Expr, error) {
	start, depth := p.tok.Pos, 0
	if p.Queries != nil {
		if err := p.enter(); err != nil {
			return nil, err
		}
		defer p.leave()
		q, err := p.Queries(p)
		if err != nil {
			return nil, err
		}
		text := strings.TrimSpace(p.src[start:p.tok.Pos])
		return &Subquery{Exists: exists, Text: text, Query: q}, p.Expect(")")
	}
	for {
		switch {
		case p.tok.Kind == EOF || p.tok.Kind == Bad:
			return nil, p.Errorf(p.tok, "a subquery is not closed")
		case p.tok.Is("("):
			depth++
		case p.tok.Is(")"):
			if depth--; depth < 0 {
				text := strings.TrimSpace(p.src[start:p.tok.Pos])
				p.Next()
				return &Subquery{Exists: exists, Text: text}, nil
			}
		}
		p.Next()
	}
}
