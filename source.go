package sluice

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/internal/rows/source"
	"github.com/sluicelake/sluice/types"
)

// Source yields rows to write or to merge.
type Source = source.Source

// SourceOptions say how a source is read.
type SourceOptions = source.Options

// SourceFormat is the encoding of a source: "json", "csv", "parquet", or "" to
// find out.
type SourceFormat = source.Format

// BadRecords says what becomes of records that cannot be read: "fail", "drop"
// or "permissive".
type BadRecords = source.Mode

// RecordError names the record of a source that cannot be read, and where it is.
type RecordError = source.RecordError

// FromFile reads a JSON, CSV or Parquet file; the format follows the name
// unless the options say it. "-" is standard input.
func FromFile(ctx context.Context, path string, o SourceOptions) (Source, error) {
	src, err := source.Open(ctx, path, o)
	return src, mark(err)
}

// FromReader reads JSON or CSV from a stream, once.
func FromReader(ctx context.Context, r io.Reader, o SourceOptions) (Source, error) {
	src, err := source.OpenReader(ctx, r, o)
	return src, mark(err)
}

// FromRecords is a source of Arrow record batches in memory; a nil schema takes
// that of the first batch. Arrow types that Delta does not have are converted.
func FromRecords(schema *types.Struct, batches ...arrow.RecordBatch) (Source, error) {
	return source.FromRecords(schema, batches...)
}
