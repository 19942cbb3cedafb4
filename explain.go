package sluice

import (
	"context"

	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/verbs/merge"
)

// Explanation says what a MERGE would read, what delta-spark would read for it,
// and what its author probably did not mean.
type Explanation struct {
	Version    int64
	Clauses    []ClauseReading
	FilesTotal int
	FilesRead  int // opened
	FilesWhole int // removed without being opened
	BytesRead  int64
	RowsTotal  int64 // by statistics; -1 when a file has none
	SourceRows int64
	Reference  ReferenceReading
	Findings   []Finding
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
	Code       string // for example "unconditional-by-source"
	Clause     string
	Text       string
	Suggestion string // SQL to use instead
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
	x, err := merge.Explain(m.t.config.env, s, p, src)
	if err != nil {
		return nil, m.t.fail("MERGE into", err)
	}
	out := &Explanation{Version: x.Version, FilesTotal: x.FilesTotal, FilesRead: x.FilesRead, FilesWhole: x.FilesWhole, BytesRead: x.BytesRead,
		RowsTotal: x.RowsTotal, SourceRows: x.SourceRows, Reference: ReferenceReading(x.Reference)}
	for _, c := range x.Clauses {
		out.Clauses = append(out.Clauses, ClauseReading(c))
	}
	for _, f := range x.Findings {
		out.Findings = append(out.Findings, Finding(f))
	}
	return out, nil
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
	return m
}
