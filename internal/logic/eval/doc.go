// Package eval computes bound expressions over Arrow columns, a batch at a time.
//
// Every node becomes one array. Constants stay one value long, numeric kernels
// are loops over plain slices, and a node that may fail is computed only for the
// rows that reach it: AND, OR, CASE and COALESCE narrow the batch first. So the
// errors are those of an engine that goes row by row.
package eval
