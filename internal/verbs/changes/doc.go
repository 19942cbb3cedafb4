// Package changes is the change data feed: which rows each version of a range
// inserted, updated and deleted.
//
// A commit that names change data files says its changes itself, and nothing else
// counts. From any other commit they follow: rows of added files are inserted,
// rows of removed files deleted, and of a file that was given another deletion
// vector only the difference counts (PROTOCOL.md, Add CDC File; the rules of
// refusal are those of delta-spark's CDCReader).
//
// The changes of a version are a list of files whose order follows from the log
// alone. So a place in the feed is three numbers - version, file, row - and a
// reading can stop behind any batch and go on elsewhere.
package changes
