package races

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/sluicelake/sluice/internal/table/conflict"
)

// Report is what the text of an error says.
type Report struct {
	// Class is Delta's error class without its subclass, for example
	// DELTA_CONCURRENT_APPEND; "" when the text is of no conflict that is known.
	Class string `json:"class"`
	// Condition is the class with its subclass, as the text has it.
	Condition string `json:"condition,omitempty"`
	Exception string `json:"exception,omitempty"`
	// Engine is who reports: Spark, delta-rs, or sluice.
	Engine string `json:"engine,omitempty"`
	// Partition is the partition named, for example "country=UK"; Root says that
	// the table has no partitions, in the words of the error.
	Partition string `json:"partition,omitempty"`
	Root      bool   `json:"rootOfTable,omitempty"`
	File      string `json:"file,omitempty"`
	Table     string `json:"table,omitempty"`
	// Version is the winner's, when the text says it.
	Version *int64  `json:"version,omitempty"`
	Winner  *Commit `json:"winner,omitempty"`
	DocLink string  `json:"docLink,omitempty"`
}

// Commit is a commit as its commitInfo describes it.
type Commit struct {
	Time        *time.Time        `json:"timestamp,omitempty"`
	Operation   string            `json:"operation,omitempty"`
	Parameters  map[string]string `json:"operationParameters,omitempty"`
	Metrics     map[string]string `json:"operationMetrics,omitempty"`
	ReadVersion *int64            `json:"readVersion,omitempty"`
	Isolation   string            `json:"isolationLevel,omitempty"`
	BlindAppend *bool             `json:"isBlindAppend,omitempty"`
	User        string            `json:"user,omitempty"`
	Engine      string            `json:"engineInfo,omitempty"`
	TxnID       string            `json:"txnId,omitempty"`
}

// words are what engines say for each class where the class is not named.
var words = []struct {
	class string
	text  *regexp.Regexp
}{
	{conflict.ClassAppend, regexp.MustCompile(`(?i)files were added to (partition|the root)|added data to table|concurrent transactions? added (new )?data`)},
	{conflict.ClassDeleteDelete, regexp.MustCompile(`(?i)attempted to delete one or more files that were deleted|that this transaction attempted to delete|deleted the same data your transaction deletes`)},
	{conflict.ClassDeleteRead, regexp.MustCompile(`(?i)attempted to read one or more files that were deleted|deleted data from table|deleted data this operation read`)},
	{conflict.ClassMetadata, regexp.MustCompile(`(?i)metadata of the Delta table .{0,400}changed by a concurrent update|metadata changed since last commit`)},
	{conflict.ClassProtocol, regexp.MustCompile(`(?i)protocol version of the Delta table .{0,400}changed by a concurrent update|protocol changed since last commit`)},
	{conflict.ClassTransaction, regexp.MustCompile(`(?i)multiple streaming queries are using the same checkpoint|concurrent transaction failed`)},
	{conflict.ClassWrite, regexp.MustCompile(`(?i)concurrent transaction has written new data since|version:? \d+ already exists|delta transaction failed, version`)},
	{ClassRetries, regexp.MustCompile(`(?i)commit has failed as it has been tried|exceeded max commit attempts|failed to commit transaction: \d+`)},
}

// ClassRetries is the class of a commit that lost too often.
const ClassRetries = "DELTA_MAX_COMMIT_RETRIES_EXCEEDED"

var (
	condition = regexp.MustCompile(`\bDELTA_[A-Z_]*[A-Z](?:\.[A-Z_]*[A-Z])?\b`)
	exception = regexp.MustCompile(`\b(Concurrent(?:Append|DeleteRead|DeleteDelete|Transaction|Write)|MetadataChanged|ProtocolChanged)Exception\b`)
	partition = regexp.MustCompile(`(?i)partition \[([^\]\n]*)\]`)
	root      = regexp.MustCompile(`(?i)added to the root of the table`)
	forFile   = regexp.MustCompile(`(?i)\(for example ([^)\s]+)`)
	link      = regexp.MustCompile(`https?://[^\s"'<>)]+`)
	at        = regexp.MustCompile(`(?i)committed at version (\d+)|version:? (\d+) already exists`)
	ofTable   = regexp.MustCompile("(?i)table (delta\\.`[^`]+`|`[^`]+`(?:\\.`[^`]+`)*|[\\w.]+) (?:\\(?committed at|has been changed)")
	by        = regexp.MustCompile(`[Aa] concurrent ([A-Z][A-Z ]*[A-Z]) (?:added|deleted|changed|updated)`)
	oneLine   = regexp.MustCompile(`(?m)^[|>\s]+`)
)

// maxText bounds what is looked at: the error stands at the beginning of a log.
const maxText = 1 << 20

// ParseError reads the text of an error. It never fails: what the text does not
// say is left out.
func ParseError(text string) Report {
	if len(text) > maxText {
		text = text[:maxText]
	}
	var r Report
	for _, c := range condition.FindAllString(text, -1) {
		name := conflict.ClassName(c)
		if _, ok := conflict.Exceptions[name]; ok || name == ClassRetries {
			r.Class, r.Condition = name, c
			break
		}
	}
	if m := exception.FindStringSubmatch(text); m != nil {
		r.Exception = m[1] + "Exception"
		for class, name := range conflict.Exceptions {
			if r.Class == "" && name == r.Exception {
				r.Class = class
			}
		}
	}
	flat := oneLine.ReplaceAllString(text, "")
	flat = strings.Join(strings.Fields(flat), " ")
	if r.Class == "" {
		for _, w := range words {
			if w.text.MatchString(flat) {
				r.Class = w.class
				break
			}
		}
	}
	if r.Class == "" {
		return Report{}
	}
	if r.Exception == "" {
		r.Exception = conflict.Exceptions[r.Class]
	}
	r.Engine = engineOf(flat)
	if m := partition.FindStringSubmatch(flat); m != nil {
		r.Partition = strings.TrimSpace(m[1])
	}
	r.Root = root.MatchString(flat)
	if m := forFile.FindStringSubmatch(flat); m != nil {
		r.File = m[1]
	}
	if m := ofTable.FindStringSubmatch(flat); m != nil {
		r.Table = m[1]
	}
	if m := link.FindString(flat); m != "" {
		r.DocLink = strings.TrimRight(m, ".,;")
	}
	if m := at.FindStringSubmatch(flat); m != nil {
		if n, err := strconv.ParseInt(m[1]+m[2], 10, 64); err == nil {
			r.Version = &n
		}
	}
	r.Winner = winnerOf(text)
	if m := by.FindStringSubmatch(flat); m != nil && (r.Winner == nil || r.Winner.Operation == "") {
		if r.Winner == nil {
			r.Winner = &Commit{}
		}
		if m[1] != "TRANSACTION" { // a winner without commitInfo is called so
			r.Winner.Operation = m[1]
		}
	}
	return r
}

func engineOf(text string) string {
	switch {
	case strings.Contains(text, "was not committed") && strings.Contains(text, "it read version"):
		return "sluice"
	case strings.Contains(text, "CommitFailedError"), strings.Contains(text, "deltalake"), strings.Contains(text, "Commit failed: a concurrent"),
		strings.Contains(text, "since last commit"), strings.Contains(text, "Concurrent transaction failed"):
		return "delta-rs"
	}
	return "Spark"
}
