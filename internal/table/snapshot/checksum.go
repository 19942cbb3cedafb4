package snapshot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/storage"
)

// checksum is the content of a version checksum file (PROTOCOL.md, Version
// Checksum File). Actions stand in it as in the log.
type checksum struct {
	TxnID              string            `json:"txnId,omitempty"`
	TableSizeBytes     int64             `json:"tableSizeBytes"`
	NumFiles           int64             `json:"numFiles"`
	NumDeletedRecords  *int64            `json:"numDeletedRecordsOpt,omitempty"`
	NumDeletionVectors *int64            `json:"numDeletionVectorsOpt,omitempty"`
	NumMetadata        int64             `json:"numMetadata"`
	NumProtocol        int64             `json:"numProtocol"`
	InCommitTimestamp  *int64            `json:"inCommitTimestampOpt,omitempty"`
	SetTransactions    []json.RawMessage `json:"setTransactions,omitzero"` // nil when not known
	DomainMetadata     []json.RawMessage `json:"domainMetadata,omitzero"`  // nil when not known
	Metadata           json.RawMessage   `json:"metadata"`
	Protocol           json.RawMessage   `json:"protocol"`
	Sizes              *sizeHistogram    `json:"fileSizeHistogram,omitempty"`
	Deletions          *deletedHistogram `json:"deletedRecordCountsHistogramOpt,omitempty"`
	AllFiles           []json.RawMessage `json:"allFiles,omitzero"` // nil when there are many
}

const (
	maxChecksumTxns    = 100
	maxChecksumDomains = 10
)

// WriteChecksum writes the version checksum file of the snapshot. A file that
// is there already stays; no reader depends on one.
func (s *Snapshot) WriteChecksum(ctx context.Context, txnID string) error {
	if !s.Counted() {
		return fmt.Errorf("no version checksum of %s at version %d: %w, so nobody knows how many there are", s.bucket.URL(), s.version, errLight)
	}
	c, err := s.checksum(txnID)
	if err != nil {
		return err
	}
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	err = s.bucket.PutHint(ctx, deltalog.ChecksumPath(s.version), append(data, '\n'))
	if errors.Is(err, storage.ErrExist) {
		return nil
	}
	return err
}

func (s *Snapshot) checksum(txnID string) (*checksum, error) {
	c := &checksum{TxnID: txnID, TableSizeBytes: s.SizeInBytes(), NumFiles: int64(s.NumFiles()), NumMetadata: 1, NumProtocol: 1}
	hasVectors := feature.Supports(s.protocol, "deletionVectors")
	if hasVectors {
		rows, vectors := s.NumDeletedRows(), int64(s.NumDeletionVectors())
		c.NumDeletedRecords, c.NumDeletionVectors = &rows, &vectors
	}
	if t, ok := s.InCommitTimestamp(); ok && feature.InCommitTimestamps(s.metadata) {
		c.InCommitTimestamp = &t
	}
	var err error
	if c.Metadata, err = value(s.metadata); err != nil {
		return nil, err
	}
	if c.Protocol, err = value(s.protocol); err != nil {
		return nil, err
	}
	if _, expire := feature.TxnRetention(s.metadata); !expire {
		if txns := s.Txns(); len(txns) <= maxChecksumTxns {
			c.SetTransactions = []json.RawMessage{}
			for _, k := range slices.Sorted(maps.Keys(txns)) {
				t := txns[k]
				raw, err := value(&t)
				if err != nil {
					return nil, err
				}
				c.SetTransactions = append(c.SetTransactions, raw)
			}
		}
	}
	if domains := s.Domains(); len(domains) <= maxChecksumDomains {
		c.DomainMetadata = []json.RawMessage{}
		for _, k := range slices.Sorted(maps.Keys(domains)) {
			d := domains[k]
			raw, err := value(&d)
			if err != nil {
				return nil, err
			}
			c.DomainMetadata = append(c.DomainMetadata, raw)
		}
	}
	return c, s.distribution(c, hasVectors)
}

// value is an action's JSON without the key in front.
func value(a action.Action) (json.RawMessage, error) {
	line, err := action.Append(nil, a)
	if err != nil {
		return nil, err
	}
	key := len(`{"":`) + len(a.Key())
	return line[key : len(line)-1], nil
}

// ErrChecksum is a version checksum file that disagrees with the log.
var ErrChecksum = errors.New("version checksum does not match")

// VerifyChecksum compares the snapshot with its version checksum file; found is
// false when there is none that can be read.
func (s *Snapshot) VerifyChecksum(ctx context.Context) (found bool, err error) {
	data, _, err := s.bucket.Get(ctx, deltalog.ChecksumPath(s.version))
	if errors.Is(err, storage.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return s.verify(data)
}

// verify compares the snapshot with the text of its version checksum file.
func (s *Snapshot) verify(data []byte) (found bool, err error) {
	var c checksum
	if json.Unmarshal(data, &c) != nil {
		return false, nil
	}
	wrong := func(what string, want, have any) error {
		return &CorruptError{Table: s.bucket.URL(), File: deltalog.ChecksumPath(s.version), Version: s.version, Class: "DELTA_TXN_LOG_FAILED_INTEGRITY",
			Cause: fmt.Errorf("%w: %s is %v there and %v by the log", ErrChecksum, what, want, have)}
	}
	switch {
	case c.NumFiles != int64(s.NumFiles()):
		return true, wrong("numFiles", c.NumFiles, s.NumFiles())
	case c.TableSizeBytes != s.SizeInBytes():
		return true, wrong("tableSizeBytes", c.TableSizeBytes, s.SizeInBytes())
	case c.NumDeletedRecords != nil && *c.NumDeletedRecords != s.NumDeletedRows():
		return true, wrong("numDeletedRecords", *c.NumDeletedRecords, s.NumDeletedRows())
	case c.NumDeletionVectors != nil && *c.NumDeletionVectors != int64(s.NumDeletionVectors()):
		return true, wrong("numDeletionVectors", *c.NumDeletionVectors, s.NumDeletionVectors())
	case c.InCommitTimestamp != nil && s.info != nil && s.info.InCommitTimestamp != nil && *c.InCommitTimestamp != *s.info.InCommitTimestamp:
		return true, wrong("inCommitTimestamp", *c.InCommitTimestamp, *s.info.InCommitTimestamp)
	}
	if what, want, have := s.wrongDistribution(&c); what != "" {
		return true, wrong(what, want, have)
	}
	return true, nil
}
