package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// sqlFlags are the flags of sluice sql.
type sqlFlags struct {
	text      []string
	tables    []string
	views     []string
	confs     []string
	catalog   string
	keepGoing bool
	format    string
	write     writing
}

func (a *app) sql() *cobra.Command {
	var f sqlFlags
	cmd := &cobra.Command{
		Use:   "sql [-e STATEMENTS | FILE | -]",
		Short: "Run SQL statements",
		Long: `Run statements of Spark SQL, separated by semicolons, from -e, a file, or standard input (-): SELECT, INSERT, UPDATE,
DELETE, MERGE, CREATE TABLE, ALTER TABLE, DESCRIBE, SHOW and SET. On a terminal, without any of these, it asks for them.

--table gives the table at a URL a name, whether it is there yet or not; delta.` + "`path`, json.`path`, csv.`path` and parquet.`path`" + ` need
no name. --catalog makes all tables in a folder known by the names of their folders, and CREATE TABLE makes new ones there.
--view gives a JSON, CSV or Parquet file a name. The first error ends the run, unless --keep-going is given.

With --json each statement gives an object: {"statement":1,"operation":...,"schema":[...],"rows":[...],"metrics":{...}}, or
{"statement":1,"error":{...}}.`,
		Example: `  sluice sql --table people=/data/people -e "UPDATE people SET city = upper(city); SELECT count(*) FROM people"
  sluice sql --table t=s3://lake/t --view new=rows.json merge.sql
  sluice sql --catalog /data/lake
  echo "DESCRIBE HISTORY t" | sluice sql --table t=/data/t --json -`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ask := len(f.text) == 0 && len(args) == 0 && a.terminal()
			text := ""
			if !ask {
				var err error
				if text, err = a.statements(&f, args); err != nil {
					return err
				}
			}
			s, err := a.session(cmd.Context(), &f)
			if err != nil {
				return err
			}
			defer s.Close()
			if ask {
				return a.ask(cmd.Context(), &f, s)
			}
			return a.runSQL(cmd.Context(), &f, s, text)
		},
	}
	fl := cmd.Flags()
	fl.StringArrayVarP(&f.text, "execute", "e", nil, "run these `STATEMENTS`; may be repeated")
	fl.StringArrayVar(&f.tables, "table", nil, "a name for a table, `NAME=URL`; may be repeated")
	fl.StringVar(&f.catalog, "catalog", "", "the folder at this `URL` has tables, each in a folder of its name")
	fl.StringArrayVar(&f.views, "view", nil, "a name for a file, `NAME=FILE`; may be repeated")
	fl.StringArrayVar(&f.confs, "conf", nil, "a setting by Spark's name, `k=v`; may be repeated")
	fl.BoolVar(&f.keepGoing, "keep-going", false, "go on behind statements that fail; the exit status tells of them")
	fl.StringVar(&f.format, "format", "", "of rows: table, csv, jsonl, parquet or arrow (default: table)")
	fl.StringVar(&f.write.userMetadata, "user-metadata", "", "text to record in the commits")
	fl.StringVar(&f.write.hold, "hold", "", "when everything is prepared, create `PREFIX`.ready and wait for PREFIX.go before publishing")
	choices(cmd, "format", rowFormats)
	return cmd
}

// statements is the text to run.
func (a *app) statements(f *sqlFlags, args []string) (string, error) {
	switch {
	case len(f.text) > 0 && len(args) > 0:
		return "", usagef("-e and a file exclude each other")
	case len(f.text) > 0:
		return strings.Join(f.text, ";\n"), nil
	case len(args) == 0:
		return "", usagef("statements are missing: give -e, a file, or - for standard input")
	case stdin(args[0]):
		data, err := io.ReadAll(a.in)
		return string(data), err
	}
	data, err := os.ReadFile(args[0])
	return string(data), err
}

