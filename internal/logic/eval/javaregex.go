package eval

import (
	"errors"
	"unicode"
	"unicode/utf8"
)

// This file matches regular expressions as java.util.regex does, by trying one way
// after the other: for patterns with look-around, back-references, possessive
// repetition and the other things that Go's engine does not know.

// javaPattern is a compiled pattern.
type javaPattern struct {
	start  matcher
	groups int
	names  map[string]int
}

// matcher tries to match at a position and calls the rest of the pattern with the
// position where it ended; it reports whether the rest was content.
type matcher func(m *javaMatch, at int, rest func(int) bool) bool

// javaMatch is one attempt over a text.
type javaMatch struct {
	text  string
	loc   []int // start and end of each group, -1 for none
	last  int   // where the match before ended (\G)
	steps int
	depth int // turns of repetitions under way: each is a frame of the stack
}

// errTooLong stops patterns whose number of ways explodes.
var errTooLong = errors.New("the pattern needs too many steps for this text")

const (
	maxRegexSteps = 5_000_000
	maxRegexDepth = 20_000
)

type tooLong struct{}

func (m *javaMatch) step() {
	if m.steps++; m.steps > maxRegexSteps {
		panic(tooLong{})
	}
}

// find is the first match that begins at or after a position: the positions of the
// match and of its groups; nil when there is none. The match before ended at last.
func (p *javaPattern) find(text string, from, last int) (loc []int, err error) {
	m := &javaMatch{text: text, last: last, loc: make([]int, 2*(p.groups+1))}
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(tooLong); !ok {
				panic(r)
			}
			loc, err = nil, errTooLong
		}
	}()
	for at := from; at <= len(text); {
		for i := range m.loc {
			m.loc[i] = -1
		}
		end := -1
		if p.start(m, at, func(e int) bool { end = e; return true }) {
			m.loc[0], m.loc[1] = at, end
			return m.loc, nil
		}
		if at == len(text) {
			break
		}
		_, n := utf8.DecodeRuneInString(text[at:])
		at += n
	}
	return nil, nil
}

func empty(_ *javaMatch, at int, rest func(int) bool) bool { return rest(at) }

func sequenceOf(list []matcher) matcher {
	switch len(list) {
	case 0:
		return empty
	case 1:
		return list[0]
	}
	first, others := list[0], sequenceOf(list[1:])
	return func(m *javaMatch, at int, rest func(int) bool) bool {
		return first(m, at, func(e int) bool { return others(m, e, rest) })
	}
}

func choiceOf(list []matcher) matcher {
	if len(list) == 1 {
		return list[0]
	}
	return func(m *javaMatch, at int, rest func(int) bool) bool {
		for _, x := range list {
			m.step()
			if x(m, at, rest) {
				return true
			}
		}
		return false
	}
}

// one matches a character of a set.
func one(set func(rune) bool) matcher {
	return func(m *javaMatch, at int, rest func(int) bool) bool {
		r, n := utf8.DecodeRuneInString(m.text[at:])
		return n > 0 && set(r) && rest(at+n)
	}
}

// where matches nothing at the positions of a kind.
func where(ok func(m *javaMatch, at int) bool) matcher {
	return func(m *javaMatch, at int, rest func(int) bool) bool { return ok(m, at) && rest(at) }
}

func group(n int, x matcher) matcher {
	return func(m *javaMatch, at int, rest func(int) bool) bool {
		oldStart, oldEnd := m.loc[2*n], m.loc[2*n+1]
		if x(m, at, func(e int) bool {
			s, t := m.loc[2*n], m.loc[2*n+1]
			m.loc[2*n], m.loc[2*n+1] = at, e
			if rest(e) {
				return true
			}
			m.loc[2*n], m.loc[2*n+1] = s, t
			return false
		}) {
			return true
		}
		m.loc[2*n], m.loc[2*n+1] = oldStart, oldEnd
		return false
	}
}

