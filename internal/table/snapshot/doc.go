// Package snapshot turns a log into the state of a table at one version.
//
// The files of a table are kept in columns, not in objects: paths in arenas,
// partition values interned, statistics in compressed blocks that are opened
// when somebody asks. All versions of one table that a program holds share
// these columns. A version sees the files that were appended to them up to its
// time, less those marked dead up to its time; so the next version costs what
// its commit changed, and older snapshots stay valid for ever.
package snapshot
