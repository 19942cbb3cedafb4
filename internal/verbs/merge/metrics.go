package merge

import (
	"strconv"
	"time"

	"github.com/sluicelake/sluice/internal/rows/rewrite"
)

// Metrics counts what a statement does, as of the last repair.
type Metrics struct {
	SourceRows                                   int64
	Inserted                                     int64
	MatchedUpdated, BySourceUpdated              int64
	MatchedDeleted, BySourceDeleted              int64
	Copied                                       int64
	FilesAdded, FilesRemoved                     int64
	BytesAdded, BytesRemoved                     int64
	VectorsAdded, VectorsRemoved, VectorsUpdated int64
	ChangeFiles, ChangeBytes                     int64
	Times
}

// Times says how long the phases took.
type Times struct{ Total, Scan, Rewrite time.Duration }

// Updated is the number of rows updated.
func (m Metrics) Updated() int64 { return m.MatchedUpdated + m.BySourceUpdated }

// Deleted is the number of rows deleted.
func (m Metrics) Deleted() int64 { return m.MatchedDeleted + m.BySourceDeleted }

func (w *Work) metrics(sum rewrite.Summary) Metrics {
	m := Metrics{SourceRows: int64(w.m.src.Rows), Inserted: w.ledger.Inserts(), Copied: sum.RowsCopied,
		FilesAdded: sum.FilesAdded, FilesRemoved: sum.FilesRemoved, BytesAdded: sum.BytesAdded, BytesRemoved: sum.BytesRemoved,
		VectorsAdded: sum.VectorsAdded, VectorsRemoved: sum.VectorsRemoved, VectorsUpdated: sum.VectorsUpdated,
		ChangeFiles: sum.ChangeFiles, ChangeBytes: sum.ChangeBytes}
	if w.span != nil {
		m.Times = w.span()
	}
	count := func(index int32, n int64) {
		c := w.p.clauses[index]
		switch {
		case c.kind == Matched && c.action == Delete:
			m.MatchedDeleted += n
		case c.kind == Matched:
			m.MatchedUpdated += n
		case c.action == Delete:
			m.BySourceDeleted += n
		default:
			m.BySourceUpdated += n
		}
	}
	for _, e := range w.ledger.Effects() {
		if e.Whole {
			count(e.Clause, e.Live)
			continue
		}
		for _, r := range e.Rows {
			count(r.Clause, 1)
		}
	}
	return m
}

// Map gives the metrics the names that the reference records for MERGE.
func (m Metrics) Map() map[string]string {
	out := map[string]string{}
	for name, n := range map[string]int64{
		"numSourceRows": m.SourceRows, "numTargetRowsInserted": m.Inserted,
		"numTargetRowsUpdated": m.Updated(), "numTargetRowsMatchedUpdated": m.MatchedUpdated, "numTargetRowsNotMatchedBySourceUpdated": m.BySourceUpdated,
		"numTargetRowsDeleted": m.Deleted(), "numTargetRowsMatchedDeleted": m.MatchedDeleted, "numTargetRowsNotMatchedBySourceDeleted": m.BySourceDeleted,
		"numTargetRowsCopied": m.Copied, "numOutputRows": m.Copied + m.Updated() + m.Inserted,
		"numTargetFilesAdded": m.FilesAdded, "numTargetFilesRemoved": m.FilesRemoved,
		"numTargetBytesAdded": m.BytesAdded, "numTargetBytesRemoved": m.BytesRemoved, "numTargetChangeFilesAdded": m.ChangeFiles,
		"numTargetDeletionVectorsAdded": m.VectorsAdded + m.VectorsUpdated, "numTargetDeletionVectorsRemoved": m.VectorsRemoved + m.VectorsUpdated,
		"numTargetDeletionVectorsUpdated": m.VectorsUpdated,
		"executionTimeMs":                 m.Total.Milliseconds(), "scanTimeMs": m.Scan.Milliseconds(), "rewriteTimeMs": m.Rewrite.Milliseconds(),
	} {
		out[name] = strconv.FormatInt(n, 10)
	}
	return out
}