// session makes the session that the flags describe.
func (a *app) session(ctx context.Context, f *sqlFlags) (*sluice.Session, error) {
	if f.format != "" && !slices.Contains(rowFormats, f.format) {
		return nil, usagef("--format %s: want %s", f.format, strings.Join(rowFormats, ", "))
	}
	stores, err := pairs("--option", a.options)
	if err != nil {
		return nil, err
	}
	opts := []sluice.Option{sluice.WithWorkers(a.workers), sluice.WithMemoryLimit(a.memLimit)}
	for k, v := range stores {
		opts = append(opts, sluice.WithStorageOption(k, v))
	}
	s := sluice.NewSession(sluice.SessionOptions{Open: a.openUnread, UserMetadata: f.write.userMetadata, BeforePublish: f.write.beforePublish(), Options: opts})
	for flag, names := range map[string][]string{"--table": f.tables, "--view": f.views} {
		for _, pair := range names {
			name, at, ok := strings.Cut(pair, "=")
			switch {
			case !ok || name == "" || at == "":
				return nil, usagef("%s %s: want NAME=PLACE", flag, pair)
			case flag == "--table":
				s.Table(name, at)
			default:
				s.View(name, at)
			}
		}
	}
	confs, err := pairs("--conf", f.confs)
	if err != nil {
		return nil, err
	}
	for k, v := range confs {
		if err := s.Set(k, v); err != nil {
			return nil, usagef("--conf: %w", err)
		}
	}
	if f.catalog != "" {
		if err := s.Catalog(ctx, f.catalog); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// runSQL runs the statements of a text.
func (a *app) runSQL(ctx context.Context, f *sqlFlags, s *sluice.Session, text string) error {
	n, failed := 0, false
	for r, err := range s.SQL(ctx, text) {
		n++
		if err == nil {
			err = a.statement(ctx, f, n, r)
		}
		if err == nil {
			continue
		}
		if ctx.Err() != nil || !a.json && !f.keepGoing {
			return err
		}
		failed = true
		if a.json {
			if err := a.object(map[string]any{"statement": n, "error": a.failure(err)}); err != nil {
				return err
			}
		}
		fmt.Fprintf(a.errs, "sluice: statement %d: %v\n", n, err)
		if !f.keepGoing {
			break
		}
	}
	if failed {
		return told{}
	}
	return nil
}

// failure is an error for programs.
func (a *app) failure(err error) map[string]any {
	kind := kindOf(err)
	return map[string]any{"class": classOf(err, kind), "sqlState": sluice.SQLState(err), "kind": kind, "message": err.Error(), "detail": detailOf(err)}
}

// plan prints the one text of EXPLAIN as it is.
func (a *app) plan(ctx context.Context, r *sluice.SQLResult) error {
	for b, err := range r.Batches(ctx) {
		if err != nil {
			return err
		}
		for i := range int(b.NumRows()) {
			a.printf("%s", columns.Value(b.Column(0), i))
		}
	}
	return nil
}

// statement prints the result of one.
func (a *app) statement(ctx context.Context, f *sqlFlags, n int, r *sluice.SQLResult) error {
	switch {
	case a.json:
		return a.statementJSON(ctx, n, r)
	case r.Operation == "EXPLAIN" && (f.format == "" || f.format == "table"):
		return a.plan(ctx, r)
	case r.Commit != nil && !counts(r.Schema):
		a.committedStatement(r, "")
		if len(r.Schema.Fields) == 0 {
			return nil
		}
		return a.rows(ctx, r, r.Schema, f.format)
	case r.Commit != nil:
		rows := ""
		for b, err := range r.Batches(ctx) {
			if err != nil {
				return err
			}
			if b.NumCols() > 0 && b.NumRows() == 1 {
				rows = ": " + plural(columns.Value(b.Column(0), 0).(int64), "row")
			}
		}
		a.committedStatement(r, rows)
		return nil
	case len(r.Schema.Fields) == 0:
		a.printf("%s: done", r.Operation)
		return nil
	}
	return a.rows(ctx, r, r.Schema, f.format)
}

// counts reports whether a result is the numbers of rows that a statement touched.
func counts(s *types.Struct) bool {
	return len(s.Fields) > 0 && s.Fields[0].Name == "num_affected_rows"
}

// committedStatement says which version a statement made.
func (a *app) committedStatement(r *sluice.SQLResult, rows string) {
	if !r.Commit.Committed {
		a.printf("%s: nothing to change, the table stays at version %d", r.Operation, r.Commit.Version)
	} else {
		a.printf("%s: version %d%s", r.Operation, r.Commit.Version, rows)
	}
	for _, w := range r.Commit.Winners {
		a.printf("  %s", tell(w))
	}
}

// column is a column of a result for programs.
type column struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Nullable bool   `json:"nullable"`
}

// statementJSON prints one object. Rows are held until the last one is known,
// since an error makes it another object.
func (a *app) statementJSON(ctx context.Context, n int, r *sluice.SQLResult) error {
	var rows bytes.Buffer
	var line []byte
	for b, err := range r.Batches(ctx) {
		if err != nil {
			return err
		}
		for i := range int(b.NumRows()) {
			if rows.Len() > 0 {
				rows.WriteByte(',')
			}
			line = columns.AppendCanonicalRow(line[:0], b.Columns(), r.Schema, i)
			rows.Write(line)
		}
	}
	schema := []column{}
	for _, f := range r.Schema.Fields {
		schema = append(schema, column{f.Name, f.Type.String(), f.Nullable})
	}
	metrics := r.Metrics
	if metrics == nil {
		metrics = map[string]string{}
	}
	out := map[string]any{"statement": n, "operation": r.Operation, "schema": schema, "rows": raw("[" + rows.String() + "]"), "metrics": metrics}
	if c := r.Commit; c != nil {
		out["version"], out["committed"] = c.Version, c.Committed
	}
	return a.object(out)
}

// raw is JSON as it is.
type raw string

// MarshalJSON is part of json.Marshaler.
func (r raw) MarshalJSON() ([]byte, error) { return []byte(r), nil }
