package optimize

import (
	"context"
	"sync"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// droppedColumns finds the files that hold columns that the table has no more:
// their footers say so. Only tables with column mapping can lose a column and keep
// their files (PROTOCOL.md, Column Mapping).
func droppedColumns(ctx context.Context, s *snapshot.Snapshot, spec Spec, o Options) (map[string]bool, error) {
	c := s.Columns()
	if c.Mode == feature.MappingNone {
		return nil, nil
	}
	p := &Plan{Spec: spec}
	pruner, err := p.bind(s, o.Expr)
	if err != nil {
		return nil, err
	}
	var (
		mu    sync.Mutex
		out   = map[string]bool{}
		group sync.WaitGroup
		next  = make(chan *action.Add)
		first error
	)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	src := scan.SourceOf(s)
	src.Columns = src.Columns.WithRowColumns(s.Metadata()) // which are not the user's to drop
	for range max(1, s.Env().Workers) * 2 {
		group.Go(func() {
			for a := range next {
				extra, err := scan.Extra(ctx, src, a)
				mu.Lock()
				if err != nil && first == nil {
					first = err
					cancel()
				}
				if len(extra) > 0 {
					out[a.Path] = true
				}
				mu.Unlock()
			}
		})
	}
	files := s.Files()
	for i := range files.Select(pruner) {
		if files.DV(i) == nil && ctx.Err() == nil {
			next <- files.Bare(i)
		}
	}
	close(next)
	group.Wait()
	return out, first
}
