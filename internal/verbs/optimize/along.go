package optimize

import "context"

// sort writes the rows along a curve.
func (m *mover) sort(context.Context, *job) error {
	return refuse("UNSUPPORTED_FEATURE.NOT_BUILT", "sorting along a curve is not built yet")
}
