package snapshot

import (
	"fmt"
	"time"
)

// At says which version of a table is wanted.
type At struct {
	kind    atKind
	version int64
	time    time.Time
}

type atKind int

const (
	atLatest atKind = iota
	atVersion
	atTime
)

// Latest is the newest version.
func Latest() At { return At{} }

// Version is the version with that number.
func Version(v int64) At { return At{kind: atVersion, version: v} }

// Time is the newest version committed at or before t.
func Time(t time.Time) At { return At{kind: atTime, time: t} }

// Number is the version that At names by its number.
func (a At) Number() (version int64, ok bool) { return a.version, a.kind == atVersion }

// Instant is the time by which At names a version.
func (a At) Instant() (t time.Time, ok bool) { return a.time, a.kind == atTime }

func (a At) String() string {
	switch a.kind {
	case atVersion:
		return fmt.Sprintf("version %d", a.version)
	case atTime:
		return "the version at " + a.time.UTC().Format(time.RFC3339Nano)
	}
	return "the latest version"
}
