package vacuum

import (
	"strings"

	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// names says which names VACUUM leaves alone, as the reference does: those that
// begin with _ or a dot, but for change data, indexes, and partitions.
type names struct {
	partitions []string // with the = behind each
	metadata   bool     // the folder metadata belongs to Iceberg
}

func namesOf(s *snapshot.Snapshot) *names {
	n := &names{}
	for i, name := range s.Columns().Partition {
		n.partitions = append(n.partitions, name+"=", s.Columns().PartitionPhysical[i]+"=")
	}
	for format := range strings.SplitSeq(s.Metadata().Configuration["delta.universalFormat.enabledFormats"], ",") {
		n.metadata = n.metadata || strings.EqualFold(strings.TrimSpace(format), "iceberg")
	}
	return n
}

// changeData is the folder of change data files (PROTOCOL.md, Change Data Files).
const changeData = "_change_data"

// hidden reports whether one name of a path hides what is below.
func (n *names) hidden(name string) bool {
	if name == "" || name == deltalog.Dir {
		return true
	}
	if n.metadata && name == "metadata" {
		return true
	}
	if name[0] != '_' && name[0] != '.' {
		return false
	}
	if strings.HasPrefix(name, changeData) || strings.HasPrefix(name, "_delta_index") {
		return false
	}
	for _, p := range n.partitions {
		if strings.HasPrefix(name, p) {
			return false
		}
	}
	return true
}

// hiddenKey reports whether any name of a key hides it.
func (n *names) hiddenKey(key string) bool {
	for part := range strings.SplitSeq(key, "/") {
		if n.hidden(part) {
			return true
		}
	}
	return false
}

// base is the last name of a key.
func base(key string) string { return key[strings.LastIndexByte(key, '/')+1:] }

// ofChanges reports whether a key lies in a folder of change data.
func ofChanges(key string) bool {
	return strings.HasPrefix(key, changeData+"/") || strings.Contains(key, "/"+changeData+"/")
}
