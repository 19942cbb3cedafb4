// Package hostile reads tables that were made to do harm: paths that climb out of
// the table, counts that lie, nesting without end, little that becomes much,
// sidecars that name themselves. Each must end in an error, or in the rows that it
// rightly has, within a deadline and a ceiling of memory, having touched nothing
// outside of what was opened.
package hostile
