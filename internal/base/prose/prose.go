// Package prose lays out text for people: sentences broken into lines, tables,
// counts and sizes.
package prose

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Width is where lines are broken: the width of most terminals.
const Width = 80

// Wrap breaks a text between words; its lines begin with indent, the first one,
// and hang, the others.
func Wrap(text, indent, hang string, width int) string {
	var b strings.Builder
	column := len(indent)
	b.WriteString(indent)
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i > 0 && column+1+n > width:
			b.WriteString("\n" + hang)
			column = len(hang)
		case i > 0:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}

// Paragraphs wraps each line of a text; those behind the first are indented.
func Paragraphs(text string, width int) string {
	parts := strings.Split(text, "\n")
	for i, part := range parts {
		indent := ""
		if i > 0 {
			indent = "  "
		}
		parts[i] = Wrap(part, indent, "  ", width)
	}
	return strings.Join(parts, "\n")
}

// Indented begins each line of a text with indent.
func Indented(text, indent string) string {
	return indent + strings.ReplaceAll(text, "\n", "\n"+indent)
}

// Table sets rows under a header, columns aligned; those of right to the right.
// There is no line end behind the last row.
func Table(header []string, rows [][]string, right ...int) string {
	dashes := make([]string, len(header))
	width := make([]int, len(header))
	for _, row := range append([][]string{header}, rows...) {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	for i := range dashes {
		dashes[i] = strings.Repeat("-", width[i])
	}
	lines := make([]string, 0, len(rows)+2)
	for _, row := range append([][]string{header, dashes}, rows...) {
		var b strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if i > 0 {
				b.WriteString("  ")
			}
			if slices.Contains(right, i) {
				b.WriteString(pad + cell)
			} else {
				b.WriteString(cell + pad)
			}
		}
		lines = append(lines, strings.TrimRight(b.String(), " "))
	}
	return strings.Join(lines, "\n")
}

// Plural spells a count: 1 row, 2 rows.
func Plural(n int64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// Bytes spells a size.
func Bytes(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f kB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}
