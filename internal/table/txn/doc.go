// Package txn is the optimistic transaction: it remembers what was read,
// publishes the next version by put-if-absent, and when another writer was
// faster fits the transaction behind that winner instead of failing.
//
// The commit loop is the only place that publishes. Its answers are values:
// published, run the statement again, nothing to do; errors are conflicts that
// cannot be reconciled, failures of the store, and an outcome that nobody can
// know.
package txn
