// Package inspect holds the stable dumps: a snapshot, a commit, a list of files
// as text or JSON that the command line prints, goldens store and failure
// messages show.
package inspect

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// State is a snapshot as facts: what a correct reader of the log must agree on.
type State struct {
	Version            int64             `json:"version"`
	Protocol           StateProtocol     `json:"protocol"`
	Metadata           StateMetadata     `json:"metadata"`
	NumFiles           int               `json:"numFiles"`
	SizeInBytes        int64             `json:"sizeInBytes"`
	NumDeletionVectors int               `json:"numDeletionVectors"`
	NumDeletedRows     int64             `json:"numDeletedRows"`
	NumRecordsByStats  *int64            `json:"numRecordsByStats"`
	FilesSha256        string            `json:"filesSha256"`
	Txns               map[string]int64  `json:"txns"`
	DomainMetadata     map[string]string `json:"domainMetadata"`
	InCommitTimestamp  *int64            `json:"inCommitTimestamp,omitempty"`
	Files              []StateFile       `json:"files,omitzero"` // nil when they are too many to list
}

// StateProtocol is the protocol of a State.
type StateProtocol struct {
	MinReaderVersion int32    `json:"minReaderVersion"`
	MinWriterVersion int32    `json:"minWriterVersion"`
	ReaderFeatures   []string `json:"readerFeatures,omitzero"` // nil when the action has none
	WriterFeatures   []string `json:"writerFeatures,omitzero"`
}

// StateMetadata is the metadata of a State.
type StateMetadata struct {
	ID               string            `json:"id"`
	Name             *string           `json:"name"`
	Description      *string           `json:"description"`
	Provider         string            `json:"provider"`
	SchemaString     string            `json:"schemaString"`
	PartitionColumns []string          `json:"partitionColumns"`
	Configuration    map[string]string `json:"configuration"`
	CreatedTime      *int64            `json:"createdTime"`
}

// StateFile is a live file of a State.
type StateFile struct {
	Path                    string             `json:"path"`
	Size                    int64              `json:"size"`
	PartitionValues         map[string]*string `json:"partitionValues"`
	DV                      *StateVector       `json:"dv,omitempty"`
	BaseRowID               *int64             `json:"baseRowId,omitempty"`
	DefaultRowCommitVersion *int64             `json:"defaultRowCommitVersion,omitempty"`
}

// StateVector is the deletion vector of a StateFile.
type StateVector struct {
	ID          string `json:"id"`
	Cardinality int64  `json:"cardinality"`
}

// maxFiles is how many files a State lists one by one.
const maxFiles = 100

// StateOf states a snapshot. Files are listed when they are few.
func StateOf(s *snapshot.Snapshot) (*State, error) {
	p, m := s.Protocol(), s.Metadata()
	schema, err := sortedJSON(m.SchemaString)
	if err != nil {
		return nil, fmt.Errorf("schema of version %d: %w", s.Version(), err)
	}
	out := &State{
		Version:  s.Version(),
		Protocol: StateProtocol{p.MinReaderVersion, p.MinWriterVersion, slices.Clone(p.ReaderFeatures), slices.Clone(p.WriterFeatures)},
		Metadata: StateMetadata{m.ID, m.Name, m.Description, m.Format.Provider, schema, nonNil(m.PartitionColumns), m.Configuration, m.CreatedTime},
		NumFiles: s.NumFiles(), SizeInBytes: s.SizeInBytes(), NumDeletionVectors: s.NumDeletionVectors(), NumDeletedRows: s.NumDeletedRows(),
		Txns: map[string]int64{}, DomainMetadata: map[string]string{},
	}
	slices.Sort(out.Protocol.ReaderFeatures)
	slices.Sort(out.Protocol.WriterFeatures)
	if out.Metadata.Configuration == nil {
		out.Metadata.Configuration = map[string]string{}
	}
	if n, ok := s.NumRecords(); ok {
		out.NumRecordsByStats = &n
	}
	for id, t := range s.Txns() {
		out.Txns[id] = t.Version
	}
	for name, d := range s.Domains() {
		out.DomainMetadata[name] = d.Configuration
	}
	if ms, ok := s.InCommitTimestamp(); ok {
		out.InCommitTimestamp = &ms
	}
	out.addFiles(s)
	return out, nil
}

func nonNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// addFiles hashes the identities of all files and lists them when they are few.
func (out *State) addFiles(s *snapshot.Snapshot) {
	files := s.Files()
	ids := make([]string, 0, files.Len())
	list := files.Len() <= maxFiles
	if list {
		out.Files = []StateFile{}
	}
	for i := range files.All() {
		path, dv := PlainPath(files.Path(i)), files.DV(i)
		ids = append(ids, path+"\t"+dv.ID())
		if list {
			out.Files = append(out.Files, stateFile(files.Add(i), path))
		}
	}
	slices.SortFunc(ids, func(a, b string) int {
		return strings.Compare(strings.Replace(a, "\t", "\x00", 1), strings.Replace(b, "\t", "\x00", 1))
	})
	slices.SortFunc(out.Files, func(a, b StateFile) int { return strings.Compare(a.Path+"\x00"+a.dvID(), b.Path+"\x00"+b.dvID()) })
	h := sha256.New()
	for _, id := range ids {
		fmt.Fprintln(h, id)
	}
	out.FilesSha256 = hex.EncodeToString(h.Sum(nil))
}

func (f StateFile) dvID() string {
	if f.DV == nil {
		return ""
	}
	return f.DV.ID
}

func stateFile(a *action.Add, path string) StateFile {
	f := StateFile{Path: path, Size: a.Size, PartitionValues: a.PartitionValues, BaseRowID: a.BaseRowID, DefaultRowCommitVersion: a.DefaultRowCommitVersion}
	if f.PartitionValues == nil {
		f.PartitionValues = map[string]*string{}
	}
	if a.DeletionVector != nil {
		f.DV = &StateVector{a.DeletionVector.ID(), a.DeletionVector.Cardinality}
	}
	return f
}

// PlainPath is a path of the log without URL escapes; an absolute local path
// loses its scheme and host.
func PlainPath(p string) string {
	if d, err := url.PathUnescape(p); err == nil {
		p = d
	}
	if rest, ok := strings.CutPrefix(p, "file:"); ok && strings.HasPrefix(rest, "/") {
		p = "/" + strings.TrimLeft(rest, "/")
	}
	return p
}

// sortedJSON writes JSON again with sorted keys and no spaces. No text at all is
// null: a metadata action may lack its schema.
func sortedJSON(text string) (string, error) {
	if text == "" {
		return "null", nil
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return "", err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimSpace(b.String()), nil
}
