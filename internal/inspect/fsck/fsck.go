// Package fsck finds what is wrong with a table, and changes nothing.
//
// The log is replayed beside what repeats it: checkpoints, checksums and
// compacted commits must say what the commits say. The files that the newest
// version needs are held against one listing of the store. With Deep every data
// file is read as well, and held against what the log claims of it.
//
// Memory holds a few dozen bytes for each file that the log names, and the
// commits that are being read.
package fsck

import "fmt"

// Severity ranks findings.
type Severity string

// An Error loses rows, shows wrong ones, or keeps some reader out. A Warning does
// not harm this reader, but may another one or the next step. An Info is worth
// knowing.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// Finding is one thing that is wrong.
type Finding struct {
	Severity Severity `json:"severity"`
	Code     Code     `json:"code"`
	Object   string   `json:"object,omitempty"` // a path as the log has it, or a key in the store
	Version  *int64   `json:"version,omitempty"`
	Line     int      `json:"line,omitempty"`
	Message  string   `json:"message"`
	Count    int64    `json:"count,omitempty"` // of a finding that stands for many files
	Bytes    int64    `json:"bytes,omitempty"`
	Meaning  string   `json:"meaning"`
	Advice   string   `json:"advice"`
}

func (f Finding) String() string {
	where := f.Object
	if f.Version != nil && where == "" {
		where = fmt.Sprintf("version %d", *f.Version)
	}
	return fmt.Sprintf("%s %s %s: %s", f.Severity, f.Code, where, f.Message)
}

// Summary counts what was looked at and found.
type Summary struct {
	Table       string       `json:"table"`
	Version     int64        `json:"version"` // the newest that the log shows
	Errors      int64        `json:"errors"`
	Warnings    int64        `json:"warnings"`
	Infos       int64        `json:"infos"`
	Codes       map[Code]int `json:"codes"`
	Commits     int64        `json:"commits"`
	Checkpoints int64        `json:"checkpoints"`
	Compared    int64        `json:"compared"` // checkpoints, checksums and compacted commits that were held against the commits
	Files       int64        `json:"files"`    // live data files
	Bytes       int64        `json:"bytes"`
	Objects     int64        `json:"objects"` // in the store, without the log
	Deep        bool         `json:"deep"`
	Rows        int64        `json:"rows,omitempty"`      // that were read
	Unchecked   []string     `json:"unchecked,omitempty"` // what could not be looked at, and why
}

// Options say what is looked at.
type Options struct {
	Deep bool // read the data files and deletion vectors too
}

// Code names a kind of finding; it does not change from release to release.
type Code string

type explanation struct {
	severity        Severity
	meaning, advice string
}
