package fsck

// The codes of findings in the log.
const (
	CommitMissing       Code = "FSCK_COMMIT_MISSING"
	CommitEmpty         Code = "FSCK_COMMIT_EMPTY"
	CommitUnreadable    Code = "FSCK_COMMIT_UNREADABLE"
	DuplicateAction     Code = "FSCK_DUPLICATE_ACTION"
	Contradiction       Code = "FSCK_CONTRADICTORY_ACTIONS"
	RemoveWithoutAdd    Code = "FSCK_REMOVE_WITHOUT_ADD"
	LiveTwice           Code = "FSCK_FILE_LIVE_TWICE"
	NoProtocol          Code = "FSCK_NO_PROTOCOL"
	NoMetadata          Code = "FSCK_NO_METADATA"
	BadMetadata         Code = "FSCK_METADATA_UNREADABLE"
	UnsupportedProtocol Code = "FSCK_PROTOCOL_UNSUPPORTED"
	ProtocolFeatures    Code = "FSCK_PROTOCOL_INCONSISTENT"
	TimestampMissing    Code = "FSCK_TIMESTAMP_MISSING"
	TimestampOrder      Code = "FSCK_TIMESTAMP_NOT_INCREASING"
	ChecksumUnreadable  Code = "FSCK_CHECKSUM_UNREADABLE"
	ChecksumWrong       Code = "FSCK_CHECKSUM_WRONG"
	HintUnreadable      Code = "FSCK_LAST_CHECKPOINT_UNREADABLE"
	HintStale           Code = "FSCK_LAST_CHECKPOINT_STALE"
	HintOld             Code = "FSCK_LAST_CHECKPOINT_OLD"
	CheckpointPartial   Code = "FSCK_CHECKPOINT_INCOMPLETE"
	CheckpointBad       Code = "FSCK_CHECKPOINT_UNREADABLE"
	CheckpointWrong     Code = "FSCK_CHECKPOINT_WRONG"
	SidecarMissing      Code = "FSCK_SIDECAR_MISSING"
	CompactedBad        Code = "FSCK_COMPACTED_UNREADABLE"
	CompactedWrong      Code = "FSCK_COMPACTED_WRONG"
	TableUnreadable     Code = "FSCK_TABLE_UNREADABLE"
)

// The codes of findings in the files of the newest version, and beside them.
const (
	MissingFile        Code = "FSCK_MISSING_DATA_FILE"
	EmptyFile          Code = "FSCK_EMPTY_DATA_FILE"
	SizeMismatch       Code = "FSCK_SIZE_MISMATCH"
	MissingVector      Code = "FSCK_MISSING_VECTOR_FILE"
	BadVector          Code = "FSCK_VECTOR_CORRUPT"
	VectorRange        Code = "FSCK_VECTOR_BEYOND_FILE"
	VectorNoRows       Code = "FSCK_VECTOR_WITHOUT_ROW_COUNT"
	EscapingPath       Code = "FSCK_PATH_ESCAPES"
	OutsidePath        Code = "FSCK_PATH_OUTSIDE"
	BadPartition       Code = "FSCK_PARTITION_VALUE"
	MissingPartition   Code = "FSCK_PARTITION_VALUE_MISSING"
	BadStats           Code = "FSCK_STATS_UNREADABLE"
	VacuumedFiles      Code = "FSCK_OLD_VERSIONS_INCOMPLETE"
	MissingChangeFiles Code = "FSCK_CHANGE_FILES_MISSING"
	Orphans            Code = "FSCK_UNKNOWN_FILES"
	Temporary          Code = "FSCK_TEMPORARY_FILES"

	UnreadableFile Code = "FSCK_DATA_FILE_UNREADABLE"
	RowCount       Code = "FSCK_ROW_COUNT"
	StatsLoseRows  Code = "FSCK_STATS_LOSE_ROWS"
	NullValue      Code = "FSCK_NULL_IN_NOT_NULL"
)

