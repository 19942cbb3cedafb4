package query

import (
	"context"
	"iter"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/types"
)

// Catalog finds the relations that a query names.
type Catalog interface {
	// Relation opens a table, view or file. A name that means nothing is an error
	// of class TABLE_OR_VIEW_NOT_FOUND (see NotFound).
	Relation(ctx context.Context, name []string, at At) (Relation, error)
}

// Functions is a Catalog that has table-valued functions, such as table_changes.
type Functions interface {
	// Function opens what a function gives for constant arguments; ok is false
	// when there is none of that name (lower case).
	Function(ctx context.Context, name string, args []*expr.Literal) (r Relation, ok bool, err error)
}

// Views is a Catalog that has views defined by queries; a name is asked here first.
type Views interface {
	// View gives the query of a view, and the catalog in which its names are
	// looked up; ok is false when the name is no view.
	View(ctx context.Context, name []string) (q *Query, in Catalog, ok bool, err error)
}

// At says which state of a table is read. The zero value is the newest.
type At struct {
	Version   *int64
	Timestamp expr.Expr // a literal of type TIMESTAMP
}

// ScanOptions say what a query needs of a relation.
type ScanOptions struct {
	// Columns are the ordinals that are needed, ascending. The batches have
	// exactly these columns in this order; none still counts rows.
	Columns []int
	// Where is a condition bound to the schema. It is advice: every row for which
	// it is not TRUE may be left out, none has to be. Nil has no condition.
	Where expr.Expr
	// Limit is advice as well: more rows than this are not needed. 0 has no limit.
	Limit int64
}

// Relation is rows of one schema. It can be scanned several times.
type Relation interface {
	Schema() *types.Struct
	Scan(ctx context.Context, o ScanOptions) iter.Seq2[arrow.RecordBatch, error]
}
