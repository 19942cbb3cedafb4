package conflict

import (
	"fmt"
	"strings"
	"time"
)

// Error is a conflict that could not be reconciled, told as a story: who won,
// what this transaction had read, where the two meet, and what to do.
type Error struct {
	Class        string // Delta's error class, e.g. DELTA_CONCURRENT_APPEND
	Table        string
	Operation    string // of this transaction
	ReadVersion  int64
	Winner       int64
	WinnerTime   time.Time
	WinnerOp     string
	WinnerUser   string
	WinnerEngine string
	Evidence     []Evidence
	Advice       string
	Mode         Mode
}

// NewError tells the story of a verdict.
func NewError(table string, f *Facts, readVersion int64, w *Winner, v Verdict) *Error {
	info := w.Info()
	e := &Error{Class: v.Class, Table: table, Operation: f.Operation, ReadVersion: readVersion,
		Winner: w.Version, WinnerTime: w.Time, WinnerOp: w.Operation(), Evidence: v.Evidence, Advice: advice(v)}
	if info.UserName != nil {
		e.WinnerUser = *info.UserName
	}
	if info.EngineInfo != nil {
		e.WinnerEngine = *info.EngineInfo
	}
	return e
}

// Error is the story in five lines: what failed, who won, what was read, where
// the two meet, what to do.
func (e *Error) Error() string {
	var b strings.Builder
	op := e.Operation
	if op == "" {
		op = "a transaction"
	}
	fmt.Fprintf(&b, "[%s] %s on %s was not committed; nothing of it is in the table", e.Class, op, e.Table)
	fmt.Fprintf(&b, "\n  the winner: version %d, %s", e.Winner, e.WinnerOp)
	if e.WinnerUser != "" {
		fmt.Fprintf(&b, " by %s", e.WinnerUser)
	}
	if e.WinnerEngine != "" {
		fmt.Fprintf(&b, " (%s)", e.WinnerEngine)
	}
	if !e.WinnerTime.IsZero() {
		fmt.Fprintf(&b, " at %s", e.WinnerTime.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	fmt.Fprintf(&b, "\n  the loser: it read version %d", e.ReadVersion)
	if e.ReadVersion < 0 {
		b.WriteString(", before there was a table")
	}
	b.WriteString("\n  they meet: ")
	for i, ev := range e.Evidence {
		if i == 2 {
			fmt.Fprintf(&b, "; and %d more", len(e.Evidence)-i)
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(ev.String())
		if ev.Strength != "" {
			fmt.Fprintf(&b, " [known by %s]", ev.Strength)
		}
	}
	if len(e.Evidence) == 0 {
		b.WriteString("at the version itself")
	}
	if e.Advice != "" {
		fmt.Fprintf(&b, "\n  to do: %s", e.Advice)
	}
	return b.String()
}

func advice(v Verdict) string {
	switch ClassName(v.Class) {
	case ClassAppend, ClassDeleteRead:
		return "run it again on the new version, or give it as a statement (MERGE, UPDATE, DELETE, INSERT), which sluice fits behind the winner by itself"
	case ClassDeleteDelete:
		return "both rewrote the same file: run it again on the new version, or give it as a statement (UPDATE, DELETE, MERGE), which sluice fits behind the winner by itself"
	case ClassTransaction:
		return "another run of the same application got there first: check that it is not running twice"
	case ClassMetadata:
		return "the table's metadata changed: run it again so that it sees the new schema and properties"
	case ClassProtocol:
		return "the table's protocol changed: run it again"
	}
	return ""
}
