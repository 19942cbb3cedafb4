package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/types"
)

// sourceFlags say where rows come from.
type sourceFlags struct {
	file, format, schema string
	bad                  string
	header               bool
	delimiter            string
	null                 string
}

func (s *sourceFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.file, "source", "", "the `FILE` with the rows, a path or URL; - is standard input")
	f.StringVar(&s.format, "source-format", "", "json, csv, parquet or delta (default: by the name of the file)")
	f.StringVar(&s.schema, "source-schema", "", "the columns of the source, as in CREATE TABLE (default: found by reading it; CSV: text)")
	f.StringVar(&s.bad, "source-bad-records", "fail", "what becomes of records that cannot be read: fail, drop, or permissive (kept, with the text in _corrupt_record)")
	f.BoolVar(&s.header, "source-header", true, "the first line of a CSV file names its columns")
	f.StringVar(&s.delimiter, "source-delimiter", ",", "what separates the fields of a CSV file")
	f.StringVar(&s.null, "source-null", "", "the text that means NULL in a CSV file")
	choices(cmd, "source-format", sourceFormats)
	choices(cmd, "source-bad-records", badRecords)
	_ = cmd.MarkFlagRequired("source")
}

var (
	sourceFormats = []string{"json", "csv", "parquet", "delta"}
	badRecords    = []string{"fail", "drop", "permissive"}
)

// options checks the flags.
func (s *sourceFlags) options() (o sluice.SourceOptions, err error) {
	if s.format != "" && !slices.Contains(sourceFormats, s.format) {
		return o, usagef("--source-format %s: want %s", s.format, strings.Join(sourceFormats, ", "))
	}
	if !slices.Contains(badRecords, s.bad) {
		return o, usagef("--source-bad-records %s: want %s", s.bad, strings.Join(badRecords, ", "))
	}
	if len(s.delimiter) != 1 {
		return o, usagef("--source-delimiter %q: want one character", s.delimiter)
	}
	o = sluice.SourceOptions{Format: sluice.SourceFormat(s.format), Mode: sluice.BadRecords(s.bad)}
	o.CSV.NoHeader, o.CSV.Null, o.CSV.Delimiter = !s.header, s.null, s.delimiter[0]
	if s.schema != "" {
		if o.Schema, err = types.ParseDDL(s.schema); err != nil {
			return o, usagef("--source-schema: %w", err)
		}
	}
	return o, nil
}

// source opens the source; closeSource frees it.
func (a *app) source(ctx context.Context, s *sourceFlags) (src sluice.Source, closeSource func(), err error) {
	nothing := func() {}
	o, err := s.options()
	if err != nil {
		return nil, nothing, err
	}
	if s.format == "delta" {
		t, err := a.open(ctx, s.file)
		if err != nil {
			return nil, nothing, err
		}
		snap, err := t.Snapshot(ctx)
		if err != nil {
			return nil, nothing, errors.Join(err, t.Close())
		}
		return snap.AsSource(), func() { t.Close() }, nil
	}
	if stdin(s.file) {
		src, err = sluice.FromReader(ctx, a.in, o)
	} else {
		if info, err := os.Stat(s.file); err == nil && info.IsDir() {
			return nil, nothing, fmt.Errorf("the source %s is a directory: want a file, or a Delta table and --source-format delta", s.file)
		}
		src, err = a.fromFile(ctx, s.file, o)
	}
	if err != nil {
		return nil, nothing, fmt.Errorf("the source %w", err)
	}
	return src, nothing, nil
}
