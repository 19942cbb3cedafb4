// Package query is SELECT: text to a tree (Parse), the tree to a plan over the
// relations of a catalog (Bind), the plan to batches (Run).
//
// A plan is a tree of nodes; each hands batches upwards when they are pulled. The
// columns of a batch have fixed ordinals, and one that nobody needs is nil, so
// nothing is renumbered when columns are left out. What a node must hold (the
// right side of a join, groups, rows to sort, rows of windows) is counted against the memory of the
// environment; there is no spilling to disk.
//
// Names, types, coercions and error classes are those of Spark SQL in ANSI mode.
package query
