// Package rewrite is the ledger of a statement that changes rows: for each
// input file image what the statement did to it, and where the rows that it
// wrote ended up.
//
// Effects do not depend on other files, so when a winner removes, adds or
// re-marks a file only that file's entry changes. The actions to commit are
// derived from the ledger each time they are asked for.
package rewrite
