package inspect

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/internal/format/parquetio"
)

// The kinds of files that a table consists of.
const (
	KindCommit     = "commit"
	KindStaged     = "staged commit"
	KindCompacted  = "compacted commits"
	KindCheckpoint = "checkpoint"
	KindPart       = "checkpoint part"
	KindV2         = "V2 checkpoint"
	KindSidecar    = "checkpoint sidecar"
	KindHint       = "last checkpoint"
	KindChecksum   = "version checksum"
	KindVectors    = "deletion vectors"
	KindData       = "data file"
	KindChange     = "change data file"
	KindUnknown    = "unknown"
)

// File is what one file of a table is and holds, as far as it can be read. What
// is wrong with it stands in Problems.
type File struct {
	URL      string    `json:"url"`
	Kind     string    `json:"kind"`
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
	Table    string    `json:"table,omitempty"`   // the root of the table it lies in
	Version  *int64    `json:"version,omitempty"` // by its name
	Start    *int64    `json:"start,omitempty"`   // the first version of compacted commits
	Part     string    `json:"part,omitempty"`    // "2 of 3"
	Notes    []string  `json:"notes,omitempty"`
	Problems []Problem `json:"problems,omitempty"`

	Actions  *Actions               `json:"actions,omitempty"`
	Sidecars []SidecarFile          `json:"sidecars,omitempty"`
	Fields   []Entry                `json:"fields,omitempty"` // of a hint or a checksum
	Vectors  []dv.Entry             `json:"vectors,omitempty"`
	Parquet  *parquetio.Description `json:"parquet,omitempty"`
	Columns  []ColumnView           `json:"deltaColumns,omitempty"`
}

// Problem is something wrong and the place of it.
type Problem struct {
	Where string `json:"where"`
	What  string `json:"what"`
}

// Entry is a named value of a small file.
type Entry struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// SidecarFile is a sidecar that a checkpoint names. Found is nil when there is no
// table to look into.
type SidecarFile struct {
	Path  string `json:"path"`
	Size  int64  `json:"size"`
	Found *bool  `json:"found,omitempty"`
}

// Options say how much of a file is told.
type Options struct {
	Limit  int    // entries of a long list; 0 is all that memory should hold
	Offset *int64 // with Size: one deletion vector, as a descriptor names it
	Size   *int64
}

// allEntries bounds lists whose length nobody limited.
const allEntries = 100_000

func (o Options) limit() int {
	if o.Limit > 0 {
		return o.Limit
	}
	return allEntries
}

const maxProblems = 100

func (f *File) problem(where, format string, args ...any) {
	switch {
	case len(f.Problems) < maxProblems:
		f.Problems = append(f.Problems, Problem{where, fmt.Sprintf(format, args...)})
	case len(f.Problems) == maxProblems:
		f.Problems = append(f.Problems, Problem{"", "there are more problems, which are not listed"})
	}
}

func (f *File) note(format string, args ...any) {
	f.Notes = append(f.Notes, fmt.Sprintf(format, args...))
}

// reader is one inspection.
type reader struct {
	ctx   context.Context
	env   *env.Env
	place *Place
	opts  Options
	at    io.ReaderAt
	file  *File
}

// Inspect reads one file. An error means that it could not be read at all; a
// damaged file is no error.
func Inspect(ctx context.Context, e *env.Env, p *Place, o Options) (*File, error) {
	if o.Offset != nil && *o.Offset < 0 || o.Size != nil && *o.Size < 0 || (o.Offset == nil) != (o.Size == nil) {
		return nil, fmt.Errorf("one deletion vector is named by an offset and a size, both 0 or more")
	}
	obj, err := p.Bucket.Stat(ctx, p.Key)
	if err != nil {
		return nil, err
	}
	at, err := p.Bucket.OpenReader(ctx, p.Key, obj.Size)
	if err != nil {
		return nil, err
	}
	defer at.Close()
	r := &reader{ctx: ctx, env: e, place: p, opts: o, at: at,
		file: &File{URL: p.Bucket.Sub(p.Key).URL(), Size: obj.Size, Modified: obj.ModTime.UTC()}}
	if p.Table {
		r.file.Table = p.Bucket.URL()
	}
	if err := r.read(); err != nil {
		return nil, err
	}
	return r.file, ctx.Err()
}

// read recognises the file and reads it as what it is.
func (r *reader) read() error {
	content, err := r.recognise()
	if err != nil {
		return err
	}
	switch {
	case r.file.Size == 0:
		r.file.problem("byte 0", "the file is empty")
		return nil
	case r.file.Kind == KindVectors || r.opts.Offset != nil:
		return r.vectors()
	case content == contentParquet:
		return r.parquet()
	case r.file.Kind == KindHint:
		return r.hint()
	case r.file.Kind == KindChecksum:
		return r.checksum()
	case content == contentJSON && r.file.Kind == KindUnknown:
		if err := r.lines(); err != nil || r.file.Actions.known() {
			return err
		}
		r.file.Actions, r.file.Problems = nil, nil
	case content == contentJSON, r.file.Kind == KindCommit, r.file.Kind == KindCompacted, r.file.Kind == KindStaged, r.file.Kind == KindV2:
		return r.lines()
	case r.file.Kind != KindUnknown:
		return r.parquet() // which says what is wrong
	}
	r.file.problem("byte 0", "neither its name nor its content is that of a file of a Delta table")
	return nil
}

// section reads a part of the file; it is shorter only at the end.
func (r *reader) section(from, n int64) ([]byte, error) {
	n = min(n, r.file.Size-from)
	if n <= 0 {
		return nil, nil
	}
	b := make([]byte, n)
	got, err := r.at.ReadAt(b, from)
	if err == io.EOF {
		err = nil
	}
	return b[:got], err
}

// Actions are what a file of the log says.
type Actions struct {
	Counts map[string]int64 `json:"counts"`
	List   ActionList       `json:"list"`
	More   int64            `json:"more,omitempty"` // actions that are not listed
	files  int              // adds and removes listed
}

// known reports whether any action is one of the protocol's.
func (a *Actions) known() bool {
	for _, key := range []string{"add", "remove", "metaData", "protocol", "commitInfo", "txn", "cdc", "domainMetadata", "checkpointMetadata", "sidecar"} {
		if a.Counts[key] > 0 {
			return true
		}
	}
	return false
}

// ActionList prints as the lines that the log has.
type ActionList []action.Action

// MarshalJSON writes the actions as objects.
func (l ActionList) MarshalJSON() ([]byte, error) {
	out := []byte{'['}
	for i, a := range l {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = action.Append(out, a); err != nil {
			return nil, err
		}
	}
	return append(out, ']'), nil
}
