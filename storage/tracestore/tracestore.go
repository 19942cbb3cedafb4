// Package tracestore wraps a storage.Driver and records every call, so that the
// cost of an operation in requests and bytes is text that a test compares
// and a person reads.
package tracestore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sluicelake/sluice/storage"
)

// Entry is one call. A streamed object is one entry, "create", written when it ends.
type Entry struct {
	Op       string // get, get-range, open, put-if-absent, put, create, list, delete, stat
	Key      string // the prefix for list, the first of several for delete
	Offset   int64  // of get-range
	Bytes    int64  // read or written
	Objects  int    // listed; deleted together
	Duration time.Duration
	Err      error
}

// String is the entry without its duration.
func (e Entry) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-13s %s", strings.ToUpper(e.Op), e.Key)
	switch e.Op {
	case "get-range":
		fmt.Fprintf(&b, " [%d+%d]", e.Offset, e.Bytes)
	case "list":
		fmt.Fprintf(&b, "* (%d objects)", e.Objects)
	case "delete":
		if e.Objects > 1 {
			fmt.Fprintf(&b, " and %d more", e.Objects-1)
		}
	case "stat", "open":
	default:
		if e.Err == nil {
			fmt.Fprintf(&b, " (%d bytes)", e.Bytes)
		}
	}
	if e.Err != nil {
		b.WriteString(": " + reason(e.Err))
	}
	return b.String()
}

// reason is the stable part of an error's text.
func reason(err error) string {
	for _, known := range []error{
		storage.ErrNotExist, storage.ErrExist, storage.ErrPermission, storage.ErrReadOnly, storage.ErrNoSpace,
		storage.ErrInvalidKey, storage.ErrUnsupported, storage.ErrOutcomeUnknown, context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return err.Error()
}

// Store is a storage.Driver that records. It has what the driver below it has:
// reads through a handle of the driver's, names that a walk passes and deletions of
// many objects are entries too.
type Store struct {
	next storage.Driver
	now  func() time.Time
	note func(Entry)

	mu      sync.Mutex
	entries []Entry
}

// Option changes a new Store.
type Option func(*Store)

// WithClock sets the clock that durations are taken from.
func WithClock(now func() time.Time) Option { return func(s *Store) { s.now = now } }

// WithNote calls a function for each entry as it is recorded, one at a time;
// it must not call the store.
func WithNote(f func(Entry)) Option { return func(s *Store) { s.note = f } }

// AsFar shows nothing of the driver but what each driver has, as if it stood at the
// other end of a network: each read is a request.
func AsFar() Option { return func(s *Store) { s.next = far{s.next} } }

type far struct{ storage.Driver }

// New wraps a driver.
func New(next storage.Driver, opts ...Option) *Store {
	s := &Store{next: next, now: time.Now}
	for _, o := range opts {
		o(s)
	}
	return s
}

// Entries are the calls so far, in the order in which they ended.
func (s *Store) Entries() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.entries)
}

// Reset forgets what was recorded.
func (s *Store) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries = nil
}

// Count is the number of recorded calls of an operation; "" counts all.
func (s *Store) Count(op string) int {
	n := 0
	for _, e := range s.Entries() {
		if op == "" || e.Op == op {
			n++
		}
	}
	return n
}

func (s *Store) record(start time.Time, e Entry) {
	e.Duration = s.now().Sub(start)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries = append(s.entries, e)
	if s.note != nil {
		s.note(e)
	}
}
