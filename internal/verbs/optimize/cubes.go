package optimize

import (
	"encoding/json"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// The tags by which the reference knows files that were clustered together.
const (
	tagCube     = "ZCUBE_ID"
	tagCubeBy   = "ZCUBE_ZORDER_BY"
	liquid      = "liquid"
	leastCube   = 100 << 30 // a cube of that size is left alone
	largestCube = 150 << 30
)

// cubes puts the files of a clustered table that are not clustered yet, and those
// of cubes that are small, into bins that each become a cube.
func (x *sorting) cubes(s *snapshot.Snapshot, spec Spec, groups []*group) ([]*Bin, error) {
	var names []string
	for _, path := range x.by {
		names = append(names, strings.Join(path, "."))
	}
	by, err := json.Marshal(names)
	if err != nil {
		return nil, err
	}
	var files []*action.Add
	size := map[string]int64{}
	for _, g := range groups {
		for _, c := range g.files {
			a := s.Files().Add(c.number)
			other := a.ClusteringProvider != nil && *a.ClusteringProvider != liquid ||
				a.Tags[tagCube] != "" && a.Tags[tagCubeBy] != string(by)
			if other && !spec.Full {
				continue
			}
			files = append(files, a)
			if !other {
				size[a.Tags[tagCube]] += a.Size
			}
		}
	}
	var out []*Bin
	open, seen := (*Bin)(nil), map[string]bool{}
	for _, a := range files {
		cube := a.Tags[tagCube]
		if a.Tags[tagCubeBy] != string(by) {
			cube = ""
		}
		if cube != "" && size[cube] >= leastCube {
			continue
		}
		seen[cube] = true
		if open == nil || open.Bytes+a.Size > largestCube {
			open = &Bin{Sort: &Sort{By: x.by, Curve: x.curve, Provider: liquid,
				Tags: map[string]string{tagCube: s.Env().NewID(), tagCubeBy: string(by)}}}
			out = append(out, open)
		}
		open.add(a)
	}
	if len(seen) == 1 && !seen[""] { // one cube: it is clustered
		return nil, nil
	}
	return out, nil
}
