package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/sluicelake/sluice"
)

func (a *app) explain() *cobra.Command {
	var (
		m    mergeFlags
		file string
	)
	cmd := &cobra.Command{
		Use:   "explain TABLE ['MERGE INTO ...' | --file F | --on CONDITION --when-...] --source FILE",
		Short: "Say what a MERGE reads before it runs, and what Spark would conflict with",
		Long: `Explain a MERGE without running it: what each clause reads, how many files that is on this table,
which concurrent commits would make it fail on Spark, and what its author probably did not mean.
The statement is given as SQL (its table names are only names: TABLE is the target and --source
the source), or by the flags of 'sluice merge'.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return usagef("explain takes TABLE and at most one STATEMENT")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			statement := ""
			switch {
			case len(args) == 2 && file != "":
				return usagef("a STATEMENT and --file exclude each other")
			case len(args) == 2:
				statement = args[1]
			case file != "":
				data, err := os.ReadFile(file)
				if err != nil {
					return fmt.Errorf("--file: %w", err)
				}
				statement = string(data)
			case m.on == "":
				return usagef("explain needs a STATEMENT, --file, or --on with --when-... clauses")
			}
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
			var b *sluice.MergeBuilder
			if statement != "" {
				b = t.MergeSQL(src, statement)
			} else if b, err = m.builder(t, src); err != nil {
				return err
			}
			x, err := b.Explain(ctx)
			if err != nil {
				return err
			}
			return a.explained(x)
		},
	}
	m.add(cmd)
	cmd.Flags().StringVar(&file, "file", "", "a `FILE` with the statement")
	cmd.Flags().Lookup("on").Annotations = nil // a statement has its own ON
	return cmd
}

// explained prints an explanation.
func (a *app) explained(x *sluice.Explanation) error {
	if a.json {
		clauses := []map[string]any{}
		for _, c := range x.Clauses {
			clauses = append(clauses, map[string]any{"clause": c.Clause, "condition": nullable(c.Condition), "files": c.Files})
		}
		findings := []map[string]any{}
		for _, f := range x.Findings {
			findings = append(findings, map[string]any{"code": f.Code, "clause": f.Clause, "text": f.Text, "suggestion": nullable(f.Suggestion)})
		}
		return a.object(map[string]any{"version": x.Version, "sourceRows": x.SourceRows, "filesTotal": x.FilesTotal, "filesRead": x.FilesRead, "filesRemovedUnread": x.FilesWhole,
			"bytesRead": x.BytesRead, "rowsTotal": x.RowsTotal, "clauses": clauses, "findings": findings,
			"spark": map[string]any{"wholeTable": x.Reference.WholeTable, "predicate": nullable(x.Reference.Predicate), "files": x.Reference.Files, "collidesWith": x.Reference.Collides}})
	}
	rows := ""
	if x.RowsTotal >= 0 {
		rows = " with " + plural(x.RowsTotal, "row")
	}
	a.printf("The table is at version %d: %s%s. The source has %s.", x.Version, plural(int64(x.FilesTotal), "file"), rows, plural(x.SourceRows, "row"))
	a.printf("")
	var table [][]string
	for _, c := range x.Clauses {
		cond := c.Condition
		if cond == "" {
			cond = "every row"
		}
		table = append(table, []string{c.Clause, cond, fmt.Sprintf("%d of %d", c.Files, x.FilesTotal)})
	}
	a.table([]string{"clause", "looks at", "files"}, table)
	a.printf("")
	a.prose("It opens %s (%s)%s.", plural(int64(x.FilesRead), "file"), bytesText(x.BytesRead),
		prefixed(" and removes ", zeroless(x.FilesWhole, "file", " without opening")))
	a.prose("Beside other writers: it is fitted behind whatever they commit; only files that they changed are read again.")
	what := "reads the files where " + x.Reference.Predicate
	if x.Reference.WholeTable {
		what = "reads the whole table"
	}
	a.prose("On Spark it %s (%s) and fails when another writer commits meanwhile: %s.", what, plural(int64(x.Reference.Files), "file"), x.Reference.Collides)
	for _, f := range x.Findings {
		a.printf("")
		a.printf("%s", finding(f.Code, f))
	}
	return nil
}

func zeroless(n int, one, behind string) string {
	if n == 0 {
		return ""
	}
	return plural(int64(n), one) + behind
}
