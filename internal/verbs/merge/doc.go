// Package merge is MERGE: a source is matched against the target's rows, and
// clauses say what becomes of matched, unmatched and source-less rows.
//
// Everything a MERGE does to one target file depends on that file and the
// source alone, so effects are computed file by file, entered in a ledger, and
// recomputed for just the files that a winner changed. UPDATE and DELETE are a
// MERGE without a source whose only clauses are NOT MATCHED BY SOURCE.
package merge
