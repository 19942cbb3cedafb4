package parse

import (
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/sql/query"
	"github.com/sluicelake/sluice/internal/verbs/alter"
	"github.com/sluicelake/sluice/internal/verbs/create"
)

// Statement is one statement of SQL text: a *Select, *Insert, *Merge, *Change,
// *Optimize, *Create, *CreateView, *Drop, *Alter, *Describe, *ShowProperties, *ShowColumns,
// *Listing, *Use, *Kept, *Refused, *CreateLike, *DescribeDatabase, *Set, *Explain or *Unbuilt.
type Statement interface{ statement() }

// Select is a query by itself.
type Select struct{ Query *query.Query }

// Insert is INSERT INTO or INSERT OVERWRITE.
type Insert struct {
	Target    []string
	Overwrite bool
	Partition []PartitionValue
	Columns   []string // the columns that the query's columns go to, in order; none: all
	ByName    bool
	Where     expr.Expr // REPLACE WHERE
	Evolve    bool      // WITH SCHEMA EVOLUTION
	Query     *query.Query
}

// PartitionValue is one entry of PARTITION (...). Value is nil for a column whose
// values come from the query.
type PartitionValue struct {
	Column string
	Value  expr.Expr
}

// Create is CREATE TABLE or REPLACE TABLE. The schema of the spec is nil when
// the query gives the columns.
type Create struct {
	Table    []string
	Using    string // the format, "" when it is not said
	Location string // "" when it is not said
	Spec     create.Spec
	Query    *query.Query // AS; nil: none
}

// CreateView is CREATE [OR REPLACE] TEMPORARY VIEW.
type CreateView struct {
	Name    []string
	Replace bool
	Columns []string
	Query   *query.Query
}

// Drop is DROP TABLE or DROP VIEW.
type Drop struct {
	Table    []string
	View     bool
	IfExists bool
}

// Alter is ALTER TABLE or COMMENT ON TABLE: changes that are made one by one.
type Alter struct {
	Table   []string
	Changes []alter.Change
}

// Describe is DESCRIBE.
type Describe struct {
	Table []string
	What  DescribeKind
	Limit int // of a history; 0 is all
	// Column is what DESCRIBE table column describes.
	Column []string
	Query  *query.Query // DESCRIBE QUERY
}

// DescribeKind says what is described.
type DescribeKind int

// The kinds of DESCRIBE.
const (
	DescribeColumns DescribeKind = iota
	DescribeExtended
	DescribeHistory
	DescribeDetail
)

// ShowProperties is SHOW TBLPROPERTIES; Key is "" for all.
type ShowProperties struct {
	Table []string
	Key   string
}

// ShowColumns is SHOW COLUMNS.
type ShowColumns struct{ Table []string }

// Set is SET key = value; without Key it lists settings, without HasValue it
// shows one, and Reset takes settings back.
type Set struct {
	Key, Value string
	HasValue   bool
	Reset      bool
}

// Unbuilt is a statement of Spark SQL that is understood as far as its name, and
// not carried out.
type Unbuilt struct{ What string }

func (*Select) statement()         {}
func (*Insert) statement()         {}
func (*Merge) statement()          {}
func (*Change) statement()         {}
func (*Create) statement()         {}
func (*CreateView) statement()     {}
func (*Drop) statement()           {}
func (*Alter) statement()          {}
func (*Describe) statement()       {}
func (*ShowProperties) statement() {}
func (*ShowColumns) statement()    {}
func (*Set) statement()            {}
func (*Unbuilt) statement()        {}
