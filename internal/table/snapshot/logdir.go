package snapshot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/storage"
)

const logDir = "_delta_log/"

// logDirectory is what a listing of the log shows, from some version on.
type logDirectory struct {
	from        int64
	commits     map[int64]storage.Object
	checkpoints map[int64][]checkpointFiles
	incomplete  map[int64]bool // versions with some, not all, parts of a checkpoint
}

// checkpointFiles are the top-level files of one complete checkpoint.
type checkpointFiles struct {
	version int64
	rank    int // V2 before multi-part before a single file
	parts   []storage.Object
}

// logName takes the name of a file in the log apart.
type logName struct {
	version     int64
	kind        nameKind
	part, parts int
}

type nameKind int

const (
	otherName nameKind = iota
	commitName
	classicName
	partName
	v2Name
)

func commitKey(version int64) string { return fmt.Sprintf("%s%020d.json", logDir, version) }

// parseLogName reads the names of PROTOCOL.md, Delta Log Entries and Checkpoints.
func parseLogName(name string) logName {
	words := strings.Split(name, ".")
	version, ok := number(words[0], 20)
	if !ok {
		return logName{}
	}
	n := logName{version: version}
	switch {
	case len(words) == 2 && words[1] == "json":
		n.kind = commitName
	case len(words) == 3 && words[1] == "checkpoint" && words[2] == "parquet":
		n.kind = classicName
	case len(words) == 4 && words[1] == "checkpoint" && len(words[2]) == 36 && (words[3] == "json" || words[3] == "parquet"):
		n.kind = v2Name
	case len(words) == 5 && words[1] == "checkpoint" && words[4] == "parquet":
		part, ok1 := number(words[2], 10)
		parts, ok2 := number(words[3], 10)
		if ok1 && ok2 && part >= 1 && part <= parts {
			n.kind, n.part, n.parts = partName, int(part), int(parts)
		}
	}
	return n
}

func number(s string, digits int) (int64, bool) {
	if len(s) != digits {
		return 0, false
	}
	var n int64
	for _, c := range []byte(s) {
		if c < '0' || c > '9' || n > (1<<63-1-9)/10 {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// listLog lists the log from a version on. A log that is not there is empty.
func listLog(ctx context.Context, b *storage.Bucket, from int64) (*logDirectory, error) {
	d := &logDirectory{from: from, commits: map[int64]storage.Object{}, checkpoints: map[int64][]checkpointFiles{}, incomplete: map[int64]bool{}}
	type set struct {
		version int64
		parts   int
	}
	parts := map[set]map[int]storage.Object{}
	start := ""
	if from > 0 {
		start = fmt.Sprintf("%s%020d", logDir, from)
	}
	for obj, err := range b.List(ctx, logDir, start) {
		if errors.Is(err, storage.ErrNotExist) {
			break
		}
		if err != nil {
			return nil, err
		}
		name := strings.TrimPrefix(obj.Key, logDir)
		if name > ":" { // behind the digits: sidecars, staged commits, _last_checkpoint
			break
		}
		n := parseLogName(name)
		if n.kind != commitName && obj.Size == 0 {
			continue // a checkpoint that was never written
		}
		switch n.kind {
		case commitName:
			d.commits[n.version] = obj
		case classicName:
			d.add(checkpointFiles{version: n.version, rank: 2, parts: []storage.Object{obj}})
		case v2Name:
			d.add(checkpointFiles{version: n.version, rank: 0, parts: []storage.Object{obj}})
		case partName:
			k := set{n.version, n.parts}
			if parts[k] == nil {
				parts[k] = map[int]storage.Object{}
			}
			parts[k][n.part] = obj
		}
	}
	for k, found := range parts {
		if len(found) < k.parts {
			d.incomplete[k.version] = true
			continue
		}
		c := checkpointFiles{version: k.version, rank: 1}
		for i := 1; i <= k.parts; i++ {
			c.parts = append(c.parts, found[i])
		}
		d.add(c)
	}
	return d, nil
}

func (d *logDirectory) add(c checkpointFiles) {
	d.checkpoints[c.version] = append(d.checkpoints[c.version], c)
	slices.SortStableFunc(d.checkpoints[c.version], func(a, b checkpointFiles) int { return a.rank - b.rank })
}

func (d *logDirectory) empty() bool { return len(d.commits) == 0 && len(d.checkpoints) == 0 }

// latest is the newest version that the listing shows, -1 for none.
func (d *logDirectory) latest() int64 {
	v := int64(-1)
	for k := range d.commits {
		v = max(v, k)
	}
	for k := range d.checkpoints {
		v = max(v, k)
	}
	return v
}

// checkpointsUpTo lists the complete checkpoints at or below a version, newest
// and best first.
func (d *logDirectory) checkpointsUpTo(version int64) []checkpointFiles {
	var out []checkpointFiles
	for _, v := range slices.Backward(slices.Sorted(maps.Keys(d.checkpoints))) {
		if v <= version {
			out = append(out, d.checkpoints[v]...)
		}
	}
	return out
}

// gap is the first version in from..to without a commit, -1 for none.
func (d *logDirectory) gap(from, to int64) int64 {
	for v := from; v <= to; v++ {
		if _, ok := d.commits[v]; !ok {
			return v
		}
	}
	return -1
}

// earliest is the oldest version that can be rebuilt, -1 for none.
func (d *logDirectory) earliest() int64 {
	e := int64(-1)
	if _, ok := d.commits[0]; ok {
		return 0
	}
	for v := range d.checkpoints {
		if e < 0 || v < e {
			e = v
		}
	}
	return e
}

// lastCheckpoint reads the hint in _last_checkpoint, -1 when it is missing or
// says nothing. It is only a hint: a listing decides.
func lastCheckpoint(ctx context.Context, b *storage.Bucket) (int64, error) {
	data, _, err := b.Get(ctx, logDir+"_last_checkpoint")
	if errors.Is(err, storage.ErrNotExist) {
		return -1, nil
	}
	if err != nil {
		return -1, err
	}
	var hint struct {
		Version *int64 `json:"version"`
	}
	if json.Unmarshal(data, &hint) != nil || hint.Version == nil || *hint.Version < 0 {
		return -1, nil
	}
	return *hint.Version, nil
}
