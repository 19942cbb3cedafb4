package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/types"
)

// textFormat is JSON or CSV.
type textFormat interface {
	// infer reads a whole input and says what it holds.
	infer(w *window, o Options) (*types.Struct, error)
	// rows begins to read an input into columns.
	rows(w *window, o Options, b *builder) (rowReader, error)
}

// rowReader appends the next record to its builder. A problem is a *syntaxError (the
// row is unusable) or a *valueError (the row is complete, with NULL where a value
// did not fit). err is io.EOF at the end.
type rowReader interface {
	read() (rec record, problem, err error)
}

// record is where a record was found. Its text is valid until the next read.
type record struct {
	number, line, offset int64
	text                 []byte
}

func (r record) fail(source string, problem error) *RecordError {
	e := &RecordError{Source: source, Record: r.number, Line: r.line, Offset: r.offset, Reason: problem.Error(), Text: clip(r.text, 120)}
	var v *valueError
	if errors.As(problem, &v) {
		e.Field = v.path
	}
	return e
}

// textSource reads a text format.
type textSource struct {
	badCount
	in     input
	o      Options
	format textFormat
	schema *types.Struct
}

func openText(ctx context.Context, in input, o Options, f textFormat) (Source, error) {
	s := &textSource{in: in, o: o, format: f}
	if o.Schema != nil {
		s.schema = nullable(o.Schema).(*types.Struct)
	} else {
		err := s.visit(ctx, func(w *window) (err error) {
			s.schema, err = f.infer(w, o)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if o.Mode == Permissive {
		if i := s.schema.Index(o.CorruptColumn); i < 0 {
			s.schema = types.NewStruct(append(s.schema.Fields[:len(s.schema.Fields):len(s.schema.Fields)],
				types.Field{Name: o.CorruptColumn, Type: types.String, Nullable: true})...)
		} else if t := s.schema.Fields[i].Type; t != types.String {
			return nil, fmt.Errorf("%s: the column %s keeps bad records and must be a STRING, not %s", o.Name, o.CorruptColumn, t)
		}
	}
	if _, err := newBuilder(s.schema, o); err != nil {
		return nil, fmt.Errorf("%s: %w", o.Name, err)
	}
	return s, nil
}

func (s *textSource) Schema() *types.Struct { return s.schema }

func (s *textSource) Rewindable() bool { return s.in.again() }

// visit opens the input for f.
func (s *textSource) visit(ctx context.Context, f func(w *window) error) (err error) {
	raw, err := s.in.open(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", s.o.Name, err)
	}
	r, err := decompress(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", s.o.Name, err)
	}
	defer r.Close()
	w, err := newWindow(ctx, r, s.o.MaxRecord)
	if err == nil {
		err = f(w)
	}
	var re *RecordError
	if err != nil && !errors.As(err, &re) {
		err = fmt.Errorf("%s: %w", s.o.Name, err)
	}
	return err
}

// errStop ends a visit because the consumer has had enough.
var errStop = errors.New("stop")

func (s *textSource) Batches(ctx context.Context) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		s.n.Store(0)
		err := s.visit(ctx, func(w *window) error {
			b, err := newBuilder(s.schema, s.o)
			if err != nil {
				return err
			}
			rows, err := s.format.rows(w, s.o, b)
			if err != nil {
				return err
			}
			return s.pump(w, rows, b, yield)
		})
		if err != nil && !errors.Is(err, errStop) {
			yield(nil, err)
		}
	}
}

// pump reads all rows and yields them in batches.
func (s *textSource) pump(w *window, rows rowReader, b *builder, yield func(arrow.RecordBatch, error) bool) error {
	begin := w.offset()
	for {
		rec, problem, err := rows.read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if problem != nil {
			s.n.Add(1)
			if s.o.Mode == Fail {
				return rec.fail(s.o.Name, problem)
			}
		}
		if err := b.end(rec, problem, s.o.Mode); err != nil {
			return rec.fail(s.o.Name, err)
		}
		if b.n >= s.o.BatchRows || w.offset()-begin >= batchBytes {
			if b.n > 0 && !yield(b.batch(), nil) {
				return errStop
			}
			begin = w.offset()
		}
	}
	if b.n > 0 && !yield(b.batch(), nil) {
		return errStop
	}
	return nil
}

// nullable is t with everything in it nullable, since a text may leave
// anything out.
func nullable(t types.Type) types.Type {
	switch x := t.(type) {
	case *types.Struct:
		out := &types.Struct{Fields: make([]types.Field, len(x.Fields))}
		for i, f := range x.Fields {
			f.Type, f.Nullable = nullable(f.Type), true
			out.Fields[i] = f
		}
		return out
	case *types.Array:
		return &types.Array{Element: nullable(x.Element), ContainsNull: true}
	case *types.Map:
		return &types.Map{Key: x.Key, Value: nullable(x.Value), ValueContainsNull: true}
	}
	return t
}
