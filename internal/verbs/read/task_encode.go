package read

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/sluicelake/sluice/action"
)

// A task as bytes is JSON lines: a header, and then actions as in a commit: the
// protocol, the metadata, and the files, without statistics. It holds no
// credentials; whoever executes it brings his own.

// taskVersion changes with the meaning of the encoding.
const taskVersion = 1

type header struct {
	Task    int       `json:"sluiceTask"`
	Table   string    `json:"table"`
	Version int64     `json:"version"`
	Where   string    `json:"where,omitempty"`
	Columns []string  `json:"columns"`          // null is all
	Limit   int64     `json:"limit"`            // negative is none
	Now     time.Time `json:"now"`              // of the plan, for current_timestamp and the like
	Legacy  bool      `json:"legacy,omitempty"` // not in ANSI mode
	Zone    string    `json:"zone,omitempty"`   // of the session, unless UTC
	Bytes   int64     `json:"bytes"`
	Rows    []rowSpan `json:"rows,omitempty"` // files of which only some rows are read
}

// rowSpan is rows From to To, not included, of the File-th file.
type rowSpan struct {
	File int   `json:"file"`
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// MarshalBinary encodes the task.
func (t *Task) MarshalBinary() ([]byte, error) {
	p := t.plan
	h := header{Task: taskVersion, Table: p.t.url, Version: p.t.version, Columns: p.spec.Columns, Limit: p.spec.Limit, Now: p.spec.Options.Now, Bytes: t.bytes}
	h.Legacy = p.spec.Options.Legacy
	if z := p.spec.Options.TimeZone; z != nil {
		h.Zone = z.String()
	}
	if p.spec.Where != nil {
		h.Where = p.spec.Where.String()
	}
	acts := []action.Action{p.t.protocol, readable(p.t.metadata)}
	for i, s := range p.shares {
		for _, r := range s.Rows {
			h.Rows = append(h.Rows, rowSpan{i, r.Start, r.End})
		}
		acts = append(acts, &action.Add{Path: s.Add.Path, PartitionValues: s.Add.PartitionValues, Size: s.Add.Size, ModificationTime: s.Add.ModificationTime,
			DeletionVector: s.Add.DeletionVector, BaseRowID: s.Add.BaseRowID, DefaultRowCommitVersion: s.Add.DefaultRowCommitVersion})
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(h); err != nil {
		return nil, fmt.Errorf("task of %s: %w", p.t.url, err)
	}
	lines, err := action.Marshal(acts)
	return append(out.Bytes(), lines...), err
}

// TaskError is text that is no task, or none that can be executed here.
type TaskError struct {
	Why string
	Err error // may be nil
}

func (e *TaskError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("not a task that can be read: %s: %v", e.Why, e.Err)
	}
	return "not a task that can be read: " + e.Why
}

// Unwrap returns the cause.
func (e *TaskError) Unwrap() error { return e.Err }

// ParseTask decodes a task. The text is not trusted: a file that it names
// outside of the table is refused when the task is executed.
func ParseTask(data []byte) (*Task, error) {
	first, lines, _ := bytes.Cut(data, []byte("\n"))
	h, err := parseHeader(first)
	if err != nil {
		return nil, err
	}
	acts, err := action.ParseCommit(lines, "task")
	if err != nil {
		return nil, &TaskError{"its actions", err}
	}
	var p *action.Protocol
	var md *action.Metadata
	var adds []*action.Add
	for i, a := range acts {
		switch x := a.(type) {
		case *action.Protocol:
			if i == 0 {
				p = x
				continue
			}
		case *action.Metadata:
			if i == 1 {
				md = x
				continue
			}
		case *action.Add:
			if i > 1 {
				adds = append(adds, x)
				continue
			}
		}
		return nil, &TaskError{Why: fmt.Sprintf("line %d is %q, which has no place there", i+2, a.Key())}
	}
	if p == nil || md == nil {
		return nil, &TaskError{Why: "it lacks the protocol or the metadata of the table"}
	}
	if err := h.check(len(adds)); err != nil {
		return nil, err
	}
	t, err := newTask(*h, p, md, adds)
	if err != nil {
		return nil, &TaskError{"version " + fmt.Sprint(h.Version) + " of " + h.Table, err}
	}
	return t, nil
}

func parseHeader(line []byte) (*header, error) {
	var probe struct {
		Task int `json:"sluiceTask"`
	}
	if err := json.Unmarshal(line, &probe); err != nil || probe.Task < 1 {
		return nil, &TaskError{"the first line is no header of a task", err}
	}
	if probe.Task > taskVersion {
		return nil, &TaskError{Why: fmt.Sprintf("it has version %d, this engine knows versions up to %d: a newer engine made it", probe.Task, taskVersion)}
	}
	h := &header{}
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(h); err != nil {
		return nil, &TaskError{"its header", err}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, &TaskError{Why: "its header has a tail"}
	}
	return h, nil
}

// check wants numbers in their range, and the rows of each file ascending and apart.
func (h *header) check(files int) error {
	for i, r := range h.Rows {
		if r.File < 0 || r.File >= files || r.From < 0 || r.To <= r.From {
			return &TaskError{Why: fmt.Sprintf("rows %d to %d of file %d: there are %d files", r.From, r.To, r.File, files)}
		}
		if i > 0 && (h.Rows[i-1].File > r.File || h.Rows[i-1].File == r.File && h.Rows[i-1].To > r.From) {
			return &TaskError{Why: fmt.Sprintf("rows %d to %d of file %d overlap with others, or are out of order", r.From, r.To, r.File)}
		}
	}
	if h.Limit < -1 || h.Version < 0 {
		return &TaskError{Why: fmt.Sprintf("version %d, limit %d", h.Version, h.Limit)}
	}
	return nil
}
