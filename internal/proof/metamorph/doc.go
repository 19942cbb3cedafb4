// Package metamorph runs the same random statements over tables that are laid out
// differently: with deletion vectors or copies, partitioned or not, columns mapped
// or not, in one file or many. The layout must not show: each statement gives the
// same rows, the same class of error and the same change feed on all of them.
//
// A seed decides the statements, Configs the layouts. A seed that fails is shrunk
// to the statements that are needed for the difference.
package metamorph
