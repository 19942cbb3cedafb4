// Package write puts rows into data files of a table: it checks constraints,
// routes rows to partitions, encodes Parquet, collects statistics and says where
// each row went. It publishes nothing; a file is an orphan until a commit adds it.
//
// Rows are kept as they came until there are enough for a good piece of work,
// then encoded behind the caller's back, one piece at a time for each file. An
// open file that has seen few rows costs little, so a statement may write to
// thousands of partitions; when memory runs short the largest file is closed.
package write
