package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluicelake/sluice"
)

// explainFlags are the ways to ask.
type explainFlags struct {
	merge    mergeFlags
	names    sqlFlags
	file     string
	scenario string
	text     string
	versions string
	mode     string
}

func (a *app) explain() *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain [TABLE] [STATEMENT | --file F | --on CONDITION --when-... | --error TEXT | --versions A,B] | --scenario FILE",
		Short: "Say what a statement reads and collides with, or why commits collided",
		Long: `Explain a statement without running it (MERGE, UPDATE, DELETE, INSERT, OPTIMIZE, SELECT): what each clause reads, how many files that is on this table, which concurrent commits would make it fail on Spark, and what its author probably did not mean. Each finding has a code and a page in docs/guide/conflicts. The statement's table is TABLE, whatever it is called there, and the source of a MERGE is --source; or give names with --table and --view, as for 'sluice sql', and the statement alone.

--error explains the error that Spark or delta-rs gave, pasted or from standard input (-); with TABLE it finds the commit that won in the log. --versions says whether two versions of a table exclude each other when they race, by Spark's rules and with sluice.

--scenario judges races that are given as JSON, one a line (plain or zstd), and prints one verdict a line, by Spark's rules (--mode reference) or sluice's (precise).`,
		Example: `  sluice explain people "DELETE FROM t WHERE upper(country) = 'UK'"
  sluice explain people --source uk.json merge.sql
  sluice explain --table people=/data/people --view uk=uk.json merge.sql
  pbpaste | sluice explain /data/people --error -
  sluice explain /data/people --versions 12,13
  sluice explain --scenario races.jsonl.zst --mode reference`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 2 {
				return usagef("explain takes TABLE and at most one STATEMENT")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.explains(cmd.Context(), &f, args) },
	}
	f.merge.add(cmd)
	fl := cmd.Flags()
	fl.StringVar(&f.file, "file", "", "a `FILE` with the statement")
	fl.StringVar(&f.scenario, "scenario", "", "judge the races in this `FILE`, one JSON object a line, plain or zstd")
	fl.StringVar(&f.text, "error", "", "explain this `TEXT` of an error; - reads standard input")
	fl.StringVar(&f.versions, "versions", "", "compare the versions `A,B` of TABLE")
	fl.StringVar(&f.mode, "mode", "precise", "rules to judge scenarios by: precise (sluice's) or reference (Spark's)")
	fl.StringArrayVar(&f.names.tables, "table", nil, "a name for a table, `NAME=URL`; may be repeated")
	fl.StringVar(&f.names.catalog, "catalog", "", "the folder at this `URL` has tables, each in a folder of its name")
	fl.StringArrayVar(&f.names.views, "view", nil, "a name for a file, `NAME=FILE`; may be repeated")
	fl.StringArrayVar(&f.names.confs, "conf", nil, "a setting by Spark's name, `k=v`; may be repeated")
	choices(cmd, "mode", []string{"precise", "reference"})
	fl.Lookup("on").Annotations = nil     // a statement has its own ON
	fl.Lookup("source").Annotations = nil // and may name its source
	return cmd
}

// explains finds out what is asked.
func (a *app) explains(ctx context.Context, f *explainFlags, args []string) error {
	ways := 0
	for _, v := range []string{f.scenario, f.text, f.versions} {
		if v != "" {
			ways++
		}
	}
	table := ""
	if len(args) > 0 {
		table = args[0]
	}
	switch {
	case ways > 1:
		return usagef("--scenario, --error and --versions exclude each other")
	case ways == 1 && (len(args) > 1 || f.file != "" || f.merge.on != ""):
		return usagef("a statement is not explained together with --scenario, --error or --versions")
	case f.scenario != "" && table != "":
		return usagef("--scenario needs no TABLE: each scenario has its own")
	case f.scenario != "":
		return a.scenario(f.scenario, f.mode)
	case f.text != "":
		return a.pasted(ctx, table, f.text)
	case f.versions != "" && table == "":
		return usagef("--versions needs TABLE")
	case f.versions != "":
		return a.collision(ctx, table, f.versions)
	case len(f.names.tables) > 0 || f.names.catalog != "":
		return a.explainNamed(ctx, f, args)
	case table == "":
		return usagef("explain needs TABLE, --table NAME=URL, --error or --scenario")
	}
	return a.explainOn(ctx, f, args)
}

