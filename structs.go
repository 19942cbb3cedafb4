package sluice

import (
	"context"
	"fmt"
	"iter"
	"reflect"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/rows/structs"
	"github.com/sluicelake/sluice/types"
)

// Batched is what yields rows in batches: a *Scan, a *SQLResult, a *Changes, a Source.
type Batched[B arrow.RecordBatch] interface {
	Batches(ctx context.Context) iter.Seq2[B, error]
}

// FieldError says which field of a Go struct and which column do not fit together.
type FieldError = structs.Error

// Decimal is the exact value of a DECIMAL column: Unscaled / 10^Scale.
type Decimal = expr.Decimal

// structRows is how many structs are filled, or taken, at a time.
const structRows = 1024

// Rows yields rows as values of T, a struct or a pointer to one.
//
//	type Person struct {
//		ID    int64     `delta:"user_id"`
//		Name  *string   `delta:"name"`
//		Since time.Time `delta:"since,optional"`
//	}
//	for p, err := range sluice.Rows[Person](ctx, snapshot.Scan(sluice.ScanOptions{Where: "city = 'London'"})) {
//
// The column of a field is the name in its tag, or else its own name; case does not
// matter, and "-" leaves the field out. Behind the name may stand: optional, the column
// need not be there; nullable, NULL is the zero value, and the derived column may
// hold it; omitempty, the zero value is written as NULL; and, last, type=SQL TYPE for
// SchemaOf and FromStructs. Fields of embedded structs are fields of the row.
//
// These go together, in both directions: whole numbers with integers, where a value
// that does not fit is an error; FLOAT with float32, DOUBLE with float64; DECIMAL with
// Decimal, big.Rat, big.Int and string; STRING with string, and with types that
// are encoding.TextMarshaler and TextUnmarshaler; BINARY with []byte and arrays of bytes;
// DATE with civil.Day and time.Time; TIMESTAMP and TIMESTAMP_NTZ with time.Time (read in
// UTC, to the microsecond); ARRAY with slices, MAP with maps, STRUCT with structs.
// NULL is nil in pointers, slices and maps, and not Valid in the types of
// database/sql; elsewhere it is an error. A VARIANT is read into any, or as JSON
// into string and []byte. A field of type any takes values of all columns.
// Whatever does not fit is a *FieldError.
//
// A *Scan without Columns reads just the columns of T. The rows share no memory
// with the batches. An error comes once, last.
func Rows[T any, B arrow.RecordBatch](ctx context.Context, from Batched[B]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		r := rowReader[T]{}
		batches, err := narrowed[T](from)
		if err != nil {
			yield(none, err)
			return
		}
		for b, err := range batches.Batches(ctx) {
			if err == nil {
				for at := 0; at < int(b.NumRows()); at += structRows {
					var rows []T
					if rows, err = r.read(b, at, min(structRows, int(b.NumRows())-at)); err != nil {
						break
					}
					for i := range rows {
						if !yield(rows[i], nil) {
							return
						}
					}
				}
				r.before += b.NumRows()
			}
			if err != nil {
				yield(none, err)
				return
			}
		}
	}
}

// narrowed has a scan read only what T needs.
func narrowed[T any, B arrow.RecordBatch](from Batched[B]) (Batched[B], error) {
	scan, ok := any(from).(*Scan)
	if !ok || len(scan.o.Columns) > 0 {
		return from, nil
	}
	names, optional, err := structs.Columns(reflect.TypeFor[T]())
	if err != nil {
		return nil, err
	}
	schema, err := scan.Schema()
	if err != nil {
		return nil, err
	}
	var columns []string
	for i, name := range names {
		f, ok := schema.Field(name)
		if !ok && !optional[i] {
			return from, nil // the decoder has a good word for it
		}
		if ok {
			columns = append(columns, types.QuoteIdentifier(f.Name))
		}
	}
	if len(columns) == 0 {
		return from, nil
	}
	narrow := *scan
	narrow.o.Columns = columns
	return any(&narrow).(Batched[B]), nil
}

// rowReader keeps the plan for batches of one schema.
type rowReader[T any] struct {
	schema  *arrow.Schema
	decoder *structs.Decoder
	before  int64 // rows of earlier batches
	scratch []T
}

// read gives rows that hold until the next call.
func (r *rowReader[T]) read(b arrow.RecordBatch, from, n int) ([]T, error) {
	if r.decoder == nil || b.Schema() != r.schema && !b.Schema().Equal(r.schema) {
		var err error
		if r.decoder, err = structs.NewDecoder(reflect.TypeFor[T](), b.Schema()); err != nil {
			return nil, err
		}
	}
	r.schema = b.Schema()
	if cap(r.scratch) < n {
		r.scratch = make([]T, n)
	}
	rows := r.scratch[:n]
	return rows, r.decoder.Decode(b, from, reflect.ValueOf(rows), r.before)
}

