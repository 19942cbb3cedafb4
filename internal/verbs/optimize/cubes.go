package optimize

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// The tags by which the reference knows files that were clustered together.
const (
	tagCube     = "ZCUBE_ID"
	tagCubeBy   = "ZCUBE_ZORDER_BY"
	liquid      = "liquid"
	leastCube   = 100 << 30
	largestCube = 150 << 30
)

// Cubes counts what clustering found and took: the clusteringStats of the reference.
type Cubes struct {
	Columns []string
	InCubes Totals // files of cubes by the same columns; of any cube with FULL
	Other   Totals
	Found   int64 // cubes among them
	Merged  Totals
	Written int64 // new cubes
}

// Cube is files that were clustered together, by the tags that the reference writes.
type Cube struct {
	ID       string
	By       string // the columns, as JSON
	Provider string
}

// mark gives a file the tags of the cube.
func (c *Cube) mark(a *action.Add) {
	a.Tags = map[string]string{tagCube: c.ID, tagCubeBy: c.By}
	if c.Provider != "" {
		provider := c.Provider
		a.ClusteringProvider = &provider
	}
}

// cubes parts the files of a REORG by cube, so that a file that is only rid of
// deleted rows stays what it was. Other than the reference, which clusters again
// what it happens to read, and so writes far more.
func (g *group) cubes(files *snapshot.FileSet, spec Spec) []*group {
	if !spec.Purge {
		return []*group{g}
	}
	by := map[Cube]*group{}
	var out []*group
	for _, c := range g.files {
		a := files.Add(c.number)
		cube := Cube{ID: a.Tags[tagCube], By: a.Tags[tagCubeBy]}
		if a.ClusteringProvider != nil {
			cube.Provider = *a.ClusteringProvider
		}
		if cube.ID == "" {
			cube = Cube{}
		}
		if by[cube] == nil {
			by[cube] = &group{partition: g.partition}
			if cube.ID != "" {
				by[cube].cube = &cube
			}
			out = append(out, by[cube])
		}
		by[cube].files = append(by[cube].files, c)
	}
	return out
}

// cubeFile is a file and the cube that it belongs to.
type cubeFile struct {
	*action.Add
	cube string // "" for none
	by   []string
}

func cubeOf(a *action.Add) cubeFile {
	f := cubeFile{Add: a}
	id, text := a.Tags[tagCube], a.Tags[tagCubeBy]
	if id == "" || text == "" {
		return f
	}
	f.cube = id
	if json.Unmarshal([]byte(text), &f.by) != nil {
		f.by = []string{text}
	}
	return f
}

// candidate reports whether the file can join a cube by these columns: others, and
// files that another provider has clustered, are left to FULL.
func (f cubeFile) candidate(by []string) bool {
	return (f.ClusteringProvider == nil || *f.ClusteringProvider == liquid) && (f.cube == "" || slices.Equal(f.by, by))
}

// cubes puts the files of a clustered table that are not clustered yet, and those
// of cubes that are small, into bins that each become a cube. So each run costs
// what is new, until a cube is large enough to be left alone. The rules are those
// of delta-spark, which sorts files by cube, those of none first.
func (x *sorting) cubes(s *snapshot.Snapshot, spec Spec, groups []*group) ([]*Bin, *Cubes, error) {
	by, err := json.Marshal(x.names)
	if err != nil {
		return nil, nil, err
	}
	var files []cubeFile
	for _, g := range groups {
		for _, c := range g.files {
			files = append(files, cubeOf(s.Files().Add(c.number)))
		}
	}
	slices.SortStableFunc(files, func(a, b cubeFile) int {
		return cmp.Or(strings.Compare(a.cube, b.cube), cmp.Compare(a.ModificationTime, b.ModificationTime), strings.Compare(a.Path, b.Path))
	})
	stats := &Cubes{Columns: x.names}
	chosen := x.choose(files, spec, stats)
	var out []*Bin
	most := max(spec.LeastCube, spec.LargestCube)
	for _, f := range chosen {
		stats.Merged.Files++
		stats.Merged.Bytes += f.Size
		if n := len(out); n == 0 || out[n-1].Bytes+f.Size > most {
			out = append(out, &Bin{Sort: &Sort{By: x.by, Names: x.names, Curve: x.curve}, Cube: &Cube{ID: s.Env().NewID(), By: string(by), Provider: liquid}})
		}
		out[len(out)-1].add(f.Add)
	}
	stats.Written = int64(len(out))
	return out, stats, nil
}

// choose picks the files that are clustered now.
func (x *sorting) choose(files []cubeFile, spec Spec, stats *Cubes) []cubeFile {
	var candidates, others []cubeFile
	sizes, last := map[string]int64{}, ""
	for _, f := range files {
		if f.cube != "" && (spec.Full || slices.Equal(f.by, x.names)) {
			stats.InCubes.Files++
			stats.InCubes.Bytes += f.Size
			if f.cube != last {
				stats.Found++
				last = f.cube
			}
		} else {
			stats.Other.Files++
			stats.Other.Bytes += f.Size
		}
		if f.candidate(x.names) {
			candidates = append(candidates, f)
			sizes[f.cube] += expected(f.Add)
		} else {
			others = append(others, f)
		}
	}
	var small []cubeFile
	for _, f := range candidates {
		if f.cube == "" || sizes[f.cube] < spec.LeastCube {
			small = append(small, f)
		}
	}
	if spec.Full && len(others) > 0 {
		return append(small, others...)
	}
	if n := len(small); n > 0 && small[0].cube != "" && small[0].cube == small[n-1].cube {
		return nil // one cube, and nothing to join it
	}
	return small
}
