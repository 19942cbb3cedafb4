// Package conformance runs the command line, as people and scripts run it, over
// tables that others wrote, and holds every answer against theirs: rows, row ids,
// schemas, snapshots, change feeds, histories, details and refusals. It ends in
// one line that says how many answers there were and how many differed; nothing
// is skipped.
package conformance
