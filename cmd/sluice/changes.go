package main

import (
	"context"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/spf13/cobra"

	"github.com/sluicelake/sluice"
)

func (a *app) changes() *cobra.Command {
	var from, to, after, schemaAt, where, names, format string
	var limit int64
	cmd := &cobra.Command{
		Use:   "changes TABLE",
		Short: "Print what a range of versions inserted, updated and deleted",
		Long: `Print the change data feed: the rows that each version of a range changed, with _change_type (insert,
update_preimage, update_postimage, delete), _commit_version and _commit_timestamp. The table must
record changes (delta.enableChangeDataFeed) at every version of the range.

--from and --to take a version or a timestamp and are included; without --to the newest version is
the last. The place that was reached is told on standard error: --after takes it and goes on there.`,
		Example: `  sluice changes people --from 3
  sluice changes people --from 2026-11-01 --to 2026-11-02T12:00:00Z --where "country = 'UK'"
  sluice changes people --after c1:8:0:0:3ae4... --format jsonl`,
		Args: exactArgs("TABLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case from == "" && after == "":
				return usagef("--from is missing: want a version or a timestamp (or --after and a place that was reached)")
			case from != "" && after != "":
				return usagef("--from and --after exclude each other")
			case limit < 0:
				return usagef("--limit %d: want 0 or more", limit)
			case format != "" && !slices.Contains(rowFormats, format):
				return usagef("--format %s: want %s", format, strings.Join(rowFormats, ", "))
			}
			o := sluice.ChangeOptions{After: sluice.ChangeCursor(after), Where: where}
			var err error
			if o.From, err = place("from", from); err != nil {
				return err
			}
			if o.To, err = place("to", to); err != nil {
				return err
			}
			if o.SchemaAt, err = place("schema-at", schemaAt); err != nil {
				return err
			}
			if cmd.Flags().Changed("columns") {
				if o.Columns = splitNames(names); len(o.Columns) == 0 {
					return usagef("--columns names no column; * is all of them")
				}
			}
			t, err := a.openUnread(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer t.Close()
			feed := t.Changes(o)
			schema, err := feed.Schema(cmd.Context())
			if err != nil {
				return err
			}
			rows := &changeRows{feed: feed, limit: limit}
			if !cmd.Flags().Changed("limit") {
				rows.limit = -1
			}
			if err := a.rows(cmd.Context(), rows, schema, format); err != nil {
				return err
			}
			if rows.reached != "" {
				a.remark("go on with --after %s", rows.reached)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&from, "from", "", "the first version, or a `TIMESTAMP` at or after which it was committed")
	f.StringVar(&to, "to", "", "the last version, or a `TIMESTAMP` at or before which it was committed")
	f.StringVar(&after, "after", "", "go on behind this `PLACE`, which an earlier run told")
	f.StringVar(&schemaAt, "schema-at", "", "print the columns that the table had at this version or `TIMESTAMP`")
	f.StringVar(&where, "where", "", "print only rows that satisfy this `CONDITION`")
	f.StringVar(&names, "columns", "", "print only these columns, separated by commas")
	f.Int64VarP(&limit, "limit", "n", 0, "print at most this many rows")
	f.StringVar(&format, "format", "", "table, csv, jsonl, parquet or arrow (default: table; with --json jsonl)")
	choices(cmd, "format", rowFormats)
	return cmd
}

// place reads a version or a timestamp; "" is the newest version.
func place(flag, s string) (sluice.At, error) {
	if s == "" {
		return sluice.Latest(), nil
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && len(s) <= 8 {
		if n < 0 {
			return sluice.At{}, usagef("--%s %d: versions start at 0", flag, n)
		}
		return sluice.Version(n), nil
	}
	t, err := parseTime(s)
	if err != nil {
		return sluice.At{}, usagef("--%s %q is neither a version nor a timestamp: write 7, 2026-01-31, 2026-01-31T12:00:00Z or milliseconds", flag, s)
	}
	return sluice.Time(t), nil
}

// changeRows are the rows of a feed, and how far they were printed.
type changeRows struct {
	feed    *sluice.Changes
	limit   int64 // negative: all
	reached sluice.ChangeCursor
}

// Batches yields the rows. A batch that the limit cuts does not move the place.
func (c *changeRows) Batches(ctx context.Context) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		left := c.limit
		for b, err := range c.feed.Batches(ctx) {
			if err != nil {
				yield(nil, err)
				return
			}
			rec := b.RecordBatch
			if cut := left >= 0 && rec.NumRows() > left; cut {
				rec = rec.NewSlice(0, left)
			} else {
				c.reached = b.Cursor
			}
			left -= rec.NumRows()
			if rec.NumRows() > 0 && !yield(rec, nil) || left == 0 {
				return
			}
		}
	}
}
