package deltalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/sluicelake/sluice/storage"
)

// LastCheckpoint is the content of _last_checkpoint, a hint at the newest
// checkpoint (PROTOCOL.md, Last Checkpoint File Schema).
type LastCheckpoint struct {
	Version          int64             `json:"version"`
	Size             int64             `json:"size"`
	Parts            *int              `json:"parts,omitempty"`
	SizeInBytes      *int64            `json:"sizeInBytes,omitempty"`
	NumOfAddFiles    *int64            `json:"numOfAddFiles,omitempty"`
	CheckpointSchema json.RawMessage   `json:"checkpointSchema,omitempty"`
	Tags             map[string]string `json:"tags,omitempty"`
	V2Checkpoint     json.RawMessage   `json:"v2Checkpoint,omitempty"` // as Spark writes it; not in the protocol
	Checksum         string            `json:"checksum,omitempty"`
}

// HintError says that _last_checkpoint is there but cannot be used. It is a hint:
// the caller lists the log instead.
type HintError struct {
	URL    string
	Reason string
}

func (e *HintError) Error() string {
	return fmt.Sprintf("%s: %s is not usable: %s; the log is listed instead", e.URL, LastCheckpointPath, e.Reason)
}

// maxHint is more than any writer puts into the hint, schema and all.
const maxHint = 4 << 20

// ReadLastCheckpoint reads the hint. The error is storage.ErrNotExist when there is
// none, and a *HintError when its content is corrupt.
func ReadLastCheckpoint(ctx context.Context, b *storage.Bucket) (*LastCheckpoint, error) {
	data, err := b.GetRange(ctx, LastCheckpointPath, 0, maxHint+1)
	if err != nil {
		return nil, err
	}
	if len(data) > maxHint {
		return nil, &HintError{URL: b.URL(), Reason: fmt.Sprintf("it is longer than %d bytes", maxHint)}
	}
	hint, err := ParseLastCheckpoint(data)
	if err != nil {
		return nil, &HintError{URL: b.URL(), Reason: err.Error()}
	}
	return hint, nil
}

// ParseLastCheckpoint reads the content of the hint, and checks its checksum if it has one.
func ParseLastCheckpoint(data []byte) (*LastCheckpoint, error) {
	var hint LastCheckpoint
	var present struct{ Version, Size *int64 }
	if err := errors.Join(json.Unmarshal(data, &hint), json.Unmarshal(data, &present)); err != nil {
		return nil, err
	}
	switch {
	case present.Version == nil:
		return nil, errors.New("the field version is missing")
	case hint.Version < 0:
		return nil, fmt.Errorf("version %d is negative", hint.Version)
	case hint.Parts != nil && *hint.Parts < 1:
		return nil, fmt.Errorf("parts is %d", *hint.Parts)
	}
	if hint.Checksum != "" {
		sum, err := jsonChecksum(data)
		if err != nil {
			return nil, err
		}
		if !strings.EqualFold(sum, hint.Checksum) {
			return nil, fmt.Errorf("its checksum is %s, its content gives %s", hint.Checksum, sum)
		}
	}
	return &hint, nil
}

// Encode gives the content of the file, with its checksum.
func (h LastCheckpoint) Encode() ([]byte, error) {
	h.Checksum = ""
	data, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	if h.Checksum, err = jsonChecksum(data); err != nil {
		return nil, err
	}
	return json.Marshal(h)
}

// WriteLastCheckpoint replaces the hint.
func WriteLastCheckpoint(ctx context.Context, b *storage.Bucket, h LastCheckpoint) error {
	data, err := h.Encode()
	if err != nil {
		return fmt.Errorf("%s: encode: %w", LastCheckpointPath, err)
	}
	return b.Put(ctx, LastCheckpointPath, data)
}
