package races

import "github.com/sluicelake/sluice/internal/table/conflict"

// Meaning explains a class of errors in general.
type Meaning struct {
	What   string   `json:"what"`
	Why    string   `json:"why"`
	Change []string `json:"change"` // on the engine that reports it
	Sluice string   `json:"sluice"`
	Page   string   `json:"page"` // of the guide, below docs/
}

// MeaningOf explains a class; ok is false for one that is not known.
func MeaningOf(class string) (Meaning, bool) {
	m, ok := meanings[conflict.ClassName(class)]
	m.Page = "guide/conflicts/README.md#" + anchors[conflict.ClassName(class)]
	return m, ok
}

var anchors = map[string]string{conflict.ClassAppend: "concurrentappend", conflict.ClassDeleteRead: "concurrentdeleteread", conflict.ClassDeleteDelete: "concurrentdeletedelete",
	conflict.ClassMetadata: "metadatachanged", conflict.ClassProtocol: "protocolchanged", conflict.ClassTransaction: "concurrenttransaction",
	conflict.ClassWrite: "concurrentwrite", ClassRetries: "maxcommitretries"}

var meanings = map[string]Meaning{
	conflict.ClassAppend: {
		What: "Another writer added files that the statement would have had to read.",
		Why: "The statement recorded what it read as conditions on partition columns; every file added in such a partition counts, whatever rows it holds. " +
			"Conditions on other columns and file statistics are not looked at; without partitions, or with WHEN NOT MATCHED BY SOURCE in a MERGE, the whole table counts. Files that OPTIMIZE only rewrote count as well.",
		Change: []string{"put the partition columns into ON or WHERE as constants (t.country = 'UK'), not only as equalities with the source",
			"write the NOT MATCHED BY SOURCE clause as a DELETE of its own, with the partition in its condition",
			"or run the statement again: it is safe, and may lose again"},
		Sluice: "sluice would not fail: added files are judged by partition, statistics, the keys of the source and, if need be, their rows; those that matter are worked into the statement (a repair).",
	},
	conflict.ClassDeleteRead: {
		What: "Another writer removed or rewrote a file that the statement had read.",
		Why:  "Every file that the scan kept after skipping counts as read, also when no row of it mattered; a deletion vector on it counts as a removal, and so does OPTIMIZE, which moves rows without changing any.",
		Change: []string{"narrow the scan: constants on partition columns, conditions on columns with statistics",
			"run OPTIMIZE on other partitions than those being written to, or at another time", "or run the statement again"},
		Sluice: "sluice would not fail: the effects on that file are dropped or thinned out, and the files that replaced it are worked in. A list of actions committed by a program (Begin, Commit) does fail when rows that it read changed; moved rows do not count.",
	},
	conflict.ClassDeleteDelete: {
		What:   "Two writers rewrote or removed the same file.",
		Why:    "A file is removed once only. Two statements that change different rows of one file meet here too, because the reference knows files and not rows.",
		Change: []string{"partition or cluster the table so that writers change different files", "or run the statement again"},
		Sluice: "sluice would not fail: with deletion vectors the rows of both are united, without them the statement is worked out again for the files that took the place of the one that is gone.",
	},
	conflict.ClassMetadata: {
		What:   "Another writer changed the table's schema, properties, or another part of its metadata.",
		Why:    "Any change of metadata fails every transaction under way, blind appends included, but for a few properties (row tracking, deletion vectors, column mapping and in-commit timestamps being switched on). A common cause is schema evolution in several writers at once.",
		Change: []string{"change schema and properties in a job of its own, before the writers start", "do not switch on mergeSchema in writers that run side by side", "or run the statement again"},
		Sluice: "sluice would not fail: the statement is bound to the new metadata and runs again with the same source; a property that does not decide how rows are written does not even cause that. It fails when the statement cannot be bound any more (a column that it names is gone), with the error that it would give alone.",
	},
	conflict.ClassProtocol: {
		What:   "Another writer changed the table's protocol: it was upgraded, a feature was dropped, or several writers created the table at once.",
		Why:    "Two transactions that both change the protocol exclude each other, and one that ran while a feature was dropped may have used it. When the winner is version 0, several writers made the table at the same time.",
		Change: []string{"create the table once, before the writers start", "upgrade or drop features while no writer is active", "or run the statement again"},
		Sluice: "sluice would not fail as long as it can write the new protocol: features that were added are adopted, after others the statement runs again.",
	},
	conflict.ClassTransaction: {
		What:   "Two writers committed under the same application id, or wrote the same domain of metadata.",
		Why:    "Streaming queries record their checkpoint's id and batch as an application transaction. Two queries with one checkpoint, or a job with txnAppId that runs twice, meet here.",
		Change: []string{"see to it that only one query uses a checkpoint location", "give each job that sets txnAppId an id of its own"},
		Sluice: "sluice asks the version: a statement with --txn APP:VERSION that was committed meanwhile is skipped and reported as such; the same id with another intent is a conflict here too.",
	},
	conflict.ClassWrite: {
		What:   "The version that the commit wanted was taken, and the operation does not try another one.",
		Why:    "RESTORE, CLONE, CONVERT and other commits that stream their actions try once. On stores without put-if-absent and without a coordinator this also tells of a writer that overtook another.",
		Change: []string{"run it while nothing else writes", "or run it again"},
		Sluice: "sluice would not fail: these operations are fitted behind winners like the others.",
	},
	ClassRetries: {
		What:   "The commit lost so often that the limit of attempts was reached.",
		Why:    "The reference tries again at once, without a pause, so that many writers keep each other from committing.",
		Change: []string{"write in larger batches, or with fewer writers", "raise the limit of attempts"},
		Sluice: "sluice pauses with full jitter, and writers of one process queue; its limit is 100,000 attempts (WithMaxAttempts), and the context's deadline.",
	},
}