// explainNamed explains a statement whose names are given.
func (a *app) explainNamed(ctx context.Context, f *explainFlags, args []string) error {
	if len(args) > 1 || len(args) == 1 && f.file != "" {
		return usagef("with --table, give one STATEMENT or --file")
	}
	statement, err := statementOf(f.file, args)
	if err != nil {
		return err
	}
	s, err := a.session(ctx, &f.names)
	if err != nil {
		return err
	}
	defer s.Close()
	x, err := s.Explain(ctx, statement)
	if err != nil {
		return err
	}
	return a.explained(x)
}

// statementOf is a statement as text, or in a file that is named instead of it.
func statementOf(file string, args []string) (string, error) {
	switch {
	case file != "":
		data, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("--file: %w", err)
		}
		return string(data), nil
	case len(args) == 0:
		return "", usagef("explain needs a STATEMENT or --file")
	}
	text := args[len(args)-1]
	if !strings.ContainsAny(text, " \t\n") { // no statement is one word
		data, err := os.ReadFile(text)
		return string(data), err
	}
	return text, nil
}

// explainOn explains a statement on one table.
func (a *app) explainOn(ctx context.Context, f *explainFlags, args []string) error {
	statement := ""
	switch {
	case len(args) == 2 && f.file != "":
		return usagef("a STATEMENT and --file exclude each other")
	case len(args) == 2 || f.file != "":
		var err error
		if statement, err = statementOf(f.file, args); err != nil {
			return err
		}
	case f.merge.on == "":
		return usagef("explain needs a STATEMENT, --file, or --on with --when-... clauses")
	}
	t, err := a.open(ctx, args[0])
	if err != nil {
		return err
	}
	defer t.Close()
	var src []sluice.Source
	if f.merge.source.file != "" || statement == "" {
		one, done, err := a.source(ctx, &f.merge.source)
		if err != nil {
			return err
		}
		defer done()
		src = append(src, one)
	}
	var x *sluice.Explanation
	if statement != "" {
		x, err = t.Explain(ctx, statement, src...)
	} else {
		b, e := f.merge.builder(t, src[0])
		if e != nil {
			return e
		}
		x, err = b.Explain(ctx)
	}
	if err != nil {
		return err
	}
	return a.explained(x)
}

// page is where a page of the guide can be read.
func page(path string) string { return "https://github.com/sluicelake/sluice/blob/main/docs/" + path }

// explained prints an explanation.
func (a *app) explained(x *sluice.Explanation) error {
	if a.json {
		clauses := []map[string]any{}
		for _, c := range x.Clauses {
			clauses = append(clauses, map[string]any{"clause": c.Clause, "condition": nullable(c.Condition), "files": c.Files})
		}
		findings := []map[string]any{}
		for _, f := range x.Findings {
			findings = append(findings, map[string]any{"code": f.Code, "severity": f.Severity, "clause": f.Clause, "text": f.Text, "suggestion": nullable(f.Suggestion),
				"page": "docs/" + f.Page, "url": page(f.Page)})
		}
		return a.object(map[string]any{"operation": x.Operation, "version": x.Version, "sourceRows": x.SourceRows, "filesTotal": x.FilesTotal, "filesRead": x.FilesRead, "filesRemovedUnread": x.FilesWhole,
			"bytesRead": x.BytesRead, "rowsTotal": x.RowsTotal, "clauses": clauses, "findings": findings, "rewritten": nullable(x.Rewritten),
			"spark":  map[string]any{"wholeTable": x.Reference.WholeTable, "predicate": nullable(x.Reference.Predicate), "files": x.Reference.Files, "collidesWith": x.Reference.Collides},
			"tables": tablesRead(x.Tables)})
	}
	if !a.verbose {
		for i := range x.Tables { // the files themselves: sluice files lists them
			x.Tables[i].Paths = nil
		}
	}
	a.printf("%s", x.Text(0))
	return nil
}

// tablesRead are the tables of a SELECT for programs.
func tablesRead(list []sluice.TableReading) []map[string]any {
	out := []map[string]any{}
	for _, t := range list {
		dropped := []map[string]any{}
		for _, d := range t.Dropped {
			dropped = append(dropped, map[string]any{"files": d.Files, "by": d.By, "reason": d.Reason})
		}
		out = append(out, map[string]any{"name": t.Name, "version": t.Version, "condition": nullable(t.Condition), "conditionsLater": t.Later, "columns": append([]string{}, t.Columns...),
			"filesTotal": t.FilesTotal, "filesRead": t.FilesRead, "bytesRead": t.BytesRead, "rowsRead": t.RowsRead, "dropped": dropped, "paths": append([]string{}, t.Paths...)})
	}
	return out
}
