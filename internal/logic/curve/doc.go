// Package curve puts rows into the order of a curve through the space of some
// columns, so that neighbours on the curve are alike in every one of them.
//
// A value becomes the number of the range that it falls into; a sample cuts the
// ranges so that each holds as many rows. The numbers of several columns become
// one key: their bits in turn (Z-order), or the length of the way along Hilbert's
// curve, which makes no jumps. One column alone is put into its own order.
package curve

// Kind is the shape of a curve.
type Kind uint8

// The shapes.
const (
	ZOrder Kind = iota
	Hilbert
)
