package main

import (
	"context"
	"encoding/csv"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/spf13/cobra"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// reading are the flags of commands that read rows.
type reading struct {
	at      atFlags
	where   string
	columns string
	limit   int64
	format  string
}

func (a *app) cat() *cobra.Command {
	var r reading
	cmd := &cobra.Command{
		Use:   "cat TABLE",
		Short: "Print the rows of a table",
		Long: `Print rows. The formats are table (for people), csv, jsonl (one canonical JSON object a row),
parquet and arrow (an IPC stream). The order of rows is not defined.

A column in --columns is a name, a.b for a member of a struct, * for all, or a member of the hidden column _metadata
(file_path, file_name, file_size, file_modification_time, row_index and, with row tracking, row_id and row_commit_version),
each with 'AS name' if another name is wanted. Backquote names with dots or commas. Conditions can use them too.`,
		Example: `  sluice cat people --where "country = 'UK'" --columns user_id,name --limit 5
  sluice cat people --version 3 --format jsonl`,
		Args: exactArgs("TABLE"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.print(cmd, args[0], &r) },
	}
	r.flags(cmd, 0)
	return cmd
}

func (a *app) head() *cobra.Command {
	var r reading
	cmd := &cobra.Command{
		Use:   "head TABLE",
		Short: "Print a few rows of a table",
		Args:  exactArgs("TABLE"),
		RunE:  func(cmd *cobra.Command, args []string) error { return a.print(cmd, args[0], &r) },
	}
	r.flags(cmd, 10)
	return cmd
}

func (r *reading) flags(cmd *cobra.Command, limit int64) {
	r.at.add(cmd)
	f := cmd.Flags()
	f.StringVar(&r.where, "where", "", "print only rows that satisfy this `CONDITION`")
	f.StringVar(&r.columns, "columns", "", "print only these columns, separated by commas")
	f.Int64VarP(&r.limit, "limit", "n", limit, "print at most this many rows")
	f.StringVar(&r.format, "format", "", "table, csv, jsonl, parquet or arrow (default: table; with --json jsonl)")
	choices(cmd, "format", rowFormats)
}

// snapshotOf opens a table at the version that the flags select.
func (a *app) snapshotOf(cmd *cobra.Command, url string, v *atFlags) (*sluice.Table, *sluice.Snapshot, error) {
	at, err := v.resolve(cmd)
	if err != nil {
		return nil, nil, err
	}
	t, err := a.openUnread(cmd.Context(), url)
	if err != nil {
		return nil, nil, err
	}
	s, err := t.Snapshot(cmd.Context(), at...)
	if err != nil {
		t.Close()
		return nil, nil, err
	}
	return t, s, nil
}

func (a *app) print(cmd *cobra.Command, url string, r *reading) error {
	if r.limit < 0 {
		return usagef("--limit %d: want 0 or more", r.limit)
	}
	if r.format != "" && !slices.Contains(rowFormats, r.format) {
		return usagef("--format %s: want %s", r.format, strings.Join(rowFormats, ", "))
	}
	t, s, err := a.snapshotOf(cmd, url, &r.at)
	if err != nil {
		return err
	}
	defer t.Close()
	o := sluice.ScanOptions{Where: r.where, Limit: r.limit}
	if cmd.Flags().Changed("columns") {
		if o.Columns = splitNames(r.columns); len(o.Columns) == 0 {
			return usagef("--columns names no column; * is all of them")
		}
	}
	if r.limit == 0 && cmd.Flags().Changed("limit") {
		o.Limit = sluice.NoRows
	}
	scan := s.Scan(o)
	schema, err := scan.Schema()
	if err != nil {
		return err
	}
	return a.rows(cmd.Context(), scan, schema, r.format)
}

// batches is what rows come from.
type batches interface {
	Batches(ctx context.Context) iter.Seq2[arrow.RecordBatch, error]
}

// rows prints rows in a format; "" is table, or with --json jsonl.
func (a *app) rows(ctx context.Context, from batches, schema *types.Struct, format string) error {
	if format == "" {
		format = "table"
		if a.json {
			format = "jsonl"
		}
	}
	if name, ok := twice(schema); ok && (format == "jsonl" || format == "parquet") {
		return usagef("two columns are called %s, which %s cannot hold: give one another name with AS", name, format)
	}
	switch format {
	case "csv":
		return a.asCSV(ctx, from, schema)
	case "jsonl":
		return a.asJSONL(ctx, from, schema)
	case "arrow":
		return a.asArrow(ctx, from, schema)
	case "parquet":
		return a.asParquet(ctx, from, schema)
	}
	return a.asTable(ctx, from, schema)
}

// rowFormats are the values of --format.
var rowFormats = []string{"table", "csv", "jsonl", "parquet", "arrow"}

// splitNames parts a list at the commas outside of backquotes.
func splitNames(s string) []string {
	out := []string{}
	quoted, from := false, 0
	for i := 0; i <= len(s); i++ {
		switch {
		case i == len(s) || s[i] == ',' && !quoted:
			if n := strings.TrimSpace(s[from:i]); n != "" {
				out = append(out, n)
			}
			from = i + 1
		case s[i] == '`':
			quoted = !quoted
		}
	}
	return out
}

// twice is a name that two columns have, for formats that cannot hold both.
func twice(s *types.Struct) (string, bool) {
	seen := map[string]bool{}
	for _, name := range s.Names() {
		if seen[name] {
			return name, true
		}
		seen[name] = true
	}
	return "", false
}

func (a *app) asJSONL(ctx context.Context, rows batches, schema *types.Struct) error {
	var line []byte
	for b, err := range rows.Batches(ctx) {
		if err != nil {
			return err
		}
		for i := range int(b.NumRows()) {
			line = append(columns.AppendCanonicalRow(line[:0], b.Columns(), schema, i), '\n')
			if _, err := a.out.Write(line); err != nil {
				return err
			}
		}
	}
	return nil
}

// cell is a value as text: strings bare, NULL as given, the rest canonical.
func cell(col arrow.Array, t types.Type, row int, null string) string {
	if columns.IsNull(col, row) {
		return null
	}
	text := string(columns.AppendCanonicalValue(nil, col, t, row))
	if v, ok := columns.Value(col, row).(string); ok && t.Kind() == types.KindString {
		return v
	}
	return strings.Trim(text, `"`)
}

// tableRows is how many rows are held to align the columns of a table.
const tableRows = 10_000

func (a *app) asTable(ctx context.Context, from batches, schema *types.Struct) error {
	var rows [][]string
	var right []int
	for i, f := range schema.Fields {
		if types.IsNumeric(f.Type) {
			right = append(right, i)
		}
	}
	header := schema.Names()
	shown := int64(0)
	for b, err := range from.Batches(ctx) {
		if err != nil {
			return err
		}
		if len(header) == 0 { // rows of nothing
			shown += b.NumRows()
			continue
		}
		for i := range int(b.NumRows()) {
			row := make([]string, len(header))
			for c := range row {
				row[c] = visible(cell(b.Column(c), schema.Fields[c].Type, i, "NULL"))
			}
			rows = append(rows, row)
			shown++
		}
		if len(rows) >= tableRows {
			a.table(header, rows, right...)
			rows = nil
		}
	}
	if len(rows) > 0 || shown == 0 && len(header) > 0 {
		a.table(header, rows, right...)
	}
	if err := a.out.Flush(); err != nil { // what people see is in order
		return err
	}
	a.remark("%s", plural(shown, "row"))
	return nil
}

// visible keeps control characters from breaking a table or a terminal.
func visible(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) }) {
		return s
	}
	q := strconv.Quote(s)
	return q[1 : len(q)-1]
}

