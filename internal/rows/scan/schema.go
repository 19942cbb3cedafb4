package scan

import (
	"context"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/types"
)

// FileSchema is the schema that a data file has by itself: physical names, and the
// types in which values lie there. Partition columns are not part of it.
func FileSchema(ctx context.Context, src Source, a *action.Add) (*types.Struct, error) {
	f, done, err := open(ctx, src, a, false)
	if err != nil {
		return nil, src.fileError(a, err)
	}
	defer done()
	s, err := f.Schema()
	return s, src.fileError(a, err)
}
