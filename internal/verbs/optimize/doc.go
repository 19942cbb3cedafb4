// Package optimize is OPTIMIZE and REORG: rows move to better files, and no row changes.
//
// A plan is a list of bins, each some files of one partition that become one
// file. It is a value that can be printed before anything is done. Bins are
// carried out side by side and committed in batches; where each row went is
// known, so that a winner's deletions are found again in the new files.
package optimize
