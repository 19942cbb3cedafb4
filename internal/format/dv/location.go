package dv

import (
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/address"
)

// The storage types of a descriptor.
const (
	UUID     = "u" // file in the table, named by a UUID
	Inline   = "i" // in the descriptor itself
	Absolute = "p" // file at an absolute path
)

// uuidChars is the length of a UUID in Z85.
const uuidChars = 20

// Location says where a vector lives.
type Location struct {
	// Key is the file's key relative to the table root; "" when Inline or URL is set.
	Key string
	// URL is the absolute path, as in the log, of a file that is not in the table.
	URL string
	// Inline holds the vector's bytes when the descriptor carries them.
	Inline []byte
}

// OutsideError reports a vector at an absolute path that is not below the
// table's root; a caller that trusts the log may allow such paths (Source.Open).
type OutsideError struct {
	Path string // as in the log
	Root string
}

func (e *OutsideError) Error() string {
	return fmt.Sprintf("deletion vector %q lies outside of the table %s; allow absolute paths to read it", e.Path, e.Root)
}

// CorruptError reports a vector that cannot be what its descriptor says.
type CorruptError struct {
	ID    string // of the descriptor
	Where string // key or URL; "" for inline
	Cause error
}

func (e *CorruptError) Error() string {
	id := e.ID
	if len(id) > 100 { // an inline vector is in its descriptor, whole
		id = id[:100] + "..."
	}
	if e.Where == "" {
		return fmt.Sprintf("deletion vector %s (inline) is corrupt: %v", id, e.Cause)
	}
	return fmt.Sprintf("deletion vector %s in %s is corrupt: %v", id, e.Where, e.Cause)
}

func (e *CorruptError) Unwrap() error { return e.Cause }

// FileName is the name of the vector file with that UUID
// (PROTOCOL.md, Deletion Vector Descriptor Schema, Derived Fields).
func FileName(id uuid.UUID) string { return "deletion_vector_" + id.String() + ".bin" }

// Locate resolves a descriptor. root is the URL of the table, against which an
// absolute path is made relative when it points into the table.
func Locate(d *action.DeletionVector, root string) (Location, error) {
	loc, err := locate(d, root)
	if err != nil {
		if _, outside := err.(*OutsideError); !outside {
			err = &CorruptError{ID: d.ID(), Cause: err}
		}
	}
	return loc, err
}

func locate(d *action.DeletionVector, root string) (Location, error) {
	switch d.StorageType {
	case Inline:
		data, err := inlineBytes(d)
		return Location{Inline: data}, err
	case UUID:
		key, err := uuidKey(d.PathOrInlineDv)
		return Location{Key: key}, err
	case Absolute:
		return absolute(d.PathOrInlineDv, root)
	}
	return Location{}, fmt.Errorf("storage type %q, want one of u, i, p", d.StorageType)
}

func inlineBytes(d *action.DeletionVector) ([]byte, error) {
	data, err := DecodeZ85(d.PathOrInlineDv)
	if err != nil {
		return nil, err
	}
	n := int(d.SizeInBytes)
	if n < 0 || n > len(data) || len(data)-n > 3 {
		return nil, fmt.Errorf("%d bytes inline, the descriptor says %d", len(data), n)
	}
	return data[:n], nil
}

func uuidKey(text string) (string, error) {
	cut := len(text) - uuidChars
	if cut < 0 {
		return "", fmt.Errorf("%q is too short for a UUID in Z85", text)
	}
	raw, err := DecodeZ85(text[cut:])
	if err != nil {
		return "", err
	}
	id, err := uuid.FromBytes(raw)
	if err != nil {
		return "", err
	}
	prefix := text[:cut]
	if prefix == "" {
		return FileName(id), nil
	}
	for _, part := range strings.Split(prefix, "/") {
		if part == "" || part == "." || part == ".." || strings.ContainsAny(part, "\x00\\") {
			return "", fmt.Errorf("prefix %q is no folder of the table", prefix)
		}
	}
	return prefix + "/" + FileName(id), nil
}

// absolute resolves an absolute path, which is spelled like the path of an add
// action. A key of the table comes out when it points into the table.
func absolute(path, root string) (Location, error) {
	if rest, ok := address.Below(path, root); ok && root != "" {
		if key, ok := address.Key(rest); ok {
			return Location{Key: key}, nil
		}
	}
	return Location{URL: path}, &OutsideError{Path: path, Root: root}
}
