// Package expr is the language of scalar expressions: Spark 4 SQL text is parsed
// into a small tree, printed back, and bound to columns with Spark's ANSI typing
// rules, so that every implicit cast is a node that can be seen.
//
// The package decides names and types and computes nothing: values come from
// internal/logic/eval. A tree is immutable after it is built; Rewrite makes new
// ones. The session time zone is UTC.
package expr
