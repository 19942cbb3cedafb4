// Package prune answers whether a data file can hold a row for which a
// predicate is true, from the file's partition values and statistics alone.
//
// A predicate is evaluated over sets: a scalar is the interval its values lie in
// and whether it may be NULL, a condition is the set of outcomes (true, false,
// NULL) that some row may have. A file is dropped only when true is impossible
// for a conjunct. Whatever is not understood may have any outcome, so an unknown
// function or a missing statistic keeps the file.
package prune
