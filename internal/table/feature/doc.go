// Package feature holds the rules of protocol versions, table features and
// table properties (PROTOCOL.md, Table Features): what a table demands of its
// readers and writers, what this engine can answer for, and what the
// properties of a table mean.
//
// It is also the only place where logical and physical column names meet.
package feature
