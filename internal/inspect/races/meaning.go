package races

import (
	"regexp"
	"strings"

	"github.com/sluicelake/sluice/internal/table/conflict"
)

// Meaning explains a class of errors in general.
type Meaning struct {
	What   string   `json:"what"`
	Why    string   `json:"why"`
	Change []string `json:"change"` // on the engine that reports it
	Sluice string   `json:"sluice"`
	Page   string   `json:"page"` // of the guide, below docs/
}

// kind is a class of errors: what engines say for it where they do not name it,
// and what it means.
type kind struct {
	class, anchor string
	said          *regexp.Regexp
	Meaning
}

// MeaningOf explains a class; ok is false for one that is not known.
func MeaningOf(class string) (Meaning, bool) {
	for _, k := range kinds {
		if k.class == conflict.ClassName(class) {
			k.Page = "guide/conflicts/README.md#" + k.anchor
			return k.Meaning, true
		}
	}
	return Meaning{}, false
}

// rows is the meaning where rows were compared, and not files.
func (m *Meaning) rows() {
	m.Why = "Databricks compared the rows of the two commits, not only their files and partitions: they met in the same ones."
	m.Change = []string{"run the statement again: it then sees what the winner wrote", "if two jobs are not meant to change the same rows, give each one keys of its own"}
}

// classSaid is the class of a text that describes an error in words; "" when it
// is not known.
func classSaid(text string) string {
	for _, k := range kinds {
		if k.said.MatchString(text) {
			return k.class
		}
	}
	return ""
}

// classOf is the class of a condition such as DELTA_CONCURRENT_APPEND.WITHOUT_HINT,
// or of an exception; "" when it is not known.
func classOf(name string) string {
	for _, k := range kinds {
		if k.class == conflict.ClassName(name) || strings.HasSuffix(name, "Exception") && conflict.Exceptions[k.class] == name {
			return k.class
		}
	}
	return ""
}

// ClassRetries is the class of a commit that lost too often.
const ClassRetries = "DELTA_MAX_COMMIT_RETRIES_EXCEEDED"

