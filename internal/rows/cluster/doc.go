// Package cluster writes rows of a table again in the order of a curve through
// the values of some columns, so that rows that are alike lie together and
// statistics of files, row groups and pages keep more of them from being read.
//
// A sample of those columns says where the curve is to be cut. Then every row is
// read once and put into the piece of the curve that it lies on; a piece fits into
// memory, is sorted, and written. What memory does not hold waits in a local file
// without a name. Nothing is published: the outputs are orphans until a commit
// adds them.
package cluster
