// Package remote is what stores behind a network share: which failed requests
// may be sent again, which leave it open whether they were carried out, how
// long to wait in between, and secrets that are given by reference.
//
// A request that only reads, or that may be carried out twice with the same
// effect, goes through Policy.Repeat. A put-if-absent goes through Policy.Once:
// it is sent again only where it cannot have had an effect, and everything else
// that is not a plain answer becomes storage.ErrOutcomeUnknown. SDKs must have
// their own retries switched off for it, or they would meet their own object and
// report it as another writer's.
package remote
