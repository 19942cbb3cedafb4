package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/internal/base/prose"
)

// object prints one JSON object on a line.
func (a *app) object(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// printf prints a line of the result.
func (a *app) printf(format string, args ...any) { fmt.Fprintf(a.out, format+"\n", args...) }

// lineWidth is where prose is broken.
const lineWidth = prose.Width

// prose prints sentences, broken into lines; those behind the first are indented.
func (a *app) prose(format string, args ...any) {
	a.printf("%s", prose.Paragraphs(fmt.Sprintf(format, args...), lineWidth))
}

// finding is a remark on a statement; what it suggests is on a line of its own,
// to be copied.
func finding(head string, f sluice.Finding) string {
	text, _ := strings.CutSuffix(f.Text, f.Suggestion)
	return prose.Paragraphs(head+": "+strings.TrimSpace(text), lineWidth) + prefixed("\n    ", strings.ReplaceAll(f.Suggestion, "\n", "\n    "))
}

// wrapped breaks a text between words; its lines begin with indent, the first
// one, and hang, the others.
func wrapped(text, indent, hang string) string { return prose.Wrap(text, indent, hang, lineWidth) }

// table prints rows under a header, columns aligned; numbers (by column) to the right.
func (a *app) table(header []string, rows [][]string, right ...int) {
	a.printf("%s", prose.Table(header, rows, right...))
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
func plural(n int64, one string) string { return prose.Plural(n, one) }

func bytesText(n int64) string { return prose.Bytes(n) }