// StructsOf is the rows of one batch as structs; see Rows. It is for those who want
// the batch too, for example the cursor of a ChangeBatch.
func StructsOf[T any](b arrow.RecordBatch) ([]T, error) {
	d, err := structs.NewDecoder(reflect.TypeFor[T](), b.Schema())
	if err != nil {
		return nil, err
	}
	rows := make([]T, b.NumRows())
	return rows, d.Decode(b, 0, reflect.ValueOf(rows), 0)
}

// SchemaOf is the schema for rows that are structs of type T; see Rows. Columns are
// NOT NULL unless the field is a pointer, slice, map or nullable type of database/sql,
// or says nullable or omitempty; inside of those everything may be NULL. Where the
// Go type leaves the type open, as Decimal does, the tag must have type=.
func SchemaOf[T any]() (*types.Struct, error) { return structs.SchemaOf(reflect.TypeFor[T]()) }

// FromStructs is a source of the rows in a slice; T is a struct or a pointer to
// one, as Rows tells. Its schema is SchemaOf. It can be read several times.
func FromStructs[T any](rows []T) (Source, error) {
	return fromStructs(reflect.TypeFor[T](), nil, reflect.ValueOf(rows))
}

func fromStructs(t reflect.Type, table *types.Struct, rows reflect.Value) (Source, error) {
	e, err := structs.NewEncoder(t, table)
	if err != nil {
		return nil, err
	}
	return &structSource{e, rows}, nil
}

// structSource is rows in a slice.
type structSource struct {
	e    *structs.Encoder
	rows reflect.Value
}

// batchRows is how many rows a batch of a struct source has.
const batchRows = 16_384

func (s *structSource) Schema() *types.Struct { return s.e.Schema() }
func (s *structSource) Rewindable() bool      { return true }

func (s *structSource) Batches(ctx context.Context) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		for at := 0; at < s.rows.Len(); at += batchRows {
			b, err := s.e.Encode(s.rows.Slice(at, min(at+batchRows, s.rows.Len())), int64(at))
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}

// FromRows is FromStructs for rows that come one after the other, such as those of
// Rows; an error among them ends the reading. The sequence is read as often as
// the source is, and a bounded number of its rows is held at a time. A sequence
// that can be read only once is enough for Append and Overwrite.
func FromRows[T any](rows iter.Seq2[T, error]) (Source, error) {
	e, err := structs.NewEncoder(reflect.TypeFor[T](), nil)
	if err != nil {
		return nil, err
	}
	return &rowSource[T]{e, rows}, nil
}

type rowSource[T any] struct {
	e    *structs.Encoder
	rows iter.Seq2[T, error]
}

func (s *rowSource[T]) Schema() *types.Struct { return s.e.Schema() }

func (s *rowSource[T]) Batches(ctx context.Context) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		held, before := make([]T, 0, structRows), int64(0)
		flush := func() bool {
			b, err := s.e.Encode(reflect.ValueOf(held), before)
			before += int64(len(held))
			clear(held)
			held = held[:0]
			return yield(b, err) && err == nil
		}
		for row, err := range s.rows {
			if err == nil && len(held) == 0 {
				err = ctx.Err()
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if held = append(held, row); len(held) == batchRows && !flush() {
				return
			}
		}
		if len(held) > 0 {
			flush()
		}
	}
}

// rowsFor makes a source of a slice of structs for a table's columns.
func rowsFor(table *types.Struct, rows any) (Source, error) {
	v := reflect.ValueOf(rows)
	if v.Kind() != reflect.Slice {
		return nil, fmt.Errorf("the rows are a slice of structs, not a value of type %T", rows)
	}
	return fromStructs(v.Type().Elem(), table, v)
}

// AppendRows is WriteRows for a slice of structs, or of pointers to structs: it
// writes the rows as data files of the table and returns their add actions, to be
// committed. Fields have the tags that Rows tells of, but the types are those of
// the table's columns: every field needs a column, and columns without a field
// get their defaults, or NULL.
func (x *Txn) AppendRows(ctx context.Context, rows any) ([]*action.Add, error) {
	src, err := rowsFor(x.x.Snapshot().Schema(), rows)
	if err != nil {
		return nil, x.fail(err)
	}
	return x.WriteRows(ctx, src)
}

// AppendRows is Append for a slice of structs, as in Txn.AppendRows. With
// MergeSchema the types are those of FromStructs, and fields may be new columns.
func (t *Table) AppendRows(ctx context.Context, rows any, o AppendOptions) (*WriteResult, error) {
	s, err := t.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	schema := s.Schema()
	if o.MergeSchema {
		schema = nil
	}
	src, err := rowsFor(schema, rows)
	if err != nil {
		return nil, t.fail("append to", err)
	}
	return t.Append(ctx, src, o)
}
