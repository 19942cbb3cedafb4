package source

import (
	"errors"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// builder collects the rows of a batch: the columns of data, and in
// Permissive mode the column that keeps bad records.
type builder struct {
	schema  *arrow.Schema
	data    *fields // without the corrupt column
	corrupt *textColumn
	at      int // position of the corrupt column
	n       int // complete rows
}

func newBuilder(schema *types.Struct, o Options) (*builder, error) {
	as, err := columns.ArrowSchema(schema)
	if err != nil {
		return nil, err
	}
	b := &builder{schema: as, at: -1}
	data := schema
	if o.Mode == Permissive {
		b.at, b.corrupt = schema.Index(o.CorruptColumn), newText()
		data = &types.Struct{}
		for i, f := range schema.Fields {
			if i != b.at {
				data.Fields = append(data.Fields, f)
			}
		}
	}
	b.data, err = newFields(data, &convert{now: o.Now})
	return b, err
}

// rollback removes what an unfinished row has left.
func (b *builder) rollback() {
	b.data.at = 0
	for _, c := range b.data.cols {
		c.truncate(b.n)
	}
}

// end completes the row that a reader has appended, or deals with a bad one.
func (b *builder) end(rec record, problem error, mode Mode) error {
	if problem == nil {
		if b.corrupt != nil {
			b.corrupt.null()
		}
		b.n++
		return nil
	}
	var syntax *syntaxError
	if unusable := errors.As(problem, &syntax); unusable || mode == Drop {
		b.rollback()
	}
	if mode == Drop {
		return nil
	}
	b.data.complete(b.n)
	b.n++
	return b.corrupt.text(toUTF8(rec.text))
}

// batch hands out the rows and starts anew.
func (b *builder) batch() arrow.RecordBatch {
	var cols []arrow.Array
	for i, c := range b.data.cols {
		if i == b.at {
			cols = append(cols, array.MakeFromData(b.corrupt.finish()))
		}
		cols = append(cols, array.MakeFromData(c.finish()))
	}
	if b.at == len(b.data.cols) {
		cols = append(cols, array.MakeFromData(b.corrupt.finish()))
	}
	n := b.n
	b.n = 0
	return array.NewRecordBatch(b.schema, cols, int64(n))
}
