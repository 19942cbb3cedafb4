package sluice

import (
	"context"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/prose"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/sql/session"
	"github.com/sluicelake/sluice/internal/verbs/merge"
)

// Explanation says what a statement would read, what delta-spark would read for
// it and collide with, and what its author probably did not mean.
type Explanation struct {
	Operation  string // MERGE, UPDATE, DELETE, WRITE, OPTIMIZE or SELECT
	Version    int64  // -1 for a SELECT of several tables, or none
	Clauses    []ClauseReading
	FilesTotal int
	FilesRead  int // opened
	FilesWhole int // removed without being opened
	BytesRead  int64
	RowsTotal  int64 // by statistics; -1 when a file has none
	SourceRows int64
	Reference  ReferenceReading
	Findings   []Finding
	// Rewritten is the statement with what can be mended by rewriting it; "" when
	// there is nothing.
	Rewritten string
	// Tables are those that a SELECT reads, each as often as it is named.
	Tables []TableReading

	of *merge.Explanation
}

// TableReading is what a query reads of one table: which files, and what leaves
// the others out.
type TableReading = merge.TableReading

// DroppedFiles are files that one condition leaves out.
type DroppedFiles = merge.DroppedFiles

// Text is the explanation for people, with lines of at most width letters where
// words allow it; 0 is the width of most terminals. EXPLAIN in SQL gives the same.
func (x *Explanation) Text(width int) string {
	if width <= 0 {
		width = prose.Width
	}
	return x.of.Text(width)
}

// ClauseReading is the part of the table that one part of the statement looks at.
type ClauseReading struct {
	Clause    string
	Condition string // what selects its rows, "" is every row
	Files     int
}

// ReferenceReading is what delta-spark would read and record.
type ReferenceReading struct {
	WholeTable bool
	Predicate  string
	Files      int
	Collides   string // which concurrent commits would make it fail there
}

// Finding is a remark on a statement.
type Finding struct {
	Code string // for example "unconditional-by-source"
	// Severity is "warning" where the statement probably does what was not meant,
	// or fails, and "note" where it reads or collides more than it has to.
	Severity   string
	Clause     string
	Text       string
	Suggestion string // SQL to use instead
	Page       string // of the guide, below docs/
}

// FindingCodes lists the codes of all findings; each has a page in the guide.
func FindingCodes() []string { return merge.Codes() }

func explanationOf(x *merge.Explanation) *Explanation {
	out := &Explanation{Operation: x.Operation, Version: x.Version, FilesTotal: x.FilesTotal, FilesRead: x.FilesRead, FilesWhole: x.FilesWhole, BytesRead: x.BytesRead,
		RowsTotal: x.RowsTotal, SourceRows: x.SourceRows, Reference: ReferenceReading(x.Reference), Rewritten: x.Rewritten, Tables: x.Tables, of: x}
	for _, c := range x.Clauses {
		out.Clauses = append(out.Clauses, ClauseReading(c))
	}
	for _, f := range x.Findings {
		out.Findings = append(out.Findings, Finding(f))
	}
	return out
}

// Explain says what the MERGE would do on the newest version, or on the given
// one. It reads the source and the log, no data file, and changes nothing.
func (m *MergeBuilder) Explain(ctx context.Context, at ...At) (*Explanation, error) {
	src, err := m.ready(ctx)
	if err != nil {
		return nil, err
	}
	snap, err := m.t.Snapshot(ctx, at...)
	if err != nil {
		return nil, err
	}
	s := snap.s
	p, err := merge.NewPlan(m.spec, s.Schema(), src.Schema, m.o.internal().Expr)
	if err != nil {
		return nil, m.t.fail("MERGE into", err)
	}
	names := m.names
	if names.Target == "" {
		names = merge.Names{Target: expr.NewColumn("delta", m.t.URL()).String(), Source: "source"}
	}
	x, err := merge.Explain(m.t.config.env, s, p, src, names)
	if err != nil {
		return nil, m.t.fail("MERGE into", err)
	}
	return explanationOf(x), nil
}

// Explain says what a statement on this table would read: MERGE, UPDATE, DELETE,
// INSERT, OPTIMIZE or SELECT. Its target is this table, whatever the text calls it, and
// the source of a MERGE is src if one is given. It reads the log and the source,
// no data file of the table, and changes nothing.
func (t *Table) Explain(ctx context.Context, statement string, src ...Source) (*Explanation, error) {
	if err := t.use(); err != nil {
		return nil, err
	}
	s := newSession(SessionOptions{}, t.config.env)
	defer s.Close()
	on := session.On{Log: t.log}
	if len(src) > 0 {
		on.Source = src[0]
	}
	return s.explain(ctx, statement, on)
}

// Explain says what a statement would read; names mean what they mean to the session.
func (s *Session) Explain(ctx context.Context, statement string) (*Explanation, error) {
	return s.explain(ctx, statement, session.On{})
}

func (s *Session) explain(ctx context.Context, statement string, on session.On) (*Explanation, error) {
	st, err := parse.One(statement)
	if err != nil {
		return nil, mark(err)
	}
	x, err := s.s.Explain(ctx, st, on)
	if err != nil {
		return nil, mark(err)
	}
	return explanationOf(x), nil
}

// MergeSQL makes a MERGE from the text of a MERGE INTO statement. The target in
// the text names this table and the source in it names src, whatever the text
// calls them.
func (t *Table) MergeSQL(src Source, statement string) *MergeBuilder {
	m := &MergeBuilder{t: t, src: src}
	parsed, err := parse.MergeStatement(statement)
	if err != nil {
		m.err = err
		return m
	}
	m.spec = parsed.Spec
	m.names = merge.Names{Target: expr.NewColumn(parsed.Target.Parts...).String(), Source: "source"}
	if len(parsed.Source.Parts) > 0 {
		m.names.Source = expr.NewColumn(parsed.Source.Parts...).String()
	}
	return m
}
