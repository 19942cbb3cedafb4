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
	// Cause is what the subclass of the condition says, "" when it says nothing more.
	Cause string `json:"cause,omitempty"`
	// Engine is who reports: Spark, Databricks, Delta Kernel, Delta Standalone,
	// delta-rs, Trino, or sluice.
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

var (
	condition = regexp.MustCompile(`\bDELTA_[A-Z_]*[A-Z](?:\.[A-Z_]*[A-Z])?\b`)
	exception = regexp.MustCompile(`\b(?:Concurrent(?:Append|DeleteRead|DeleteDelete|Transaction|Write)|MetadataChanged|ProtocolChanged)Exception\b`)
	partition = regexp.MustCompile(`(?i)partition \[([^\]\n]*)\]`)
	root      = regexp.MustCompile(`(?i)added to the root of the table`)
	forFile   = regexp.MustCompile(`(?i)\(for example ([^)\s]+)`)
	link      = regexp.MustCompile(`https?://[^\s"'<>)]+`)
	at        = regexp.MustCompile(`(?i)committed at version (\d+)|version:? (\d+) already exists|existing table version:? (\d+)|VersionAlreadyExists\((\d+)\)|the winner: version (\d+)|_delta_log/0*(\d+)\.json`)
	ofTable   = regexp.MustCompile("(?i)table (delta\\.`[^`]+`|`[^`]+`(?:\\.`[^`]+`)*|[\\w.]+) (?:\\(?committed at|has been changed)")
	by        = regexp.MustCompile(`[Aa] concurrent ([A-Z][A-Z ]*[A-Z]) (?:added|deleted|changed|updated|modified)|the winner: version \d+, ([A-Z][A-Z ]*[A-Z])\b`)
	oneLine   = regexp.MustCompile(`(?m)^[|>\s]+`)
)

// maxText bounds what is looked at: the beginning of a log and its end.
const maxText = 1 << 20

// ParseError reads the text of an error. It never fails: what the text does not
// say is left out.
func ParseError(text string) Report {
	if len(text) > maxText {
		text = text[:maxText/2] + "\n" + text[len(text)-maxText/2:]
	}
	var r Report
	for _, c := range condition.FindAllString(text, -1) {
		if class := classOf(c); class != "" && len(c) > len(r.Condition) && (r.Class == "" || r.Class == class) {
			r.Class, r.Condition = class, c // the longest spelling has the subclass
		}
	}
	_, sub, _ := strings.Cut(r.Condition, ".")
	r.Cause = causes[sub]
	if m := exception.FindString(text); m != "" {
		r.Exception = m
		if r.Class == "" {
			r.Class = classOf(m)
		}
	}
	flat := oneLine.ReplaceAllString(text, "")
	flat = strings.Join(strings.Fields(flat), " ")
	if r.Class == "" {
		r.Class = classSaid(flat)
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
		if n, err := strconv.ParseInt(strings.Join(m[1:], ""), 10, 64); err == nil {
			r.Version = &n
		}
	}
	if r.Winner = winnerOf(text); r.Winner == nil { // a text inside of JSON
		r.Winner = winnerOf(strings.NewReplacer(`\"`, `"`, `\n`, "\n", `\t`, "\t", `\\`, `\`).Replace(text))
	}
	if m := by.FindStringSubmatch(flat); m != nil && (r.Winner == nil || r.Winner.Operation == "") {
		if r.Winner == nil {
			r.Winner = &Commit{}
		}
		if m[1] != "TRANSACTION" { // a winner without commitInfo is called so
			r.Winner.Operation = m[1] + m[2]
		}
	}
	return r
}

// engines are recognised by what stands in the text, the first one that does.
var engines = []struct {
	name string
	said *regexp.Regexp
}{
	{"sluice", regexp.MustCompile(`was not committed.*it read version`)},
	{"Trino", regexp.MustCompile(`io\.trino|TransactionConflictException|TransactionFailedException|Conflicting concurrent writes|Delta Lake transaction log entry`)},
	{"Delta Kernel", regexp.MustCompile(`io\.delta\.kernel`)},
	{"Delta Standalone", regexp.MustCompile(`io\.delta\.standalone`)},
	{"delta-rs", regexp.MustCompile(`CommitFailedError|deltalake|delta-rs|DeltaTableError|Commit failed: a concurrent|since last commit|Concurrent transaction failed|CommitConflict|VersionAlreadyExists|existing table version|Delta transaction failed, version|Exceeded max commit attempts|Failed to commit transaction: \d`)},
	{"Databricks", regexp.MustCompile(`(?i)databricks-runtime|com\.databricks\.sql|databricks\.com|` +
		`\.(ALLOTTED_TIME_EXCEEDED|CHANGE_TYPE_COLUMN|EMPTY_READ_PREDICATES|METADATA_CHANGE|PARTITIONED_TABLE_WITHOUT_MERGE_SOURCE|PREDICATES_NEED_REWRITE|PROTOCOL_CHANGE|ROW_LEVEL_CHANGES|WHOLE_TABLE_READ|WHOLE_TABLE_REPLACE)\b`)},
}

func engineOf(text string) string {
	for _, e := range engines {
		if e.said.MatchString(text) {
			return e.name
		}
	}
	return "Spark"
}
