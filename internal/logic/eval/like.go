package eval

import (
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
)

func init() {
	register(map[string]func(*call) (arrow.Array, error){"like": like, "ilike": like})
}

// pattern is a compiled LIKE pattern: pieces of text, with _ (any character) and % (any text).
type pattern struct {
	pieces []piece
	fold   bool
	// One of these forms needs no search.
	exact, prefix, suffix, inner bool
}

type piece struct {
	text string
	kind byte // 't' text, '_' any character, '%' any text
}

// compileLike reads a pattern; the escape makes %, _ and itself plain.
func compileLike(s string, escape rune, fold bool) (*pattern, error) {
	if fold {
		s, escape = strings.ToLower(s), []rune(strings.ToLower(string(escape)))[0]
	}
	p := &pattern{fold: fold}
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			p.pieces = append(p.pieces, piece{text.String(), 't'})
			text.Reset()
		}
	}
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == escape && n > 0 && (r != utf8.RuneError || n > 1):
			if i+n >= len(s) {
				return nil, failf("INVALID_FORMAT.ESC_AT_THE_END", "the pattern %q ends with its escape character", s)
			}
			next, m := utf8.DecodeRuneInString(s[i+n:])
			if next != '%' && next != '_' && next != escape {
				return nil, failf("INVALID_FORMAT.ESC_IN_THE_MIDDLE", "the pattern %q escapes the ordinary character %q", s, next)
			}
			text.WriteString(s[i+n : i+n+m])
			i += n + m
			continue
		case r == '%':
			flush()
			if len(p.pieces) == 0 || p.pieces[len(p.pieces)-1].kind != '%' {
				p.pieces = append(p.pieces, piece{kind: '%'})
			}
		case r == '_':
			flush()
			p.pieces = append(p.pieces, piece{kind: '_'})
		default:
			text.WriteString(s[i : i+n])
		}
		i += n
	}
	flush()
	p.classify()
	return p, nil
}

func (p *pattern) classify() {
	kinds := ""
	for _, x := range p.pieces {
		kinds += string(x.kind)
	}
	switch kinds {
	case "":
		p.pieces, p.exact = []piece{{"", 't'}}, true
	case "t":
		p.exact = true
	case "t%":
		p.prefix = true
	case "%t":
		p.suffix, p.pieces = true, p.pieces[1:]
	case "%t%":
		p.inner, p.pieces = true, p.pieces[1:]
	}
}

func (p *pattern) match(s string) bool {
	if p.fold {
		s = strings.ToLower(s)
	}
	switch {
	case p.exact:
		return s == p.pieces[0].text
	case p.prefix:
		return strings.HasPrefix(s, p.pieces[0].text)
	case p.suffix:
		return strings.HasSuffix(s, p.pieces[0].text)
	case p.inner:
		return strings.Contains(s, p.pieces[0].text)
	}
	return matchPieces(p.pieces, s)
}

// matchPieces is the usual greedy match with one point to return to.
func matchPieces(pieces []piece, s string) bool {
	i, back, backAt := 0, -1, 0
	for at := 0; ; {
		if i < len(pieces) {
			switch x := pieces[i]; {
			case x.kind == '%':
				back, backAt = i, at
				i++
				continue
			case x.kind == '_' && at < len(s):
				_, n := utf8.DecodeRuneInString(s[at:])
				at += n
				i++
				continue
			case x.kind == 't' && strings.HasPrefix(s[at:], x.text):
				at += len(x.text)
				i++
				continue
			}
		} else if at == len(s) {
			return true
		}
		if back < 0 || backAt >= len(s) {
			return false
		}
		_, n := utf8.DecodeRuneInString(s[backAt:])
		backAt += n
		i, at = back+1, backAt
	}
}

func like(c *call) (arrow.Array, error) {
	s, pat := c.str(0), c.str(1)
	escape := func(int) string { return `\` }
	if c.has(2) {
		escape = c.str(2)
	}
	var compiled *pattern
	var last string
	constant := c.args[1].konst
	return c.bools(func(i int) (bool, error) {
		if text := pat(i); compiled == nil || (!constant && text != last) {
			e, _ := utf8.DecodeRuneInString(escape(i))
			p, err := compileLike(text, e, c.node.Fn == "ilike")
			if err != nil {
				return false, err
			}
			compiled, last = p, text
		}
		return compiled.match(s(i)), nil
	})
}
