package inspect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
)

const (
	maxSmall   = 64 << 20 // a hint or a checksum is never longer
	shownField = 300
)

// object reads a file that is one JSON object, and lists its fields in their order.
func (r *reader) object() (map[string]json.RawMessage, error) {
	if r.file.Size > maxSmall {
		r.file.problem("byte 0", "the file has %d bytes; no writer makes one of more than %d", r.file.Size, maxSmall)
		return nil, nil
	}
	data, err := r.section(0, r.file.Size)
	if err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		where := "byte 0"
		var s *json.SyntaxError
		if errors.As(err, &s) {
			where = fmt.Sprintf("byte %d", s.Offset)
		}
		r.file.problem(where, "%v", err)
		return nil, nil
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	_, _ = dec.Token()
	for dec.More() {
		name, err := dec.Token()
		var raw json.RawMessage
		if err != nil || dec.Decode(&raw) != nil {
			break
		}
		text := string(raw)
		var s string
		if json.Unmarshal(raw, &s) == nil {
			text = s
		}
		if r := []rune(text); len(r) > shownField {
			text = string(r[:shownField]) + "…"
		}
		r.file.Fields = append(r.file.Fields, Entry{fmt.Sprint(name), text})
	}
	return fields, nil
}

// hint reads _last_checkpoint and looks for the checkpoint that it names.
func (r *reader) hint() error {
	fields, err := r.object()
	if err != nil || fields == nil {
		return err
	}
	data, err := r.section(0, r.file.Size)
	if err != nil {
		return err
	}
	hint, err := deltalog.ParseLastCheckpoint(data)
	if err != nil {
		r.file.problem("content", "%v", err)
		return nil
	}
	if hint.Checksum != "" {
		r.file.note("its checksum is right")
	}
	if !r.place.Table {
		return nil
	}
	newest, named := int64(-1), false
	for f, err := range deltalog.List(r.ctx, r.place.Bucket, 0) {
		if err != nil {
			return err
		}
		if f.Kind == deltalog.Checkpoint || f.Kind == deltalog.CheckpointPart || f.Kind == deltalog.CheckpointV2 {
			newest, named = max(newest, f.Version), named || f.Version == hint.Version
		}
	}
	switch {
	case !named:
		r.file.problem("version", "there is no checkpoint of version %d", hint.Version)
	case newest > hint.Version:
		r.file.note("there is a newer checkpoint, of version %d", newest)
	default:
		r.file.note("the checkpoint of version %d is there, and there is no newer one", hint.Version)
	}
	return nil
}

// comparable is how many live files a table may have for its checksum to be held
// against its whole state.
const comparable = 200_000

// checksum reads a version checksum and holds it against its own commit and,
// when the table is not large, against the state of its version.
func (r *reader) checksum() error {
	fields, err := r.object()
	if err != nil || fields == nil {
		return err
	}
	for _, name := range []string{"tableSizeBytes", "numFiles", "numMetadata", "numProtocol"} {
		if _, ok := fields[name]; !ok {
			r.file.problem("content", "the field %s is missing", name)
		}
	}
	for _, name := range []string{"metadata", "protocol"} {
		if _, ok := fields[name]; !ok {
			r.file.note("it has no %s, which old writers left out", name)
		}
	}
	c, err := ParseChecksum(fields)
	if err != nil {
		r.file.problem("content", "%v", err)
		return nil
	}
	if !r.place.Table || r.file.Version == nil {
		return nil
	}
	return r.holdChecksum(c, *r.file.Version)
}

func (r *reader) holdChecksum(c *Checksum, version int64) error {
	data, _, err := deltalog.ReadCommit(r.ctx, r.place.Bucket, version)
	switch {
	case errors.Is(err, storage.ErrNotExist):
		r.file.note("the commit of version %d is not there to compare with", version)
	case err != nil:
		return err
	default:
		var info *action.CommitInfo
		err := action.Scan(data, deltalog.CommitPath(version), &action.Handler{CommitInfo: func(i *action.CommitInfo) error { info = i; return nil }})
		if err != nil {
			r.file.problem("commit", "%v", err)
			return nil
		}
		problems := c.AgainstCommit(info)
		for _, p := range problems {
			r.file.problem("commit", "%s", p)
		}
		if len(problems) == 0 {
			r.file.note("it agrees with the commit of version %d", version)
		}
	}
	if c.NumFiles > comparable {
		r.file.note("the table has more than %d files: 'sluice fsck' compares all of it", comparable)
		return nil
	}
	s, err := snapshot.Load(r.ctx, r.env, r.place.Bucket, snapshot.Version(version))
	if err != nil {
		if r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		r.file.note("version %d cannot be read to compare with: %v", version, err)
		return nil
	}
	problems := c.Against(StateTotals(s))
	for _, p := range problems {
		r.file.problem("state", "%s", p)
	}
	if len(problems) == 0 {
		r.file.note("it agrees with the state of version %d", version)
	}
	return nil
}
