package colstats

import (
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
)

// textBounds compares strings by bytes, which is code point order, and cuts
// them only when they are written.
type textBounds struct {
	prefix   int
	any, bad bool
	min, max string
}

// texts are the arrays of strings.
type texts interface{ Value(i int) string }

func (b *textBounds) add(a arrow.Array, alive []bool) {
	x, ok := a.(texts)
	if !ok || (a.DataType().ID() != arrow.STRING && a.DataType().ID() != arrow.LARGE_STRING && a.DataType().ID() != arrow.STRING_VIEW) {
		b.bad = true
		return
	}
	lo, hi := b.min, b.max
	first := !b.any
	for i := range a.Len() {
		if alive != nil && !alive[i] {
			continue
		}
		v := x.Value(i)
		if first {
			lo, hi, first = v, v, false
		} else if v < lo {
			lo = v
		} else if v > hi {
			hi = v
		}
	}
	b.any = !first
	b.min, b.max = keep(lo, b.min), keep(hi, b.max)
}

// keep copies a string out of its batch, unless it is the one already kept.
func keep(v, old string) string {
	if v == old {
		return old
	}
	return string([]byte(v))
}

func (b *textBounds) appendMin(dst []byte) ([]byte, bool) {
	if !b.any || b.bad || b.prefix <= 0 {
		return dst, false
	}
	return appendText(dst, cutMin(b.min, b.prefix))
}

func (b *textBounds) appendMax(dst []byte) ([]byte, bool) {
	if !b.any || b.bad || b.prefix <= 0 {
		return dst, false
	}
	v, ok := cutMax(b.max, b.prefix)
	if !ok {
		return dst, false
	}
	return appendText(dst, v)
}

// DefaultPrefix is the number of characters of a string that statistics keep.
const DefaultPrefix = 32

// cutMin cuts a minimum: a prefix is never larger than the string.
func cutMin(s string, prefix int) string {
	n := 0
	for i := range s {
		if n == prefix {
			return s[:i]
		}
		n++
	}
	return s
}

// cutMax cuts a maximum and puts a character behind it that is larger than any
// that the cut took away: DEL behind ASCII, else the largest code point. The
// cut moves on while the next character is the largest code point itself; a
// string that needs more than twice the prefix has no bound.
func cutMax(s string, prefix int) (string, bool) {
	n := 0
	for i, r := range s {
		if n >= 2*prefix {
			return "", false
		}
		if n >= prefix {
			if r < 0x7f {
				return s[:i] + "\x7f", true
			}
			if r != utf8.MaxRune {
				return s[:i] + string(utf8.MaxRune), true
			}
		}
		n++
	}
	return s, true
}
