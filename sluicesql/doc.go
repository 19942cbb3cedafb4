// Package sluicesql is sluice for database/sql. Importing it registers the driver
// "sluice":
//
//	import _ "github.com/sluicelake/sluice/sluicesql"
//
//	db, err := sql.Open("sluice", "/data/lake")
//	rows, err := db.QueryContext(ctx, "SELECT city, count(*) FROM people WHERE since > ? GROUP BY city", since)
//
// A data source name is a catalog, the path or URL of a folder whose folders are
// tables, or options: see ParseDSN. NewConnector makes a sql.DB of a session instead.
//
// Values of placeholders (?, $1, :name with sql.Named) are bound as literals of
// their type: int64 is BIGINT, float64 DOUBLE, time.Time TIMESTAMP, []byte BINARY; a
// sluice.Decimal is DECIMAL and a civil.Day DATE. Rows give int64, float64, bool, string,
// []byte and time.Time; a DECIMAL is its text, a DATE midnight in UTC, and arrays, maps,
// structs and variants are JSON.
//
// A text may hold several statements: Exec runs them all and counts all their rows,
// Query runs each when Rows.NextResultSet comes to it.
//
// All connections of a sql.DB share one session: what SET and CREATE TEMPORARY VIEW do
// holds for all of them. There are no transactions over several statements: each
// statement is one, on one table, and Begin is ErrTransactions.
package sluicesql
