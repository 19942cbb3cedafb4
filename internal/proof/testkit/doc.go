// Package testkit holds what tests share: unpacking of corpora and builders of
// tables.
package testkit
