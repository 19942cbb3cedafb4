// Package expr is the language of scalar expressions: Spark 4 SQL text is parsed
// into a small tree, printed back, and bound to columns with Spark's typing rules
// (ANSI, or those of a session without it), so that every implicit cast is a node
// that can be seen.
//
// The package decides names and types and computes nothing: values come from
// internal/logic/eval. A tree is immutable after it is built; Rewrite makes new
// ones. What a value depends on besides its operands, the mode and the time zone of
// the session, is written into the nodes when they are bound.
package expr
