// Package types is the vocabulary of Delta schemas: every primitive type, struct,
// array, map and variant, their JSON form in the log (PROTOCOL.md, Schema
// Serialization Format) and their SQL spelling.
//
// A type is an immutable value. Field metadata is kept as raw JSON in its original
// order, so that a schema that is read and written again loses nothing.
package types
