package optimize

import (
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/types"
)

// find gives the positions on the way to a column, from the top-level column down.
func find(s *snapshot.Snapshot, path []string) (ordinals []int, ok bool) {
	at := s.Schema()
	for i, name := range path {
		k := at.Index(name)
		if k < 0 {
			return nil, false
		}
		ordinals = append(ordinals, k)
		if i == len(path)-1 {
			return ordinals, true
		}
		if at, ok = at.Fields[k].Type.(*types.Struct); !ok {
			return nil, false
		}
	}
	return nil, false
}
