// Package checkpoint reads and writes checkpoints: the state of a log at one
// version as Parquet (or JSON) files (PROTOCOL.md, Checkpoints).
//
// A checkpoint streams through the same action.Handler as a commit file, so
// whoever can read the one can read the other. Reading takes classic and V2
// checkpoints, with sidecars, in all the shapes that writers give them; writing
// makes one classic file, which every reader knows.
package checkpoint
