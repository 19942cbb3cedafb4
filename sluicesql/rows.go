package sluicesql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"iter"
	"reflect"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
	"github.com/sluicelake/sluice/types/civil"
)

// rows streams the results of statements: a batch is computed when it is asked for.
type rows struct {
	ctx  context.Context
	next func() (*sluice.SQLResult, error, bool) // statements
	stop func()

	now   *sluice.SQLResult
	ahead *sluice.SQLResult // HasNextResultSet had to run it
	err   error             // of ahead
	ended bool

	batches   func() (arrow.RecordBatch, error, bool)
	stopBatch func()
	batch     arrow.RecordBatch
	at        int
	get       []func(a arrow.Array, i int) driver.Value
}

var (
	_ driver.RowsNextResultSet              = (*rows)(nil)
	_ driver.RowsColumnTypeDatabaseTypeName = (*rows)(nil)
	_ driver.RowsColumnTypeNullable         = (*rows)(nil)
	_ driver.RowsColumnTypePrecisionScale   = (*rows)(nil)
	_ driver.RowsColumnTypeScanType         = (*rows)(nil)
)

// errEnd says that there is no further statement.
var errEnd = io.EOF

// look runs the next statement, once.
func (r *rows) look() {
	if r.ahead != nil || r.err != nil || r.ended {
		return
	}
	out, err, more := r.next()
	switch {
	case !more:
		r.ended = true
	case err != nil:
		r.err = err
	default:
		r.ahead = out
	}
}

// HasNextResultSet is part of driver.RowsNextResultSet. To know the answer it runs
// the next statement.
func (r *rows) HasNextResultSet() bool {
	r.look()
	return r.ahead != nil || r.err != nil
}

// NextResultSet is part of driver.RowsNextResultSet. What the statement before has
// not given yet is dropped.
func (r *rows) NextResultSet() error {
	r.endBatches()
	r.look()
	if r.err != nil {
		return r.err
	}
	if r.ended {
		return errEnd
	}
	r.now, r.ahead = r.ahead, nil
	r.get = nil
	for _, f := range r.now.Schema.Fields {
		r.get = append(r.get, getter(f.Type))
	}
	r.batches, r.stopBatch = iter.Pull2(r.now.Batches(r.ctx))
	return nil
}

func (r *rows) endBatches() {
	if r.stopBatch != nil {
		r.stopBatch()
	}
	r.batches, r.stopBatch, r.batch, r.at = nil, nil, nil, 0
}

// Close is part of driver.Rows; it ends what is still being computed.
func (r *rows) Close() error {
	r.endBatches()
	r.stop()
	r.ended = true
	return nil
}

// Columns is part of driver.Rows.
func (r *rows) Columns() []string { return r.now.Schema.Names() }

// Next is part of driver.Rows.
func (r *rows) Next(dest []driver.Value) error {
	for r.batch == nil || r.at >= int(r.batch.NumRows()) {
		if r.batches == nil {
			return io.EOF
		}
		b, err, more := r.batches()
		if err != nil {
			return err
		}
		if !more {
			return io.EOF
		}
		r.batch, r.at = b, 0
	}
	for i, get := range r.get {
		a := r.batch.Column(i)
		if columns.IsNull(a, r.at) {
			dest[i] = nil
			continue
		}
		dest[i] = get(a, r.at)
	}
	r.at++
	return nil
}

// getter gives the values of a column of a type; they share no memory with it.
func getter(t types.Type) func(a arrow.Array, i int) driver.Value {
	switch t.Kind() {
	case types.KindString:
		return func(a arrow.Array, i int) driver.Value { return strings.Clone(a.(*array.String).Value(i)) }
	case types.KindBinary:
		return func(a arrow.Array, i int) driver.Value { return append([]byte{}, a.(*array.Binary).Value(i)...) }
	case types.KindDate:
		return func(a arrow.Array, i int) driver.Value { return civil.Day(a.(*array.Date32).Value(i)).Time() }
	case types.KindTimestamp, types.KindTimestampNTZ:
		return func(a arrow.Array, i int) driver.Value {
			return time.UnixMicro(int64(a.(*array.Timestamp).Value(i))).UTC()
		}
	case types.KindDecimal:
		return func(a arrow.Array, i int) driver.Value { return columns.Value(a, i).(expr.Decimal).String() }
	case types.KindBoolean, types.KindByte, types.KindShort, types.KindInteger, types.KindLong, types.KindFloat, types.KindDouble:
		return func(a arrow.Array, i int) driver.Value { return columns.Value(a, i) }
	}
	return func(a arrow.Array, i int) driver.Value { return string(columns.AppendCanonicalValue(nil, a, t, i)) }
}

// ColumnTypeDatabaseTypeName is part of driver.RowsColumnTypeDatabaseTypeName: the
// name in SQL without parameters, for nested types with them.
func (r *rows) ColumnTypeDatabaseTypeName(i int) string {
	t := r.now.Schema.Fields[i].Type
	if t.Kind() == types.KindDecimal {
		return "DECIMAL"
	}
	return types.SQL(t)
}

// ColumnTypeNullable is part of driver.RowsColumnTypeNullable.
func (r *rows) ColumnTypeNullable(i int) (nullable, ok bool) {
	return r.now.Schema.Fields[i].Nullable, true
}

// ColumnTypePrecisionScale is part of driver.RowsColumnTypePrecisionScale.
func (r *rows) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	d, ok := r.now.Schema.Fields[i].Type.(types.Decimal)
	return int64(d.Precision), int64(d.Scale), ok
}

// ColumnTypeScanType is part of driver.RowsColumnTypeScanType: a Go type that holds
// every value of the column, NULL included where it can be.
func (r *rows) ColumnTypeScanType(i int) reflect.Type {
	f := r.now.Schema.Fields[i]
	switch f.Type.Kind() {
	case types.KindBoolean:
		return scanType[bool](f.Nullable)
	case types.KindByte, types.KindShort, types.KindInteger, types.KindLong:
		return scanType[int64](f.Nullable)
	case types.KindFloat, types.KindDouble:
		return scanType[float64](f.Nullable)
	case types.KindBinary:
		return reflect.TypeFor[[]byte]()
	case types.KindDate, types.KindTimestamp, types.KindTimestampNTZ:
		return scanType[time.Time](f.Nullable)
	}
	return scanType[string](f.Nullable)
}

func scanType[T any](nullable bool) reflect.Type {
	if nullable {
		return reflect.TypeFor[sql.Null[T]]()
	}
	return reflect.TypeFor[T]()
}
