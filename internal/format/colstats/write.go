package colstats

import (
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// JSON writes the statistics as the stats of an add action. tightBounds adds
// the flag of that name, which tables with deletion vectors expect.
func (c *Collector) JSON(tightBounds bool) string {
	return c.json(func(dst []byte, l *leafStats) ([]byte, bool) { return strconv.AppendInt(dst, l.nulls, 10), true }, tightBounds)
}

func (c *Collector) json(nulls func([]byte, *leafStats) ([]byte, bool), tightBounds bool) string {
	dst := append(make([]byte, 0, 256), `{"numRecords":`...)
	dst = strconv.AppendInt(dst, c.rows, 10)
	if len(c.roots) > 0 {
		dst = appendTree(append(dst, `,"minValues":`...), c.roots, func(dst []byte, l *leafStats) ([]byte, bool) {
			return l.bounds.appendMin(dst)
		}, true)
		dst = appendTree(append(dst, `,"maxValues":`...), c.roots, func(dst []byte, l *leafStats) ([]byte, bool) {
			return l.bounds.appendMax(dst)
		}, true)
		dst = appendTree(append(dst, `,"nullCount":`...), c.roots, nulls, false)
	}
	if tightBounds {
		dst = append(dst, `,"tightBounds":true`...)
	}
	return string(append(dst, '}'))
}

// appendTree writes one statistic of all leaves, as objects that mirror the
// schema. A leaf without a value is left out; a struct stays, empty if need be,
// unless none of its leaves can have a value.
func appendTree(dst []byte, nodes []*node, stat func([]byte, *leafStats) ([]byte, bool), bounds bool) []byte {
	dst = append(dst, '{')
	start := len(dst)
	for _, n := range nodes {
		mark := len(dst)
		if bounds && !n.bounded() {
			continue
		}
		if mark > start {
			dst = append(dst, ',')
		}
		dst = columns.AppendQuoted(dst, n.name)
		dst = append(dst, ':')
		if n.leaf == nil {
			dst = appendTree(dst, n.children, stat, bounds)
			continue
		}
		var ok bool
		if dst, ok = stat(dst, n.leaf); !ok {
			dst = dst[:mark]
		}
	}
	return append(dst, '}')
}

// bounded reports whether a leaf below has bounds by its type.
func (n *node) bounded() bool {
	if n.leaf != nil {
		return n.leaf.bounds != nil
	}
	return slices.ContainsFunc(n.children, (*node).bounded)
}

// appendInt writes integers as numbers, dates and timestamps as text.
// Timestamps are cut down to milliseconds, minimum and maximum alike, as the
// protocol says; a reader adds the lost microseconds to a maximum.
func appendInt(dst []byte, v int64, kind types.Kind) []byte {
	switch kind {
	case types.KindDate:
		return append(columns.AppendDate(append(dst, '"'), v), '"')
	case types.KindTimestamp, types.KindTimestampNTZ:
		dst = columns.AppendTimestamp(append(dst, '"'), v)
		dst = dst[:len(dst)-3] // microseconds count up from the second, before 1970 too
		if kind == types.KindTimestamp {
			dst = append(dst, 'Z')
		}
		return append(dst, '"')
	}
	return strconv.AppendInt(dst, v, 10)
}

func appendFloat(dst []byte, v float64, bits int) []byte {
	mark := len(dst)
	dst = strconv.AppendFloat(dst, v, 'g', -1, bits)
	for _, c := range dst[mark:] {
		if c == '.' || c == 'e' {
			return dst
		}
	}
	return append(dst, '.', '0')
}

func appendDecimal(dst []byte, v decimal128.Num, scale int) []byte {
	return columns.AppendDecimal(dst, v, scale)
}

// appendText writes a string bound; one that is no UTF-8 has no JSON form.
func appendText(dst []byte, s string) ([]byte, bool) {
	if !utf8.ValidString(s) {
		return dst, false
	}
	return columns.AppendQuoted(dst, s), true
}