var explanations = map[Code]explanation{
	CommitMissing: {Error, "The commits of these versions are gone, and no checkpoint replaces them.",
		"Put the files back from a copy or from the versions of the store. What a checkpoint before the gap holds can still be read with --version."},
	CommitEmpty: {Error, "A commit file has no content: its writer or the store broke off.",
		"When no later version exists and no writer is at work, the file can be removed and the commit made again; else put it back from a copy."},
	CommitUnreadable: {Error, "A commit cannot be read to its end, so neither can any version after it, up to the next checkpoint.",
		"Put the file back from a copy. 'sluice inspect FILE' shows what of it can be read."},
	DuplicateAction: {Error, "A commit says one thing twice, which the protocol forbids; engines differ in which one they believe.",
		"Look at it with 'sluice log TABLE VERSION', and tell the maker of the writer."},
	Contradiction: {Error, "A commit adds and removes the same file with the same deletion vector; engines differ in which one they believe.",
		"Look at it with 'sluice log TABLE VERSION', and compare the rows with the writer's source."},
	RemoveWithoutAdd: {Warning, "A commit removes a file that was no part of the table. It does no harm to readers, but its writer saw another table.",
		"Look at what the writer did in that version: 'sluice log TABLE VERSION'."},
	LiveTwice: {Error, "One file is part of the table twice, under two deletion vectors: its rows are read twice.",
		"Remove one of the two entries; 'sluice life TABLE PATH' tells how it came about."},
	NoProtocol: {Error, "Up to this version the log has no protocol action, so no reader knows the rules of the table.",
		"Put the first commit or a checkpoint back."},
	NoMetadata: {Error, "Up to this version the log has no metaData action, so the table has no schema.",
		"Put the first commit or a checkpoint back."},
	BadMetadata: {Error, "The schema, the partition columns or the column mapping of the table cannot be understood.",
		"Look at the commit with 'sluice log TABLE VERSION'; an older version can be restored."},
	UnsupportedProtocol: {Error, "The table needs a feature that sluice lacks: it cannot be read here, and its files were not checked.",
		"Use an engine that has the feature, or drop the feature with one that has it."},
	ProtocolFeatures: {Warning, "The protocol's versions and its lists of features do not fit together.",
		"Some engine will refuse the table; a writer that knows the features should upgrade the protocol again."},
	TimestampMissing: {Error, "The table keeps the time of each commit in the commit, but this one has none: time travel may find a wrong version, and the reference refuses the table.",
		"The writer did not know the feature inCommitTimestamp; keep it from the table."},
	TimestampOrder: {Error, "The time in a commit is not later than the one before it: time travel by timestamp may find a wrong version.",
		"Read by version around it; keep the writer from the table."},
	ChecksumUnreadable: {Warning, "A version checksum cannot be read. Readers do without it.",
		"It can be removed; no reader depends on it."},
	ChecksumWrong: {Error, "A version checksum and the log disagree: either the log was changed behind its writer, or the writer miscounts. Readers that trust the checksum see another table.",
		"Find out which is right before removing the checksum; look at the commit with 'sluice log TABLE VERSION'."},
	HintUnreadable: {Warning, "_last_checkpoint cannot be used. Readers list the whole log instead, which is slower.",
		"The next checkpoint writes it anew; it can be removed."},
	HintStale: {Warning, "_last_checkpoint names a checkpoint that is not there, or not complete.",
		"The next checkpoint writes it anew; it can be removed."},
	HintOld: {Info, "_last_checkpoint names an older checkpoint than the newest. Readers find the newer one by listing.",
		"Nothing needs to be done."},
	CheckpointPartial: {Warning, "Parts of a checkpoint are missing. Readers use an older checkpoint, or commits.",
		"Its parts can be removed; write a checkpoint anew."},
	CheckpointBad: {Error, "A checkpoint cannot be read. Readers that do not fall back to older states refuse the table, and none can once the commits before it are cleaned up.",
		"Write a checkpoint anew while the commits are there, then remove this one."},
	CheckpointWrong: {Error, "A checkpoint and the commits that it stands for disagree: readers see different tables, depending on where they start.",
		"Find out which is right; when it is the commits, remove the checkpoint and write it anew."},
	SidecarMissing: {Error, "A V2 checkpoint names a sidecar that is not there: it cannot be read.",
		"Write a checkpoint anew while the commits are there, then remove this one."},
	CompactedBad: {Error, "A file of compacted commits cannot be read. Readers that use it refuse the table.",
		"Remove it: the commits say the same."},
	CompactedWrong: {Error, "A file of compacted commits and the commits disagree: readers that use it see another table.",
		"Remove it: the commits decide."},
	TableUnreadable: {Error, "The newest version cannot be read, so its files were not checked.",
		"Mend what the other findings say; older versions may be readable with --version."},

	MissingFile: {Error, "A file of the newest version is not in the store: reading the table fails.",
		"Put it back from a copy or from the versions of the store. Versions that do not need it can still be read and restored."},
	EmptyFile: {Error, "A file of the newest version has no bytes: an upload broke off, or a copy went wrong.",
		"Put it back from a copy; else its rows are lost, and the file has to be taken out of the table."},
	SizeMismatch: {Error, "A file has another size than the log says: it was cut off, or replaced by another.",
		"Compare it with a copy: 'sluice inspect FILE' shows whether it can be read. Engines that trust the size fail."},
	MissingVector: {Error, "A file of deletion vectors is not in the store: the rows of its data files cannot be told from deleted ones.",
		"Put it back from a copy or from the versions of the store."},
	BadVector: {Error, "A deletion vector is not what its descriptor says: which rows are deleted is not known for sure.",
		"Put its file back from a copy; 'sluice inspect FILE' shows where it is damaged."},
	VectorRange: {Error, "A deletion vector names rows that its data file does not have: it belongs to another file, or the file was replaced.",
		"Compare both files with a copy."},
	VectorNoRows: {Warning, "A file with a deletion vector does not say how many rows it has, which the protocol demands. Counting needs the file itself.",
		"Rewrite the file (OPTIMIZE, or REORG ... APPLY PURGE)."},
	EscapingPath: {Error, "The log names a file by a path that climbs out of the table's folder. It is not read.",
		"Somebody wrote that path into the log: do not trust the table."},
	OutsidePath: {Info, "The log names files by absolute paths outside of the table's folder, as shallow clones do. They were not looked at.",
		"Check the table that they belong to, or allow their place with --allow-outside."},
	BadPartition: {Error, "A partition value cannot be read as a value of its column.",
		"Look at the file's entry with 'sluice life TABLE PATH'; write the partition anew."},
	MissingPartition: {Warning, "A file does not say its value of a partition column, which the protocol demands; readers take NULL.",
		"Check that NULL is meant; else write the file's rows anew."},
	BadStats: {Warning, "The statistics of a file are no JSON. The file is always read, and counting needs the file itself.",
		"Rewrite the file, or have its statistics computed anew."},
	VacuumedFiles: {Info, "Files that only older versions need are gone: VACUUM did what it is for. These versions can be described, but not read to the end.",
		"Nothing needs to be done."},
	MissingChangeFiles: {Info, "Change data files of older versions are gone: the change data feed of these versions cannot be read.",
		"Nothing needs to be done when VACUUM was run."},
	Orphans: {Info, "No version that the log still has knows these files. They are left over from failed or vacuumed transactions, or belong to one that is under way.",
		"VACUUM removes them once they are older than the retention."},
	Temporary: {Info, "These files look like what a writer leaves behind when it breaks off.",
		"They can be removed when no writer is at work."},

	UnreadableFile: {Error, "A data file cannot be read, or not as the table's columns.",
		"'sluice inspect FILE' shows its footer and where it is damaged. Put it back from a copy."},
	RowCount: {Error, "A file has another number of rows than its statistics say: counts are wrong.",
		"Have the file's statistics computed anew, or rewrite it."},
	StatsLoseRows: {Error, "The statistics of a file leave out rows that it has: queries with a condition skip the file and lose them.",
		"Have the file's statistics computed anew, or rewrite it; until then read without conditions on that column."},
	NullValue: {Error, "A column that must not be NULL is NULL in some rows: engines may fail or return nonsense.",
		"Mend the rows, or drop the constraint."},
}
