// Package deltalog is the directory _delta_log as names and bytes: what a file's
// name says, how the log is listed, how a commit is read, and how a version is
// published so that exactly one writer gets it.
//
// Buckets are always those of a table's root; versions are zero-padded to 20 digits
// (PROTOCOL.md, Delta Log Entries), so the order of names is the order of versions.
package deltalog

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/sluicelake/sluice/storage"
)

// Dir is the directory of the log below the table's root.
const Dir = "_delta_log"

// LastCheckpointPath is the key of the hint at the newest checkpoint.
const LastCheckpointPath = Dir + "/_last_checkpoint"

// Kind is what a file of the log is.
type Kind uint8

// The kinds of files (PROTOCOL.md, File Types). Other is everything that a reader
// ignores: hidden files, staged commits, sidecars, foreign names.
const (
	Other          Kind = iota
	Commit              // 00000000000000000010.json
	Checkpoint          // 00000000000000000010.checkpoint.parquet
	CheckpointPart      // 00000000000000000010.checkpoint.0000000001.0000000003.parquet
	CheckpointV2        // 00000000000000000010.checkpoint.<uuid>.json or .parquet
	Compacted           // 00000000000000000004.00000000000000000006.compacted.json
	Checksum            // 00000000000000000010.crc
	Hint                // _last_checkpoint
)

var kindNames = [...]string{"other", "commit", "checkpoint", "checkpoint part", "V2 checkpoint", "compacted commits", "checksum", "last checkpoint"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "kind " + strconv.Itoa(int(k))
}

// File is a file of the log, as its name describes it.
type File struct {
	Kind    Kind
	Version int64  // the last version that the file covers
	Start   int64  // the first one, for Compacted; otherwise Version
	Part    int    // 1..Parts, for CheckpointPart
	Parts   int    // for CheckpointPart
	ID      string // the UUID, for CheckpointV2
	JSON    bool   // the content is JSON lines, not Parquet; for CheckpointV2
	Object  storage.Object
}

// CommitPath is the key of a version's commit.
func CommitPath(version int64) string { return fmt.Sprintf("%s/%020d.json", Dir, version) }

// CheckpointPath is the key of a classic checkpoint in one file.
func CheckpointPath(version int64) string {
	return fmt.Sprintf("%s/%020d.checkpoint.parquet", Dir, version)
}

// CheckpointPartPath is the key of part 1..parts of a multi-part checkpoint.
func CheckpointPartPath(version int64, part, parts int) string {
	return fmt.Sprintf("%s/%020d.checkpoint.%010d.%010d.parquet", Dir, version, part, parts)
}

// CheckpointV2Path is the key of a V2 checkpoint that is named by a UUID.
func CheckpointV2Path(version int64, id string, json bool) string {
	ext := "parquet"
	if json {
		ext = "json"
	}
	return fmt.Sprintf("%s/%020d.checkpoint.%s.%s", Dir, version, id, ext)
}

// CompactedPath is the key of the compaction of the commits start..end.
func CompactedPath(start, end int64) string {
	return fmt.Sprintf("%s/%020d.%020d.compacted.json", Dir, start, end)
}

// ChecksumPath is the key of a version's checksum.
func ChecksumPath(version int64) string { return fmt.Sprintf("%s/%020d.crc", Dir, version) }

// SidecarPath is the key of a sidecar file of a V2 checkpoint.
func SidecarPath(name string) string { return Dir + "/_sidecars/" + name }

// Path is the key that the fields of f name; the inverse of Classify. It is
// the Object's key for Other.
func (f File) Path() string {
	switch f.Kind {
	case Commit:
		return CommitPath(f.Version)
	case Checkpoint:
		return CheckpointPath(f.Version)
	case CheckpointPart:
		return CheckpointPartPath(f.Version, f.Part, f.Parts)
	case CheckpointV2:
		return CheckpointV2Path(f.Version, f.ID, f.JSON)
	case Compacted:
		return CompactedPath(f.Start, f.Version)
	case Checksum:
		return ChecksumPath(f.Version)
	case Hint:
		return LastCheckpointPath
	}
	return f.Object.Key
}

// Classify tells what an object is by its key, which is relative to the table's root.
func Classify(obj storage.Object) File {
	f := File{Object: obj}
	name, ok := strings.CutPrefix(obj.Key, Dir+"/")
	if !ok || strings.Contains(name, "/") {
		return f
	}
	if obj.Key == LastCheckpointPath {
		f.Kind = Hint
		return f
	}
	version, rest, ok := cutNumber(name, 20)
	if !ok {
		return f
	}
	parsed := File{Object: obj, Version: version, Start: version}
	switch {
	case rest == "json":
		parsed.Kind = Commit
	case rest == "crc":
		parsed.Kind = Checksum
	case rest == "checkpoint.parquet":
		parsed.Kind = Checkpoint
	case strings.HasPrefix(rest, "checkpoint."):
		if !parsed.checkpoint(rest[len("checkpoint."):]) {
			return f
		}
	default:
		end, rest, ok := cutNumber(rest, 20)
		if !ok || rest != "compacted.json" || end < version {
			return f
		}
		parsed.Kind, parsed.Version = Compacted, end
	}
	return parsed
}

// checkpoint reads what follows "<version>.checkpoint." in a name.
func (f *File) checkpoint(rest string) bool {
	if part, tail, ok := cutNumber(rest, 10); ok {
		parts, tail, ok := cutNumber(tail, 10)
		if !ok || tail != "parquet" || part < 1 || part > parts {
			return false
		}
		f.Kind, f.Part, f.Parts = CheckpointPart, int(part), int(parts)
		return true
	}
	id, ext, ok := strings.Cut(rest, ".")
	if !ok || id == "" || (ext != "json" && ext != "parquet") {
		return false
	}
	f.Kind, f.ID, f.JSON = CheckpointV2, id, ext == "json"
	return true
}

// cutNumber reads a number of exactly digits digits and the dot behind it.
func cutNumber(s string, digits int) (n int64, rest string, ok bool) {
	if len(s) <= digits || s[digits] != '.' {
		return 0, "", false
	}
	for i := range digits {
		if s[i] < '0' || s[i] > '9' {
			return 0, "", false
		}
	}
	n, err := strconv.ParseInt(s[:digits], 10, 64)
	return n, s[digits+1:], err == nil
}
