package parse

import (
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/verbs/create"
)

// Listing is SHOW with a list of names: TABLES, VIEWS, DATABASES or CATALOGS.
type Listing struct {
	What    ListKind
	In      []string // the database, of tables and views; none is the current one
	Pattern string   // names to list, with * and |; "" lists all
}

// ListKind says which names are listed.
type ListKind int

// The lists of SHOW.
const (
	ListTables ListKind = iota
	ListViews
	ListDatabases
	ListCatalogs
)

// Use is USE: the database that names without one are in.
type Use struct{ Name []string }

// Kept is REFRESH, CACHE and UNCACHE: there is nothing to do, since every statement
// reads the newest version and files are cached below.
type Kept struct {
	Operation string
	Table     []string // none: all
	IfExists  bool
}

// Refused is a statement of Spark SQL that does not apply to a Delta table there either.
type Refused struct {
	Operation, Class, Why string
	Table                 []string
}

// CreateLike is CREATE TABLE ... LIKE another table. What the spec names stands
// instead of what the other table has.
type CreateLike struct {
	Table, Like []string
	Using       string
	Location    string
	Spec        create.Spec
}

// DescribeDatabase is DESCRIBE DATABASE.
type DescribeDatabase struct{ Name []string }

func (*Listing) statement()          {}
func (*Use) statement()              {}
func (*Kept) statement()             {}
func (*Refused) statement()          {}
func (*CreateLike) statement()       {}
func (*DescribeDatabase) statement() {}

// cataloguing reads the statements about names; ok is false for others.
func cataloguing(p *expr.Parser) (st Statement, ok bool, err error) {
	refused := func(operation, class, why string) (Statement, bool, error) {
		p.Accept("TABLE")
		name, err := p.ParseQualifiedName()
		for !p.Peek().Is(";") && p.Peek().Kind != expr.EOF && p.Peek().Kind != expr.Bad {
			p.Next()
		}
		return &Refused{Operation: operation, Class: class, Why: why, Table: name}, true, err
	}
	const forOthers = "NOT_SUPPORTED_COMMAND_FOR_V2_TABLE"
	switch {
	case p.Accept("USE"):
		if !p.Accept("DATABASE") && !p.Accept("SCHEMA") {
			p.Accept("NAMESPACE")
		}
		name, err := p.ParseQualifiedName()
		return &Use{name}, true, err
	case p.Accept("REFRESH", "TABLE"), p.Accept("REFRESH"):
		return keeping(p, "REFRESH TABLE")
	case p.Accept("CLEAR", "CACHE"):
		return &Kept{Operation: "CLEAR CACHE"}, true, nil
	case p.Accept("CACHE", "LAZY", "TABLE"), p.Accept("CACHE", "TABLE"):
		return keeping(p, "CACHE TABLE")
	case p.Accept("UNCACHE", "TABLE"):
		return keeping(p, "UNCACHE TABLE")
	case p.Accept("ANALYZE", "TABLE"):
		return refused("ANALYZE TABLE", forOthers, "the statistics of a Delta table are kept with each file, and are those of its newest version")
	case p.Accept("MSCK", "REPAIR", "TABLE"), p.Accept("REPAIR", "TABLE"):
		return refused("MSCK REPAIR TABLE", forOthers, "the partitions of a Delta table are in its log: FSCK REPAIR TABLE compares that with the files")
	case p.Accept("SHOW", "PARTITIONS"):
		return refused("SHOW PARTITIONS", "INVALID_PARTITION_OPERATION.PARTITION_MANAGEMENT_IS_UNSUPPORTED", "the partitions of a Delta table are values of its columns: SELECT DISTINCT them")
	case p.Accept("SHOW", "CREATE", "TABLE"):
		return refused("SHOW CREATE TABLE", "DELTA_OPERATION_NOT_ALLOWED", "DESCRIBE DETAIL and DESCRIBE TABLE EXTENDED say what the table is made of")
	case p.Accept("DESCRIBE", "DATABASE"), p.Accept("DESC", "DATABASE"), p.Accept("DESCRIBE", "SCHEMA"), p.Accept("DESC", "SCHEMA"):
		p.Accept("EXTENDED")
		name, err := p.ParseQualifiedName()
		return &DescribeDatabase{name}, true, err
	}
	return nil, false, nil
}

func keeping(p *expr.Parser, operation string) (Statement, bool, error) {
	k := &Kept{Operation: operation, IfExists: p.Accept("IF", "EXISTS")}
	var err error
	k.Table, err = p.ParseQualifiedName()
	return k, true, err
}

// listing reads what stands behind SHOW TABLES, VIEWS, DATABASES and CATALOGS.
func listing(p *expr.Parser, what ListKind) (Statement, error) {
	l := &Listing{What: what}
	var err error
	if p.Accept("FROM") || p.Accept("IN") {
		if l.In, err = p.ParseQualifiedName(); err != nil {
			return nil, err
		}
	}
	if like := p.Accept("LIKE"); like || p.Peek().Kind == expr.Text {
		l.Pattern, err = literal(p)
	}
	return l, err
}

// like reads CREATE TABLE name LIKE table and the clauses behind it.
func (c *Create) like(p *expr.Parser) (Statement, error) {
	out := &CreateLike{Table: c.Table}
	var err error
	if out.Like, err = p.ParseQualifiedName(); err != nil {
		return nil, err
	}
	if c.Spec.Replace {
		return nil, p.Errorf(p.Peek(), "REPLACE TABLE takes columns or a query, not LIKE")
	}
	for t := p.Peek(); ; t = p.Peek() {
		if t.Is("PARTITIONED") || t.Is("CLUSTER") || t.Is("AS") {
			return nil, p.Errorf(t, "CREATE TABLE LIKE takes columns and partitions from the other table: %s has no place", strings.ToUpper(t.Text))
		}
		done, err := c.clause(p)
		if err != nil {
			return nil, err
		}
		if done || c.Query != nil {
			break
		}
	}
	out.Using, out.Location, out.Spec = c.Using, c.Location, c.Spec
	return out, nil
}
