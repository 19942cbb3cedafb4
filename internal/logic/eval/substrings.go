package eval

import (
	"math"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/types"
)

// substringSQL takes n characters from a position that counts from one, or from
// the end when negative (UTF8String.substringSQL).
func substringSQL(s string, pos, n int64, bytes bool) string {
	size := int64(len(s))
	if !bytes {
		size = runeCount(s)
	}
	start := int64(0)
	if pos > 0 {
		start = pos - 1
	} else if pos < 0 {
		start = size + pos
	}
	end := start + n
	if n > math.MaxInt32 {
		end = math.MaxInt32
	}
	start, end = min(max(0, start), size), min(max(0, end), size)
	if start >= end {
		return ""
	}
	if bytes {
		return s[start:end]
	}
	return firstRunes(s[len(firstRunes(s, start)):], end-start)
}

func substring(c *call) (arrow.Array, error) {
	s, pos, binary := c.str(0), c.int(1), c.typ(0) == types.Binary
	n := func(int) int64 { return math.MaxInt64 / 2 }
	if c.has(2) {
		n = c.int(2)
	}
	return c.strings(func(i int) (string, error) { return substringSQL(s(i), pos(i), n(i), binary), nil })
}

func left(c *call) (arrow.Array, error) {
	s, n, binary := c.str(0), c.int(1), c.typ(0) == types.Binary
	return c.strings(func(i int) (string, error) { return substringSQL(s(i), 1, n(i), binary), nil })
}

func right(c *call) (arrow.Array, error) {
	s, n := c.str(0), c.int(1)
	return c.strings(func(i int) (string, error) {
		if n(i) <= 0 {
			return "", nil
		}
		return substringSQL(s(i), -n(i), math.MaxInt64/2, false), nil
	})
}

func overlay(c *call) (arrow.Array, error) {
	s, r, pos, n, binary := c.str(0), c.str(1), c.int(2), c.int(3), c.typ(0) == types.Binary
	return c.strings(func(i int) (string, error) {
		size := n(i)
		if size < 0 {
			if size = runeCount(r(i)); binary {
				size = int64(len(r(i)))
			}
		}
		return substringSQL(s(i), 1, pos(i)-1, binary) + r(i) + substringSQL(s(i), pos(i)+size, math.MaxInt64/2, binary), nil
	})
}

// pad is lpad and rpad: the text is cut or filled to a length in characters.
func pad(c *call) (arrow.Array, error) {
	s, n, fill, binary := c.str(0), c.int(1), c.str(2), c.typ(0) == types.Binary
	count := runeCount
	if binary {
		count = func(s string) int64 { return int64(len(s)) }
	}
	return c.text(func(b []byte, i int) ([]byte, error) {
		text, want, with := s(i), n(i), fill(i)
		have := count(text)
		if want <= have || with == "" {
			return append(b, substringSQL(text, 1, max(0, want), binary)...), nil
		}
		if want > 1<<30 {
			return nil, failf("COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION", "%s makes a string of more than 2^30 characters", c.node.Fn)
		}
		gap := want - have
		if c.node.Fn == "rpad" {
			b = append(b, text...)
		}
		for each := count(with); gap >= each; gap -= each {
			b = append(b, with...)
		}
		b = append(b, substringSQL(with, 1, gap, binary)...)
		if c.node.Fn == "lpad" {
			b = append(b, text...)
		}
		return b, nil
	})
}

// locate gives the position of the first occurrence, from one; zero is none.
func locate(c *call, sub, text int) (arrow.Array, error) {
	what, s := c.str(sub), c.str(text)
	from := func(int) int64 { return 1 }
	if c.has(2) {
		from = c.int(2)
	}
	ok := valid(c.n, c.args[sub], c.args[text])
	at := c.args[min(2, len(c.args)-1)]
	return makeInts(c.out(), c.n, ok, lenient(c, func(i int) (int64, error) {
		if c.has(2) && at.null(i) { // no place to start from is place 0
			return 0, nil
		}
		pos := from(i)
		if pos < 1 {
			return 0, nil
		}
		if what(i) == "" {
			return 1, nil
		}
		head := firstRunes(s(i), pos-1)
		if runeCount(head) < pos-1 {
			return 0, nil
		}
		at := strings.Index(s(i)[len(head):], what(i))
		if at < 0 {
			return 0, nil
		}
		return pos + runeCount(s(i)[len(head):len(head)+at]), nil
	}))
}

func splitPart(c *call) (arrow.Array, error) {
	s, sep, n := c.str(0), c.str(1), c.int(2)
	return c.strings(func(i int) (string, error) {
		k := n(i)
		if k == 0 {
			return "", failf("INVALID_INDEX_OF_ZERO", "the index 0 is invalid: an index is less than or greater than 0 (the first element is 1)")
		}
		return nthPart(s(i), sep(i), k), nil
	})
}

// substringIndex is the text before the n-th separator, from the end when negative.
func substringIndex(c *call) (arrow.Array, error) {
	s, sep, n := c.str(0), c.str(1), c.int(2)
	return c.strings(func(i int) (string, error) {
		text, k := s(i), n(i)
		if sep(i) == "" || k == 0 {
			return "", nil
		}
		at := 0
		if k > 0 {
			for ; k > 0; k-- {
				p := strings.Index(text[at:], sep(i))
				if p < 0 {
					return text, nil
				}
				if at += p; k > 1 {
					at += len(sep(i))
				}
			}
			return text[:at], nil
		}
		at = len(text)
		for ; k < 0; k++ {
			p := strings.LastIndex(text[:at], sep(i))
			if p < 0 {
				return text, nil
			}
			at = p
		}
		return text[at+len(sep(i)):], nil
	})
}

func findInSet(c *call) (arrow.Array, error) {
	s, set := c.str(0), c.str(1)
	return c.ints(func(i int) (int64, error) {
		if strings.Contains(s(i), ",") {
			return 0, nil
		}
		for k, part := range strings.Split(set(i), ",") {
			if part == s(i) {
				return int64(k + 1), nil
			}
		}
		return 0, nil
	})
}