// kinds are the classes, those with the more particular words first.
var kinds = []kind{
	{class: conflict.ClassAppend, anchor: "concurrentappend", said: regexp.MustCompile(`(?i)files were added (to (partition|the root)|matching)|added data to table|concurrent transactions? added (new )?data|data files added in the modified table by concurrent write`), Meaning: Meaning{
		What: "Another writer added files that the statement would have had to read.",
		Why: "The statement recorded what it read as conditions on partition columns; every file added in such a partition counts, whatever rows it holds. " +
			"Conditions on other columns and file statistics are not looked at; without partitions, or with WHEN NOT MATCHED BY SOURCE in a MERGE, the whole table counts. Files that OPTIMIZE only rewrote count as well.",
		Change: []string{"put the partition columns into ON or WHERE as constants (t.country = 'UK'), not only as equalities with the source",
			"write the NOT MATCHED BY SOURCE clause as a DELETE of its own, with the partition in its condition",
			"or run the statement again: it is safe, and may lose again"},
		Sluice: "sluice would not fail: added files are judged by partition, statistics, the keys of the source and, if need be, their rows; those that matter are worked into the statement (a repair).",
	}},
	{class: conflict.ClassDeleteDelete, anchor: "concurrentdeletedelete", said: regexp.MustCompile(`(?i)attempted to delete one or more files that were deleted|that this transaction attempted to delete|deleted the same data your transaction deletes`), Meaning: Meaning{
		What:   "Two writers rewrote or removed the same file.",
		Why:    "A file is removed once only. Two statements that change different rows of one file meet here too, because the reference knows files and not rows.",
		Change: []string{"partition or cluster the table so that writers change different files", "or run the statement again"},
		Sluice: "sluice would not fail: with deletion vectors the rows of both are united, without them the statement is worked out again for the files that took the place of the one that is gone.",
	}},
	{class: conflict.ClassDeleteRead, anchor: "concurrentdeleteread", said: regexp.MustCompile(`(?i)attempted to read one or more files that were deleted|deleted data from table|deleted data this operation read|data files removed .{0,60}by concurrent write`), Meaning: Meaning{
		What: "Another writer removed or rewrote a file that the statement had read.",
		Why:  "Every file that the scan kept after skipping counts as read, also when no row of it mattered; a deletion vector on it counts as a removal, and so does OPTIMIZE, which moves rows without changing any.",
		Change: []string{"narrow the scan: constants on partition columns, conditions on columns with statistics",
			"run OPTIMIZE on other partitions than those being written to, or at another time", "or run the statement again"},
		Sluice: "sluice would not fail: the effects on that file are dropped or thinned out, and the files that replaced it are worked in. A list of actions committed by a program (Begin, Commit) does fail when rows that it read changed; moved rows do not count.",
	}},
	{class: conflict.ClassMetadata, anchor: "metadatachanged", said: regexp.MustCompile(`(?i)metadata of the Delta table .{0,400}changed by a concurrent update|metadata changed since last commit|metadata (has been )?changed by concurrent write`), Meaning: Meaning{
		What:   "Another writer changed the table's schema, properties, or another part of its metadata.",
		Why:    "Any change of metadata fails every transaction under way, blind appends included, but for a few properties (row tracking, deletion vectors, column mapping and in-commit timestamps being switched on). A common cause is schema evolution in several writers at once.",
		Change: []string{"change schema and properties in a job of its own, before the writers start", "do not switch on mergeSchema in writers that run side by side", "or run the statement again"},
		Sluice: "sluice would not fail: the statement is bound to the new metadata and runs again with the same source; a property that does not decide how rows are written does not even cause that. It fails when the statement cannot be bound any more (a column that it names is gone), with the error that it would give alone.",
	}},
	{class: conflict.ClassProtocol, anchor: "protocolchanged", said: regexp.MustCompile(`(?i)protocol version of the Delta table .{0,400}changed by a concurrent update|protocol changed since last commit|protocol (has been )?changed by concurrent write`), Meaning: Meaning{
		What:   "Another writer changed the table's protocol: it was upgraded, a feature was dropped, or several writers created the table at once.",
		Why:    "Two transactions that both change the protocol exclude each other, and one that ran while a feature was dropped may have used it. When the winner is version 0, several writers made the table at the same time.",
		Change: []string{"create the table once, before the writers start", "upgrade or drop features while no writer is active", "or run the statement again"},
		Sluice: "sluice would not fail as long as it can write the new protocol: features that were added are adopted, after others the statement runs again.",
	}},
	{class: conflict.ClassTransaction, anchor: "concurrenttransaction", said: regexp.MustCompile(`(?i)multiple streaming queries are using the same checkpoint|concurrent transaction failed|conflicting metadata domain .{1,200}is added|conflict for (appId|application id)`), Meaning: Meaning{
		What:   "Two writers committed under the same application id, or wrote the same domain of metadata.",
		Why:    "Streaming queries record their checkpoint's id and batch as an application transaction. Two queries with one checkpoint, or a job with txnAppId that runs twice, meet here.",
		Change: []string{"see to it that only one query uses a checkpoint location", "give each job that sets txnAppId an id of its own"},
		Sluice: "sluice asks the version: a statement with --txn APP:VERSION that was committed meanwhile is skipped and reported as such; the same id with another intent is a conflict here too.",
	}},
	{class: ClassRetries, anchor: "maxcommitretries", said: regexp.MustCompile(`(?i)commit has failed as it has been tried|exceeded max commit attempts|failed to commit transaction: \d+|MaxCommitRetryLimitReached`), Meaning: Meaning{
		What:   "The commit lost so often that the limit of attempts was reached.",
		Why:    "The reference tries again at once, without a pause, so that many writers keep each other from committing.",
		Change: []string{"write in larger batches, or with fewer writers", "raise the limit of attempts"},
		Sluice: "sluice pauses with full jitter, and writers of one process queue; its limit is 100,000 attempts (WithMaxAttempts), and the context's deadline.",
	}},
	{class: conflict.ClassWrite, anchor: "concurrentwrite", said: regexp.MustCompile(`(?i)concurrent transaction has written new data since|transaction has encountered a conflict and can ?not be committed|concurrent write detected|version:? \d+ already exists|already exists: .{0,300}_delta_log/|VersionAlreadyExists|existing table version|delta transaction failed, version|FileAlreadyExistsException.{0,400}_delta_log/\d+\.json|conflict detected while writing transaction log|target file was created during locking|conflicting concurrent writes|write delta lake transaction log entry`), Meaning: Meaning{
		What:   "The version that the commit wanted was taken, and the operation does not try another one.",
		Why:    "RESTORE, CLONE, CONVERT and other commits that stream their actions try once. On stores without put-if-absent and without a coordinator this also tells of a writer that overtook another.",
		Change: []string{"run it while nothing else writes", "or run it again"},
		Sluice: "sluice would not fail: these operations are fitted behind winners like the others.",
	}},
	{class: conflict.ClassDropFeature, anchor: "dropfeature", said: regexp.MustCompile(`(?i)cannot drop feature because a concurrent transaction`), Meaning: Meaning{
		What:   "A table feature was being dropped, and another writer made use of it meanwhile.",
		Why:    "DROP FEATURE first removes the traces of the feature and then lowers the protocol. A commit in between (a deletion vector, a property that is switched on again) leaves new traces, so that the protocol cannot be lowered.",
		Change: []string{"switch the feature off in the table's properties, let the writers that are under way end, and run DROP FEATURE again"},
		Sluice: "sluice would not fail: it removes the new traces and lowers the protocol behind them.",
	}},
	{class: conflict.ClassBackfill, anchor: "rowtrackingbackfill", said: regexp.MustCompile(`(?i)row tracking backfill.{0,80}unbackfill`), Meaning: Meaning{
		What:   "Row tracking was being switched on and dropped at the same time.",
		Why:    "One writer gives every file row ids (a backfill), the other takes them away: neither can end.",
		Change: []string{"decide which of the two is wanted, and run it alone"},
		Sluice: "sluice runs the second one behind the first: whoever comes last decides.",
	}},
}

// causes are what a subclass of a condition adds, where it adds something.
var causes = map[string]string{
	"ALLOTTED_TIME_EXCEEDED":                 "comparing the two commits row by row took longer than is allowed, so that their files decided",
	"CHANGE_TYPE_COLUMN":                     "the table has a column _change_type, a name that the change feed uses, so that rows could not be compared: rename it",
	"EMPTY_READ_PREDICATES":                  "the statement has no condition: it read the whole table",
	"METADATA_CHANGE":                        "the winner also changed the table's metadata, so that rows could not be compared",
	"PARTITIONED_TABLE_WITHOUT_MERGE_SOURCE": "rows of this partitioned table could not be compared without the source of a MERGE",
	"PREDICATES_NEED_REWRITE":                "the statement's conditions could not be asked of the winner's rows",
	"PROTOCOL_CHANGE":                        "the winner also changed the protocol, so that rows could not be compared",
	"ROW_LEVEL_CHANGES":                      "both changed the same rows: this is no false alarm, the order of the two matters",
	"WHOLE_TABLE_READ":                       "the statement read the whole table: a condition on partition or clustering columns narrows it",
	"WHOLE_TABLE_REPLACE":                    "the winner replaced every row of the table",
	"WRITE_TO_EMPTY_DIRECTORY":               "several writers created the table at the same time",
}
