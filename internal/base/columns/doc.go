// Package columns is what every other package does with Arrow arrays: the mapping
// between Delta types and Arrow types, taking and concatenating rows, constants,
// single values, and the canonical text of a row.
//
// One Delta type has exactly one Arrow type (ArrowType); code above this package
// may rely on that and switch on the Delta type alone. Memory is the Go
// collector's: nobody releases arrays, and an array is never changed once made.
package columns
