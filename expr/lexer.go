package expr

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind is the kind of a Token.
type Kind uint8

// The kinds of tokens. A Number keeps its suffix in Text.
const (
	EOF Kind = iota
	Word
	QuotedWord // in backticks
	Text       // a string literal; Value is decoded
	Hex        // X'..'; Value is the digits
	Number
	Symbol
	Bad // a character or literal that is no token; Value says why
)

// Token is a piece of SQL text with its place.
type Token struct {
	Kind     Kind
	Text     string // as written
	Value    string // decoded: a word without backticks, a string without quotes
	Pos, End int    // byte offsets
}

// Is reports whether the token is that keyword (upper case) or symbol.
func (t Token) Is(s string) bool {
	switch t.Kind {
	case Word:
		return len(t.Text) == len(s) && strings.EqualFold(t.Text, s)
	case Symbol:
		return t.Text == s
	}
	return false
}

var symbols = []string{"<=>", ">>>", "<>", "!=", "<=", ">=", "==", "||", "<<", ">>", "->", "=>", "::"}

// nextToken scans the token that starts at or after pos.
func nextToken(src string, pos int) Token {
	pos, ok := skipBlank(src, pos)
	if !ok {
		return Token{Kind: Bad, Pos: pos, End: len(src), Text: src[pos:], Value: "a comment is not closed"}
	}
	if pos >= len(src) {
		return Token{Kind: EOF, Pos: len(src), End: len(src)}
	}
	c := src[pos]
	switch {
	case c == '\'' || c == '"':
		return textToken(src, pos, pos, false)
	case (c == 'r' || c == 'R') && pos+1 < len(src) && (src[pos+1] == '\'' || src[pos+1] == '"'):
		return textToken(src, pos, pos+1, true)
	case (c == 'x' || c == 'X') && pos+1 < len(src) && (src[pos+1] == '\'' || src[pos+1] == '"'):
		t := textToken(src, pos, pos+1, true)
		if t.Kind == Text {
			t.Kind = Hex
		}
		return t
	case c == '`':
		return quotedWord(src, pos)
	case digit(c) || (c == '.' && pos+1 < len(src) && digit(src[pos+1])):
		return numberToken(src, pos)
	}
	if r, _ := utf8.DecodeRuneInString(src[pos:]); r == '_' || unicode.IsLetter(r) {
		end := wordEnd(src, pos)
		return Token{Kind: Word, Text: src[pos:end], Value: src[pos:end], Pos: pos, End: end}
	}
	for _, s := range symbols {
		if strings.HasPrefix(src[pos:], s) {
			return Token{Kind: Symbol, Text: s, Value: s, Pos: pos, End: pos + len(s)}
		}
	}
	if c == '$' && pos+1 < len(src) && digit(src[pos+1]) { // the placeholder $1
		end := pos + 2
		for end < len(src) && digit(src[end]) {
			end++
		}
		return Token{Kind: Symbol, Text: src[pos:end], Value: src[pos:end], Pos: pos, End: end}
	}
	if strings.IndexByte("+-*/%&|^~<>=!(),.[]:;?@{}", c) >= 0 {
		return Token{Kind: Symbol, Text: src[pos : pos+1], Value: src[pos : pos+1], Pos: pos, End: pos + 1}
	}
	_, n := utf8.DecodeRuneInString(src[pos:])
	return Token{Kind: Bad, Text: src[pos : pos+n], Pos: pos, End: pos + n, Value: "an unexpected character"}
}

// skipBlank passes blanks and comments; false when a comment is not closed.
func skipBlank(src string, pos int) (int, bool) {
	for pos < len(src) {
		switch c := src[pos]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v':
			pos++
		case strings.HasPrefix(src[pos:], "--"):
			if i := strings.IndexByte(src[pos:], '\n'); i >= 0 {
				pos += i
			} else {
				pos = len(src)
			}
		case strings.HasPrefix(src[pos:], "/*"):
			i := strings.Index(src[pos+2:], "*/")
			if i < 0 {
				return pos, false
			}
			pos += i + 4
		case strings.HasPrefix(src[pos:], "\u00a0"), strings.HasPrefix(src[pos:], "\ufeff"):
			_, n := utf8.DecodeRuneInString(src[pos:])
			pos += n
		default:
			return pos, true
		}
	}
	return pos, true
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func wordEnd(src string, pos int) int {
	for pos < len(src) {
		r, n := utf8.DecodeRuneInString(src[pos:])
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) {
			break
		}
		pos += n
	}
	return pos
}

func quotedWord(src string, pos int) Token {
	var b strings.Builder
	for i := pos + 1; i < len(src); i++ {
		if src[i] == '`' {
			if i+1 >= len(src) || src[i+1] != '`' {
				if b.Len() == 0 {
					return Token{Kind: Bad, Text: src[pos : i+1], Pos: pos, End: i + 1, Value: "an empty identifier"}
				}
				return Token{Kind: QuotedWord, Text: src[pos : i+1], Value: b.String(), Pos: pos, End: i + 1}
			}
			i++
		}
		b.WriteByte(src[i])
	}
	return Token{Kind: Bad, Text: src[pos:], Pos: pos, End: len(src), Value: "an identifier in backticks is not closed"}
}

// numberToken takes digits, a fraction, an exponent and a type suffix (L S Y D F BD).
func numberToken(src string, pos int) Token {
	i := pos
	for i < len(src) && digit(src[i]) {
		i++
	}
	if i < len(src) && src[i] == '.' {
		for i++; i < len(src) && digit(src[i]); i++ {
		}
	}
	if i < len(src) && (src[i] == 'e' || src[i] == 'E') {
		j := i + 1
		if j < len(src) && (src[j] == '+' || src[j] == '-') {
			j++
		}
		if j < len(src) && digit(src[j]) {
			for i = j; i < len(src) && digit(src[i]); i++ {
			}
		}
	}
	end := wordEnd(src, i)
	switch suffix := strings.ToUpper(src[i:end]); suffix {
	case "", "L", "S", "Y", "D", "F", "BD":
		return Token{Kind: Number, Text: src[pos:end], Value: src[pos:i], Pos: pos, End: end}
	}
	if start := wordEnd(src, pos); start == end {
		return Token{Kind: Word, Text: src[pos:end], Value: src[pos:end], Pos: pos, End: end} // 1a is an identifier
	}
	return Token{Kind: Number, Text: src[pos:i], Value: src[pos:i], Pos: pos, End: i}
}
