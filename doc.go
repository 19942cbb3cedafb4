// Package sluice is a Delta Lake engine in pure Go: tables are opened, read,
// written and merged into from any number of processes, and a writer that was
// slower than another one is fitted behind it instead of failing.
//
// The tour:
//
//	t, err := sluice.Open(ctx, "/data/people")           // or Create, CreateIfNotExists
//	s, err := t.Snapshot(ctx, sluice.Version(12))        // or Latest(), Time(ts)
//	for batch, err := range s.Scan(sluice.ScanOptions{Where: "country = 'UK'"}).Batches(ctx) { ... }
//
//	res, err := t.Merge(src, "t.user_id = s.user_id AND t.city = s.city").As("t", "s").
//		WhenMatched().UpdateAll().
//		WhenNotMatched().InsertAll().
//		WhenNotMatchedBySource("t.country = 'UK'").Delete().
//		Exec(ctx)
//
// Statements (Append, Overwrite, Update, Delete, Merge) are declarative: the
// committed result is the one they would have had if they had run after every
// writer that was faster. Result.Winners tells which these were and what was
// done about them. A low-level transaction (Begin, Transact) records what it
// reads, and gets a *ConflictError when a winner changed just that.
//
// Sequences are iter.Seq2 of a value and an error: an error comes once, last;
// leaving the loop early releases everything. Arrow batches belong to Go's
// garbage collector: they may be kept, and need not be released.
//
// Errors are typed (*ConflictError, *FeatureError, *CorruptError,
// *ConstraintError, *StatementError) or match a sentinel (ErrNotTable,
// ErrVersionNotFound, ErrCommitUnknown, ...) under errors.Is, and carry Delta's
// own error class where the reference has one (ErrorClass).
package sluice