func (a *app) asCSV(ctx context.Context, rows batches, schema *types.Struct) error {
	w := csv.NewWriter(a.out)
	if err := w.Write(schema.Names()); err != nil {
		return err
	}
	row := make([]string, len(schema.Fields))
	for b, err := range rows.Batches(ctx) {
		if err != nil {
			return err
		}
		for i := range int(b.NumRows()) {
			for c := range row {
				row[c] = cell(b.Column(c), schema.Fields[c].Type, i, "")
			}
			if len(row) == 1 && row[0] == "" { // a blank line is no record to many readers
				w.Flush()
				if _, err := a.out.WriteString("\"\"\n"); err != nil {
					return err
				}
				continue
			}
			if err := w.Write(row); err != nil {
				return err
			}
		}
	}
	w.Flush()
	return w.Error()
}

func (a *app) asArrow(ctx context.Context, rows batches, schema *types.Struct) error {
	as, err := columns.ArrowSchema(schema)
	if err != nil {
		return err
	}
	w := ipc.NewWriter(a.out, ipc.WithSchema(as))
	for b, err := range rows.Batches(ctx) {
		if err != nil {
			return err
		}
		if err := w.Write(b); err != nil {
			return err
		}
	}
	return w.Close()
}

func (a *app) asParquet(ctx context.Context, rows batches, schema *types.Struct) error {
	as, err := columns.ArrowSchema(schema)
	if err != nil {
		return err
	}
	w, err := pqarrow.NewFileWriter(as, a.out, parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy)), pqarrow.NewArrowWriterProperties())
	if err != nil {
		return err
	}
	for b, err := range rows.Batches(ctx) {
		if err != nil {
			return err
		}
		if err := w.WriteBuffered(b); err != nil {
			return err
		}
	}
	return w.Close()
}

func (a *app) count() *cobra.Command {
	var r reading
	cmd := &cobra.Command{
		Use:   "count TABLE",
		Short: "Count the rows of a table",
		Args:  exactArgs("TABLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, s, err := a.snapshotOf(cmd, args[0], &r.at)
			if err != nil {
				return err
			}
			defer t.Close()
			n, err := s.Scan(sluice.ScanOptions{Where: r.where}).Count(cmd.Context())
			if err != nil {
				return err
			}
			if a.json {
				return a.object(map[string]any{"version": s.Version(), "rows": n})
			}
			a.printf("%d", n)
			return nil
		},
	}
	r.at.add(cmd)
	cmd.Flags().StringVar(&r.where, "where", "", "count only rows that satisfy this `CONDITION`")
	return cmd
}
