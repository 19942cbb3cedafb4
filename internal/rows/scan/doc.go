// Package scan turns the data files of a table into rows.
//
// A file's rows are what its Parquet holds, less the rows that its deletion
// vector names, plus its partition values, under the logical names of the table.
// A predicate only saves work: row groups and pages that cannot match are not
// read, rows are never filtered.
package scan