// atomic takes the first way to match and no other.
func atomic(x matcher) matcher {
	return func(m *javaMatch, at int, rest func(int) bool) bool {
		end := -1
		if !x(m, at, func(e int) bool { end = e; return true }) {
			return false
		}
		return rest(end)
	}
}

func lookahead(x matcher, want bool) matcher {
	return func(m *javaMatch, at int, rest func(int) bool) bool {
		return x(m, at, func(int) bool { return true }) == want && rest(at)
	}
}

func lookbehind(x matcher, want bool) matcher {
	return func(m *javaMatch, at int, rest func(int) bool) bool {
		found := false
		for from := at; from >= 0 && !found; from-- {
			if from < len(m.text) && !utf8.RuneStart(m.text[from]) {
				continue
			}
			m.step()
			found = x(m, from, func(e int) bool { return e == at })
		}
		return found == want && rest(at)
	}
}

func backReference(n int, fold bool) matcher {
	return func(m *javaMatch, at int, rest func(int) bool) bool {
		if 2*n+1 >= len(m.loc) || m.loc[2*n] < 0 {
			return false
		}
		want := m.text[m.loc[2*n]:m.loc[2*n+1]]
		if len(m.text)-at < len(want) {
			return false
		}
		got := m.text[at : at+len(want)]
		if got != want && !(fold && foldASCII(got) == foldASCII(want)) {
			return false
		}
		return rest(at + len(want))
	}
}

func foldASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 32
		}
	}
	return string(b)
}

// manyTimes matches low to high times (high below 0 is without end).
func manyTimes(x matcher, low, high int, lazy bool) matcher {
	var try func(m *javaMatch, at, count int, rest func(int) bool) bool
	try = func(m *javaMatch, at, count int, rest func(int) bool) bool {
		m.step()
		if m.depth++; m.depth > maxRegexDepth {
			panic(tooLong{})
		}
		defer func() { m.depth-- }()
		more := func() bool {
			return (high < 0 || count < high) && x(m, at, func(e int) bool {
				if e == at && count >= low { // an empty turn leads nowhere
					return false
				}
				return try(m, e, count+1, rest)
			})
		}
		if count < low {
			return more()
		}
		if lazy {
			return rest(at) || more()
		}
		return more() || rest(at)
	}
	return func(m *javaMatch, at int, rest func(int) bool) bool { return try(m, at, 0, rest) }
}

// repeatOne is the greedy repetition of one character: without recursion.
func repeatOne(set func(rune) bool, low, high int) matcher {
	return func(m *javaMatch, at int, rest func(int) bool) bool {
		end, count := at, 0
		for high < 0 || count < high {
			r, n := utf8.DecodeRuneInString(m.text[end:])
			if n == 0 || !set(r) {
				break
			}
			end, count = end+n, count+1
		}
		for ; count >= low; count-- {
			m.step()
			if rest(end) {
				return true
			}
			if count > 0 {
				_, n := utf8.DecodeLastRuneInString(m.text[at:end])
				end -= n
			}
		}
		return false
	}
}

func lineEnd(r rune) bool {
	return r == '\n' || r == '\r' || r == 0x85 || r == 0x2028 || r == 0x2029
}

func wordRune(r rune) bool {
	return r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

// borders are letters and digits of any script, as \b of Java sees them.
func borders(m *javaMatch, at int) bool {
	in := func(r rune, n int) bool {
		return n > 0 && (r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r))
	}
	before := in(utf8.DecodeLastRuneInString(m.text[:at]))
	after := in(utf8.DecodeRuneInString(m.text[at:]))
	return before != after
}

// lastLine reports the end of the text, or of all but its line terminator.
func lastLine(m *javaMatch, at int) bool {
	switch rest := m.text[at:]; rest {
	case "", "\r\n", "\u0085", "\u2028", "\u2029", "\r":
		return true
	case "\n":
		return at == 0 || m.text[at-1] != '\r'
	}
	return false
}
