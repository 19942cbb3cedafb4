// Package mutants asks whether the proofs would notice. Each mutant is the engine
// with one deliberate mistake, as a replacement in the text of one file that the
// build puts over the real one; nothing of it is in what users run. Every mutant
// has to fail the pairs of the small world or the schedules of the simulation, and
// the test prints which of them noticed it and by what.
//
// It runs where SLUICE_HEAVY is set: each mutant is a build of its own.
package mutants
