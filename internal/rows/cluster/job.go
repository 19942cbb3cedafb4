package cluster

import (
	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/logic/curve"
	"github.com/sluicelake/sluice/internal/rows/write"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// Job is what to write again, and in which order.
type Job struct {
	Snapshot *snapshot.Snapshot
	Env      *env.Env
	Files    []*action.Add // of any partitions; each partition gets files of its own
	By       [][]string    // logical names: of a column, or of the way to a field inside of structs
	Curve    curve.Kind
	Target   int64 // bytes of a file; 0 takes the table's
	// Place asks for Result.Place.
	Place bool
	// Progress is told how many rows and bytes of the inputs are done, one call at
	// a time; nil when nobody asks. Reading counts half, writing the other half.
	Progress func(rows, bytes int64)
}

// Result is what was written.
type Result struct {
	Outputs []*write.Output // by partition, in the order of the curve
	Rows    int64
	// Place says where the rows went; nil when the job did not ask.
	Place *Placement
}
