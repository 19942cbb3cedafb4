// Package colstats makes and reads the statistics of a data file: number of
// records and, for each leaf column, the smallest and largest value and the
// number of NULLs (PROTOCOL.md, Per-file Statistics).
//
// Bounds are outer bounds: a minimum may be smaller and a maximum larger than
// what the file holds, never the other way round. A bound that cannot be
// stated or trusted is absent. Names are physical column names.
package colstats
