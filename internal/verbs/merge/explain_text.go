package merge

import (
	"fmt"
	"strings"

	"github.com/sluicelake/sluice/internal/base/prose"
)

// guide is where the pages of the guide can be read.
const guide = "https://github.com/sluicelake/sluice/blob/main/docs/"

// Text is the explanation for people, in lines of a width. It ends without a line
// end.
func (x *Explanation) Text(width int) string {
	var b strings.Builder
	line := func(text string) { b.WriteString(text + "\n") }
	say := func(format string, args ...any) { line(prose.Paragraphs(fmt.Sprintf(format, args...), width)) }
	switch {
	case x.Operation == "SELECT" && len(x.Tables) == 0:
		say("It reads no table.")
	case len(x.Tables) == 0:
		say("%s", x.head())
	}
	for i, t := range x.Tables {
		if i > 0 {
			line("")
		}
		line(t.text(width))
	}
	if len(x.Clauses) > 0 {
		line("")
		rows := make([][]string, len(x.Clauses))
		for i, c := range x.Clauses {
			cond := c.Condition
			if cond == "" {
				cond = "every row"
			}
			rows[i] = []string{c.Clause, cond, fmt.Sprintf("%d of %d", c.Files, x.FilesTotal)}
		}
		line(clauses(rows, width))
	}
	x.effects(say, line)
	for _, f := range x.Findings {
		line("")
		line(f.Prose(width))
	}
	switch {
	case x.Rewritten != "":
		line("")
		line("Rewritten:")
		line(prose.Indented(x.Rewritten, "    "))
	case len(x.Findings) > 0:
		line("")
		say("Rewritten: none. Nothing of this is mended by spelling the statement in another way.")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// effects says what it opens, and what it meets.
func (x *Explanation) effects(say func(string, ...any), line func(string)) {
	if x.Reference.Collides != "" || len(x.Clauses) > 0 {
		line("")
	}
	if x.Operation != "OPTIMIZE" && len(x.Clauses) > 0 {
		whole := ""
		if x.FilesWhole > 0 {
			whole = fmt.Sprintf(" and removes %s without opening", prose.Plural(int64(x.FilesWhole), "file"))
		}
		say("It opens %s (%s)%s.", prose.Plural(int64(x.FilesRead), "file"), prose.Bytes(x.BytesRead), whole)
	}
	if x.Reference.Collides == "" { // it writes nothing, or cannot run
		return
	}
	say("Beside other writers: it is fitted behind whatever they commit; only files that they changed are read again.")
	say("On Spark it %s and fails when another writer commits meanwhile: %s.", x.sparkReads(), x.Reference.Collides)
}

func (x *Explanation) head() string {
	rows, source := "", ""
	if x.RowsTotal >= 0 {
		rows = " with " + prose.Plural(x.RowsTotal, "row")
	}
	if x.Operation == "MERGE" {
		source = fmt.Sprintf(" The source has %s.", prose.Plural(x.SourceRows, "row"))
	}
	return fmt.Sprintf("The table is at version %d: %s%s.%s", x.Version, prose.Plural(int64(x.FilesTotal), "file"), rows, source)
}

// sparkReads says what delta-spark would read.
func (x *Explanation) sparkReads() string {
	files := prose.Plural(int64(x.Reference.Files), "file")
	switch {
	case x.Reference.WholeTable:
		return "reads the whole table (" + files + ")"
	case x.Reference.Files > 0 || len(x.Clauses) > 0:
		return fmt.Sprintf("reads the files where %s (%s)", x.Reference.Predicate, files)
	case x.Reference.Predicate != "":
		return "reads " + x.Reference.Predicate
	}
	return "records no read"
}

// clauses is a table where its lines fit, and else a list.
func clauses(rows [][]string, width int) string {
	text := prose.Table([]string{"clause", "looks at", "files"}, rows)
	for _, l := range strings.Split(text, "\n") {
		if len([]rune(l)) > width {
			out := make([]string, len(rows))
			for i, r := range rows {
				out[i] = prose.Wrap(fmt.Sprintf("%s looks at %s: %s files", r[0], r[1], r[2]), "", "  ", width)
			}
			return strings.Join(out, "\n")
		}
	}
	return text
}

// Prose is the finding for people: what it suggests stands on lines of its own,
// to be copied.
func (f Finding) Prose(width int) string {
	text, _ := strings.CutSuffix(f.Text, f.Suggestion)
	out := prose.Paragraphs(f.Severity+" "+f.Code+": "+strings.TrimSpace(text), width)
	if f.Suggestion != "" {
		out += "\n" + prose.Indented(f.Suggestion, "    ")
	}
	return out + "\n  See " + guide + f.Page
}

// TableReading is what a query reads of one table.
type TableReading struct {
	Name    string // as the query calls it
	Version int64
	// Condition selects the files, "" is all; Later says that more conditions are
	// known only when the query runs.
	Condition  string
	Later      bool
	Columns    []string // those that are read
	FilesTotal int
	FilesRead  int
	BytesRead  int64
	RowsRead   int64 // by statistics, in the files that are read; -1 when one has none
	Dropped    []DroppedFiles
	Paths      []string // of the files that are read, the first ones
}

// DroppedFiles are files that one condition leaves out.
type DroppedFiles struct {
	Files  int
	By     string // partition values, or statistics
	Reason string // the condition
}

func (t TableReading) text(width int) string {
	rows := ""
	if t.RowsRead >= 0 {
		rows = ", " + prose.Plural(t.RowsRead, "row")
	}
	lines := []string{prose.Wrap(fmt.Sprintf("%s at version %d: it reads %d of %s (%s%s).", t.Name, t.Version, t.FilesRead,
		prose.Plural(int64(t.FilesTotal), "file"), prose.Bytes(t.BytesRead), rows), "", "  ", width)}
	fact := func(name, value string) { lines = append(lines, prose.Wrap(name+": "+value, "  ", "    ", width)) }
	cond := t.Condition
	if cond == "" {
		cond = "none"
	}
	if t.Later {
		cond += ", and what a subquery gives"
	}
	fact("condition", cond)
	columns := strings.Join(t.Columns, ", ")
	if columns == "" {
		columns = "none, rows are only counted"
	}
	fact("columns", columns)
	for _, d := range t.Dropped {
		fact("left out", fmt.Sprintf("%s by %s: %s", prose.Plural(int64(d.Files), "file"), d.By, d.Reason))
	}
	for _, p := range t.Paths {
		lines = append(lines, "  file: "+p)
	}
	if more := t.FilesRead - len(t.Paths); len(t.Paths) > 0 && more > 0 {
		lines = append(lines, fmt.Sprintf("  and %d more", more))
	}
	return strings.Join(lines, "\n")
}
