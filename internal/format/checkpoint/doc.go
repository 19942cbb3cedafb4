// Package checkpoint reads and writes checkpoints: the state of a log at one
// version as Parquet (or JSON) files (PROTOCOL.md, Checkpoints).
//
// A checkpoint streams through the same action.Handler as a commit file, so
// whoever can read the one can read the other. All shapes are read. Those that
// are written: one classic file, which every reader knows; the same in parts;
// and version 2, where sidecars of an earlier checkpoint are named again
// instead of being written again.
package checkpoint
