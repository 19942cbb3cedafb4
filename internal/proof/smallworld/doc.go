// Package smallworld plays every pair of statements against each other on a
// table of three files and six rows. The one prepares its work, the other commits,
// the first goes on; a triple has two commits come first. What comes of it has to
// be what the statements give one after the other: the same rows with the same row
// ids, the same schema and properties, changes that lead from the rows before to
// those after, or the same error. The serial run is the engine's own; where the
// columns stay as they are, the rows are also held against a model that knows
// nothing of the engine.
//
// The table is older than every retention, and VACUUM, checkpoints and the cleaning
// of the log are among the statements: what others have under way stays.
//
// SLUICE_WORLD=pairs plays each pair in every kind of table, SLUICE_WORLD=triples
// triples as well, for SLUICE_WORLD_TIME.
package smallworld
