package inspect

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/storage"
)

// content is what the bytes of a file look like.
type content uint8

const (
	contentOther content = iota
	contentParquet
	contentJSON
	contentVectors
)

func (c content) String() string {
	return [...]string{"nothing that a table consists of", "Parquet", "JSON", "deletion vectors"}[c]
}

const (
	headBytes   = 64 << 10
	parquetMark = "PAR1"
)

// recognise finds the kind of the file by its name, and by its content where the
// name says nothing. Name and content that disagree are a problem.
func (r *reader) recognise() (content, error) {
	head, err := r.section(0, headBytes)
	if err != nil {
		return 0, err
	}
	tail, err := r.section(max(r.file.Size-4, 0), 4)
	if err != nil {
		return 0, err
	}
	c := contentOf(head, tail)
	kind, want := r.byName()
	if kind != "" {
		r.file.Kind = kind
		if c != want && r.file.Size > 0 {
			r.file.problem("content", "its name says %s, its content is %s", kind, c)
		}
		return c, nil
	}
	r.file.Kind = KindUnknown
	switch c {
	case contentVectors:
		r.file.Kind = KindVectors
	case contentJSON:
		r.file.Kind = jsonKind(head)
	case contentParquet:
		r.file.Kind = KindData // the columns may know better
	}
	return c, nil
}

// byName is the kind that the file's name says, "" for none, and the content
// that belongs to it.
func (r *reader) byName() (kind string, want content) {
	key := r.place.Key
	base := path.Base(key)
	in := func(dir string) bool { return strings.HasPrefix(key, dir+"/") || strings.Contains(key, "/"+dir+"/") }
	switch {
	case in(deltalog.Dir + "/_sidecars"):
		return KindSidecar, contentParquet
	case in(deltalog.Dir+"/_staged_commits") && strings.HasSuffix(base, ".json"):
		return KindStaged, contentJSON
	case strings.HasPrefix(base, "deletion_vector_") && strings.HasSuffix(base, ".bin"):
		return KindVectors, contentVectors
	}
	f := deltalog.Classify(storage.Object{Key: deltalog.Dir + "/" + base})
	if f.Kind != deltalog.Other && f.Kind != deltalog.Hint {
		r.file.Version = &f.Version
	}
	switch f.Kind {
	case deltalog.Commit:
		return KindCommit, contentJSON
	case deltalog.Compacted:
		r.file.Start = &f.Start
		return KindCompacted, contentJSON
	case deltalog.Checkpoint:
		return KindCheckpoint, contentParquet
	case deltalog.CheckpointPart:
		r.file.Part = fmt.Sprintf("%d of %d", f.Part, f.Parts)
		return KindPart, contentParquet
	case deltalog.CheckpointV2:
		if f.JSON {
			return KindV2, contentJSON
		}
		return KindV2, contentParquet
	case deltalog.Checksum:
		return KindChecksum, contentJSON
	case deltalog.Hint:
		return KindHint, contentJSON
	}
	switch {
	case in("_change_data"):
		return KindChange, contentParquet
	case strings.HasSuffix(strings.ToLower(base), ".parquet"):
		return KindData, contentParquet
	}
	return "", contentOther
}

// contentOf tells formats apart by their first and last bytes.
func contentOf(head, tail []byte) content {
	switch text := bytes.TrimLeft(head, " \t\r\n\xef\xbb\xbf"); {
	case bytes.HasPrefix(head, []byte(parquetMark)), string(tail) == parquetMark:
		return contentParquet
	case len(head) >= 9 && head[0] == 1 && binary.LittleEndian.Uint32(head[5:]) == dv.Magic:
		return contentVectors
	case len(text) > 0 && text[0] == '{':
		return contentJSON
	}
	return contentOther
}

// jsonKind tells the JSON files of a log apart by the keys of their first object.
func jsonKind(head []byte) string {
	var first map[string]json.RawMessage
	if json.NewDecoder(bytes.NewReader(head)).Decode(&first) != nil {
		return KindUnknown
	}
	has := func(names ...string) bool {
		for _, n := range names {
			if _, ok := first[n]; !ok {
				return false
			}
		}
		return true
	}
	switch {
	case has("checkpointMetadata"):
		return KindV2
	case has("numFiles", "tableSizeBytes"):
		return KindChecksum
	case has("version", "size"):
		return KindHint
	case has("add"), has("remove"), has("metaData"), has("protocol"), has("commitInfo"), has("txn"), has("cdc"), has("domainMetadata"):
		return KindCommit
	}
	return KindUnknown
}
