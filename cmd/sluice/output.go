package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sluicelake/sluice"
)

// object prints one JSON object on a line.
func (a *app) object(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// printf prints a line of the result.
func (a *app) printf(format string, args ...any) { fmt.Fprintf(a.out, format+"\n", args...) }

// lineWidth is where prose is broken: the width of most terminals.
const lineWidth = 80

// prose prints sentences, broken into lines; those behind the first are indented.
func (a *app) prose(format string, args ...any) { a.printf("%s", prose(fmt.Sprintf(format, args...))) }

func prose(text string) string {
	parts := strings.Split(text, "\n")
	for i, part := range parts {
		indent := ""
		if i > 0 {
			indent = "  "
		}
		parts[i] = wrapped(part, indent, "  ")
	}
	return strings.Join(parts, "\n")
}

// finding is a remark on a statement; what it suggests is on a line of its own,
// to be copied.
func finding(head string, f sluice.Finding) string {
	text, _ := strings.CutSuffix(f.Text, f.Suggestion)
	return prose(head+": "+strings.TrimSpace(text)) + prefixed("\n    ", strings.ReplaceAll(f.Suggestion, "\n", "\n    "))
}

// wrapped breaks a text between words; its lines begin with indent, the first
// one, and hang, the others.
func wrapped(text, indent, hang string) string {
	var b strings.Builder
	column := len(indent)
	b.WriteString(indent)
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i > 0 && column+1+n > lineWidth:
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

// table prints rows under a header, columns aligned; numbers (by column) to the right.
func (a *app) table(header []string, rows [][]string, right ...int) {
	width := make([]int, len(header))
	for _, row := range append([][]string{header}, rows...) {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	isRight := map[int]bool{}
	for _, i := range right {
		isRight[i] = true
	}
	line := func(row []string) {
		var b strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if i > 0 {
				b.WriteString("  ")
			}
			if isRight[i] {
				b.WriteString(pad + cell)
			} else {
				b.WriteString(cell + pad)
			}
		}
		a.printf("%s", strings.TrimRight(b.String(), " "))
	}
	line(header)
	dashes := make([]string, len(header))
	for i := range dashes {
		dashes[i] = strings.Repeat("-", width[i])
	}
	line(dashes)
	for _, row := range rows {
		line(row)
	}
}

// withoutEmpty leaves the trailing columns out that no row has.
func withoutEmpty(header []string, rows [][]string) ([]string, [][]string) {
	n := 1
	for _, row := range rows {
		for i, cell := range row {
			if cell != "" {
				n = max(n, i+1)
			}
		}
	}
	for i := range rows {
		rows[i] = rows[i][:n]
	}
	return header[:n], rows
}

// stamp prints a time as the command line shows them.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// plural spells a count: 1 row, 2 rows.
func plural(n int64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

func bytesText(n int64) string {
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
