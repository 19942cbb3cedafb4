// Package conflict decides what a published winner means for a transaction that
// wanted the same version: nothing, a repair of a few files, running again, or
// a conflict that somebody has to hear about.
//
// Check is a pure function over values: the facts of one transaction and one
// winner at a time. It has two modes. Precise judges as exactly as partition
// values, statistics and file identity allow; Reference gives the verdicts of
// delta-spark for the same recorded reads, so that people can ask whether Spark
// would have failed.
package conflict
