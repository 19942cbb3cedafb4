package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sluicelake/sluice"
)

// clauseFlag collects WHEN clauses of one kind into the common list, so that
// they keep the order in which they were given.
type clauseFlag struct {
	kind sluice.ClauseKind
	list *[]clauseText
}

type clauseText struct {
	kind sluice.ClauseKind
	text string
}

func (c clauseFlag) String() string { return "" }
func (c clauseFlag) Type() string   { return "CLAUSE" }
func (c clauseFlag) Set(text string) error {
	*c.list = append(*c.list, clauseText{c.kind, text})
	return nil
}

var _ pflag.Value = clauseFlag{}

// mergeFlags are a MERGE in the words of the command line.
type mergeFlags struct {
	source    sourceFlags
	on, as    string
	clauses   []clauseText
	evolution bool
}

func (m *mergeFlags) add(cmd *cobra.Command) {
	m.source.add(cmd)
	f := cmd.Flags()
	f.StringVar(&m.as, "as", "t,s", "names of target and source in the expressions")
	f.StringVar(&m.on, "on", "", "the `CONDITION` under which a target row and a source row match")
	f.Var(clauseFlag{sluice.Matched, &m.clauses}, "when-matched", "'[AND cond THEN] UPDATE SET * | UPDATE SET a = s.a, ... | DELETE'; may be repeated")
	f.Var(clauseFlag{sluice.NotMatched, &m.clauses}, "when-not-matched", "'[AND cond THEN] INSERT * | INSERT (a, b) VALUES (s.a, ...)'; may be repeated")
	f.Var(clauseFlag{sluice.NotMatchedBySource, &m.clauses}, "when-not-matched-by-source", "'[AND cond THEN] UPDATE SET ... | DELETE'; may be repeated")
	f.BoolVar(&m.evolution, "schema-evolution", false, "add columns to the table that only the source has, as far as clauses write them")
	_ = cmd.MarkFlagRequired("on")
}

// builder makes the MERGE of the library.
func (m *mergeFlags) builder(t *sluice.Table, src sluice.Source) (*sluice.MergeBuilder, error) {
	target, source, ok := strings.Cut(m.as, ",")
	target, source = strings.TrimSpace(target), strings.TrimSpace(source)
	if !ok || target == "" || source == "" || strings.EqualFold(target, source) {
		return nil, usagef("--as %s: want two different names, as in t,s", m.as)
	}
	b := t.Merge(src, m.on).As(target, source)
	if m.evolution {
		b = b.WithSchemaEvolution()
	}
	for _, c := range m.clauses {
		b = b.Clause(c.kind, normalClause(c.text))
	}
	return b, nil
}

// normalClause accepts UPDATE * for UPDATE SET *.
func normalClause(text string) string {
	fields := strings.Fields(text)
	n := len(fields)
	if n >= 2 && strings.EqualFold(fields[n-2], "UPDATE") && fields[n-1] == "*" {
		return strings.Join(append(fields[:n-1:n-1], "SET", "*"), " ")
	}
	return text
}

func (a *app) merge() *cobra.Command {
	var (
		m      mergeFlags
		w      changing
		dryRun bool
	)
	cmd := &cobra.Command{
		Use:   "merge TABLE --source FILE --on CONDITION --when-...",
		Short: "Merge a file into a table",
		Long: `MERGE: rows of the source are matched against rows of the table, and clauses say what becomes of
matched rows, of source rows without a match, and of table rows without a match. Clauses apply in
the order given; the first whose condition holds takes the row.

Any number of writers may merge into one table at the same time. A MERGE that was slower than another
one is fitted behind it: only what the winner changed is looked at again.`,
		Example: `  sluice merge people --source uk.json \
    --on "t.user_id = s.user_id AND t.city = s.city AND t.country = 'UK'" \
    --when-matched 'UPDATE SET *' --when-not-matched 'INSERT *' \
    --when-not-matched-by-source "AND t.country = 'UK' THEN DELETE"`,
		Args: exactArgs("TABLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			co, err := w.options()
			if err != nil {
				return err
			}
			ctx := cmd.Context()
			t, err := a.open(ctx, args[0])
			if err != nil {
				return err
			}
			defer t.Close()
			src, done, err := a.source(ctx, &m.source)
			if err != nil {
				return err
			}
			defer done()
			b, err := m.builder(t, src)
			if err != nil {
				return err
			}
			x, err := b.Explain(ctx)
			if err != nil {
				return err
			}
			if dryRun {
				return a.explained(x)
			}
			for _, f := range x.Findings {
				if f.Severity == "warning" {
					a.remark("%s", finding("warning", f))
				}
			}
			res, err := b.With(co).Exec(ctx)
			if err != nil {
				return err
			}
			return a.committed("MERGE", res.Commit, []number{
				{key: "sourceRows", value: res.SourceRows},
				{key: "rowsInserted", value: res.Inserted, text: "row", verb: "inserted", always: true},
				{key: "rowsUpdated", value: res.Updated, text: "row", verb: "updated", always: true},
				{key: "rowsDeleted", value: res.Deleted, text: "row", verb: "deleted", always: true},
				{key: "rowsCopied", value: res.Copied, text: "row", verb: "copied"},
				{key: "filesAdded", value: res.FilesAdded},
				{key: "filesRemoved", value: res.FilesRemoved},
				{key: "deletionVectors", value: res.DeletionVectors},
			})
		},
	}
	m.add(cmd)
	a.changingFlags(cmd, &w)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what it would read and do, and change nothing")
	return cmd
}
