package parquetio

import (
	"unicode/utf8"

	"github.com/sluicelake/sluice/types"
)

// cut shortens a bound of text or binary: the lower one to a prefix, the upper
// one to a prefix that is then rounded up. A nil upper bound is unknown.
func (l *leafWriter) cut(lo, hi []byte) (a, b []byte, exactLo, exactHi bool) {
	if p, _ := physicalOf(l.node.typ); p != physBytes {
		return lo, hi, true, true
	}
	a, b, exactLo, exactHi = lo, hi, true, true
	text := l.node.typ.Kind() == types.KindString
	if len(lo) > maxBound {
		a, exactLo = lo[:prefixEnd(lo, text)], false
	}
	if len(hi) > maxBound {
		b, exactHi = roundUp(hi[:prefixEnd(hi, text)], text), false
	}
	return a, b, exactLo, exactHi
}

// prefixEnd is the most bytes of a bound that are kept; text is cut between characters.
func prefixEnd(b []byte, text bool) int {
	end := maxBound
	for text && end > maxBound-utf8.UTFMax && !utf8.RuneStart(b[end]) {
		end--
	}
	return end
}

// roundUp is the least simple value that is greater than everything with that
// prefix, or nil.
func roundUp(prefix []byte, text bool) []byte {
	b := append([]byte{}, prefix...)
	if !text || !utf8.Valid(b) {
		if text { // bytes beyond UTF-8 cannot be rounded so that every reader agrees
			return nil
		}
		for i := len(b) - 1; i >= 0; i-- {
			if b[i] < 0xff {
				b[i]++
				return b[:i+1]
			}
		}
		return nil
	}
	for len(b) > 0 {
		r, n := utf8.DecodeLastRune(b)
		b = b[:len(b)-n]
		if r++; r == 0xd800 {
			r = 0xe000
		}
		if r <= utf8.MaxRune {
			return utf8.AppendRune(b, r)
		}
	}
	return nil
}
