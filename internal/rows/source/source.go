// Package source turns files that are not tables - JSON, CSV, Parquet, or batches
// in memory - into Arrow record batches of one schema.
//
// Text is parsed straight from bytes into columns, a bounded batch at a time;
// a record that does not fit its schema is an error that says where it is, or is
// dropped, or is kept in a column of its own, as the caller chooses.
package source

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/types"
)

// Source yields rows in batches. A batch belongs to the loop body until the
// next step; an error is yielded once, last.
type Source interface {
	Schema() *types.Struct
	Batches(ctx context.Context) iter.Seq2[arrow.RecordBatch, error]
}

// Rewindable is a Source whose Batches may be called more than once.
type Rewindable interface {
	Source
	Rewindable() bool
}

// Tolerant is a Source that may pass over bad records.
type Tolerant interface {
	Source
	// BadRecords is how many bad records the last complete Batches met.
	BadRecords() int64
}

// Format is the encoding of a source.
type Format string

// The formats. "" is found from the name's extension or the first byte.
const (
	JSON    Format = "json"
	CSV     Format = "csv"
	Parquet Format = "parquet"
)

// Mode says what happens to a record that cannot be read.
type Mode string

// The modes, named after Spark's FAILFAST, DROPMALFORMED and PERMISSIVE. "" is Fail.
const (
	Fail       Mode = "fail"       // the read ends with a *RecordError
	Drop       Mode = "drop"       // the record is left out
	Permissive Mode = "permissive" // the record's text goes to the corrupt column
)

// CorruptColumn is the usual name of the column that keeps bad records.
const CorruptColumn = "_corrupt_record"

// Options say how to read. The zero value infers everything and fails on the
// first bad record.
type Options struct {
	Format Format
	// Schema is the declared schema; nil infers it, which reads the whole source once.
	// A declared column that the source lacks is NULL; one that is not declared is ignored.
	Schema        *types.Struct
	Mode          Mode
	CorruptColumn string // "" is CorruptColumn; added to the schema in Permissive mode unless declared
	CSV           CSVOptions
	Name          string    // for messages; "" is the path
	Now           time.Time // the day of timestamps that have only a time
	BatchRows     int       // 0 is 65,536
	MaxRecord     int       // bytes of one record; 0 is 256 MiB
}

// CSVOptions describe the dialect of a CSV source. The zero value is RFC 4180 with
// a header.
type CSVOptions struct {
	Delimiter byte   // 0 is the comma
	Quote     byte   // 0 is the double quote
	Escape    byte   // inside quotes, besides the doubled quote; 0 is none
	Comment   byte   // a line that begins with it is skipped; 0 is none
	NoHeader  bool   // columns are by position; inferred names are _c0, _c1, ...
	Null      string // the unquoted text that is NULL, besides the empty one
}

const (
	defaultBatchRows = 65_536
	batchBytes       = 32 << 20 // of text, after which a batch is full
	defaultMaxRecord = 256 << 20
)

func (o Options) withDefaults() (Options, error) {
	if o.Mode == "" {
		o.Mode = Fail
	}
	if o.Mode != Fail && o.Mode != Drop && o.Mode != Permissive {
		return o, fmt.Errorf("source mode %q is not known; want %s, %s or %s", o.Mode, Fail, Drop, Permissive)
	}
	if o.CorruptColumn == "" {
		o.CorruptColumn = CorruptColumn
	}
	if o.BatchRows <= 0 {
		o.BatchRows = defaultBatchRows
	}
	if o.MaxRecord <= 0 {
		o.MaxRecord = defaultMaxRecord
	}
	return o, nil
}

// Open opens a file by path or URL. The source can be read more than once.
func Open(ctx context.Context, location string, o Options) (Source, error) {
	if o.Name == "" {
		o.Name = location
	}
	if o.Format == "" {
		o.Format = formatOf(location)
	}
	return open(ctx, fileInput(location), o)
}

// OpenReader reads from a stream, for example standard input. With a declared
// schema it is read once, as it comes; otherwise (and always for Parquet) it is
// first taken into memory.
func OpenReader(ctx context.Context, r io.Reader, o Options) (Source, error) {
	if o.Name == "" {
		o.Name = "the input"
	}
	if o.Schema != nil && (o.Format == JSON || o.Format == CSV) {
		return open(ctx, &streamInput{r: r}, o)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Name, err)
	}
	if o.Format == "" {
		o.Format = sniffFormat(data)
	}
	return open(ctx, bytesInput(data), o)
}

func open(ctx context.Context, in input, o Options) (Source, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	switch o.Format {
	case JSON:
		return openText(ctx, in, o, newJSONFormat())
	case CSV:
		f, err := newCSVFormat(o.CSV)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.Name, err)
		}
		return openText(ctx, in, o, f)
	case Parquet:
		return openParquet(ctx, in, o)
	case "":
		return nil, fmt.Errorf("%s: the format cannot be told from the name; say json, csv or parquet", o.Name)
	}
	return nil, fmt.Errorf("%s: the source format %q is not known; want json, csv or parquet", o.Name, o.Format)
}

// formatOf knows a format by its extension, below that of a compression.
func formatOf(name string) Format {
	name = strings.ToLower(name)
	for _, c := range []string{".gz", ".gzip", ".zst", ".zstd", ".bz2"} {
		name = strings.TrimSuffix(name, c)
	}
	switch path.Ext(name) {
	case ".json", ".jsonl", ".ndjson", ".geojson":
		return JSON
	case ".csv", ".tsv":
		return CSV
	case ".parquet", ".parq", ".pq":
		return Parquet
	}
	return ""
}

func sniffFormat(data []byte) Format {
	if bytes.HasPrefix(data, []byte("PAR1")) {
		return Parquet
	}
	if t := bytes.TrimLeft(bytes.TrimPrefix(data, bom), " \t\r\n"); len(t) > 0 && (t[0] == '{' || t[0] == '[') {
		return JSON
	}
	return ""
}

// badCount is embedded by sources that are Tolerant.
type badCount struct{ n atomic.Int64 }

// BadRecords is how many bad records the last complete Batches met.
func (b *badCount) BadRecords() int64 { return b.n.Load() }
