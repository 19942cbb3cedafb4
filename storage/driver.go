// Package storage is where bytes live: a Bucket (concrete, checked, counted)
// over a small Driver that each store implements.
//
// The one operation that matters is PutIfAbsent: exactly one writer of a key
// wins, nobody ever sees half an object, and a store that cannot tell whether
// its write landed says so with ErrOutcomeUnknown instead of guessing.
package storage

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"
)

// Errors that drivers return (wrapped or bare); a Bucket adds the operation and the key.
var (
	ErrNotExist       = errors.New("object does not exist")
	ErrExist          = errors.New("object already exists")
	ErrPermission     = errors.New("permission denied")
	ErrReadOnly       = errors.New("storage is read-only")
	ErrNoSpace        = errors.New("no space left on storage")
	ErrInvalidKey     = errors.New("invalid key")
	ErrUnsupported    = errors.New("operation not supported by this storage")
	ErrOutcomeUnknown = errors.New("outcome unknown: the write may or may not have happened")
)

// Object describes a stored object.
type Object struct {
	Key     string // relative to the driver's root, '/'-separated, never escaped
	Size    int64
	ModTime time.Time
}

// Driver is one store rooted at one place. Keys are relative to that root,
// slash-separated, already checked by Bucket. Methods are safe for concurrent use.
type Driver interface {
	// Get reads a whole object.
	Get(ctx context.Context, key string) ([]byte, Object, error)
	// GetRange reads length bytes from offset; fewer only at the end of the object.
	GetRange(ctx context.Context, key string, offset, length int64) ([]byte, error)
	// PutIfAbsent creates an object, atomically and durably, or returns ErrExist.
	// A driver that cannot tell whether the object was created (a time-out, a
	// cancelled request, a lost reply) returns an error that is
	// ErrOutcomeUnknown; any other error means that it was not.
	PutIfAbsent(ctx context.Context, key string, data []byte) error
	// Put creates or replaces an object atomically.
	Put(ctx context.Context, key string, data []byte) error
	// Create streams a new object (a data file); it appears at Commit, whole.
	Create(ctx context.Context, key string) (Writer, error)
	// List yields the objects whose key starts with prefix and is greater than
	// startAfter, in byte order of keys. It recurses: a key may contain slashes
	// behind the prefix. An error is yielded once, last.
	List(ctx context.Context, prefix, startAfter string) iter.Seq2[Object, error]
	// Delete removes an object; a missing one is not an error.
	Delete(ctx context.Context, key string) error
	// Stat describes an object without reading it.
	Stat(ctx context.Context, key string) (Object, error)
	// URL is the canonical address of the root, without secrets.
	URL() string
	// Close frees what the driver holds.
	Close() error
}

// Writer streams one object. Exactly one of Commit and Abort ends it; Abort
// after Commit does nothing.
type Writer interface {
	io.Writer
	Commit() error
	Abort() error
}
