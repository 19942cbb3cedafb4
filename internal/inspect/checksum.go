package inspect

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// Checksum is the part of a version checksum that can be wrong (PROTOCOL.md,
// Version Checksum File).
type Checksum struct {
	TxnID              *string
	TableSizeBytes     int64
	NumFiles           int64
	NumMetadata        int64
	NumProtocol        int64
	NumDeletedRecords  *int64
	NumDeletionVectors *int64
	InCommitTimestamp  *int64
	Txns               map[string]int64  // nil when the file does not list them
	Domains            map[string]string // nil when the file does not list them
	Metadata           *action.Metadata
	Protocol           *action.Protocol
}

// ParseChecksum decodes the fields of a version checksum.
func ParseChecksum(fields map[string]json.RawMessage) (*Checksum, error) {
	c := &Checksum{}
	for name, to := range map[string]any{"txnId": &c.TxnID, "tableSizeBytes": &c.TableSizeBytes, "numFiles": &c.NumFiles,
		"numMetadata": &c.NumMetadata, "numProtocol": &c.NumProtocol, "numDeletedRecordsOpt": &c.NumDeletedRecords,
		"numDeletionVectorsOpt": &c.NumDeletionVectors, "inCommitTimestampOpt": &c.InCommitTimestamp} {
		if raw := fields[name]; raw != nil {
			if err := json.Unmarshal(raw, to); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	err := actionsOf(fields["setTransactions"], "txn", func(a action.Action) {
		if c.Txns == nil {
			c.Txns = map[string]int64{}
		}
		if t, ok := a.(*action.Txn); ok {
			c.Txns[t.AppID] = t.Version
		}
	})
	if err != nil {
		return nil, err
	}
	err = actionsOf(fields["domainMetadata"], "domainMetadata", func(a action.Action) {
		if c.Domains == nil {
			c.Domains = map[string]string{}
		}
		if d, ok := a.(*action.DomainMetadata); ok && !d.Removed {
			c.Domains[d.Domain] = d.Configuration
		}
	})
	if err != nil {
		return nil, err
	}
	for name, key := range map[string]string{"metadata": "metaData", "protocol": "protocol"} {
		err := actionsOf(wrap(fields[name]), key, func(a action.Action) {
			switch x := a.(type) {
			case *action.Metadata:
				c.Metadata = x
			case *action.Protocol:
				c.Protocol = x
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return c, nil
}

func wrap(raw json.RawMessage) json.RawMessage {
	if raw == nil || string(raw) == "null" {
		return nil
	}
	return slices.Concat([]byte{'['}, raw, []byte{']'})
}

// actionsOf decodes a list of actions that stand there without their key.
func actionsOf(raw json.RawMessage, key string, each func(action.Action)) error {
	if raw == nil || string(raw) == "null" {
		return nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	if len(list) == 0 {
		return nil
	}
	for _, v := range list {
		var flat map[string]any // a line of the log has no line ends
		if err := json.Unmarshal(v, &flat); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		line, err := json.Marshal(map[string]json.RawMessage{key: v})
		if err != nil {
			return err
		}
		acts, err := action.ParseCommit(line, key)
		if err != nil {
			return err
		}
		for _, a := range acts {
			each(a)
		}
	}
	return nil
}

// AgainstCommit says what the commit of the version contradicts.
func (c *Checksum) AgainstCommit(info *action.CommitInfo) (out []string) {
	if info == nil {
		return nil
	}
	if c.TxnID != nil && info.TxnID != nil && *c.TxnID != *info.TxnID {
		out = append(out, fmt.Sprintf("txnId is %s, the commit says %s", *c.TxnID, *info.TxnID))
	}
	if c.InCommitTimestamp != nil && info.InCommitTimestamp != nil && *c.InCommitTimestamp != *info.InCommitTimestamp {
		out = append(out, fmt.Sprintf("inCommitTimestampOpt is %d, the commit says %d", *c.InCommitTimestamp, *info.InCommitTimestamp))
	}
	return out
}

// Totals are the facts of a version that a checksum repeats.
type Totals struct {
	Files, Bytes, Vectors, DeletedRows int64
	Txns                               map[string]int64
	Domains                            map[string]string
	Metadata                           *action.Metadata
	Protocol                           *action.Protocol
}

// StateTotals are the facts of a snapshot.
func StateTotals(s *snapshot.Snapshot) Totals {
	t := Totals{Files: int64(s.NumFiles()), Bytes: s.SizeInBytes(), Vectors: int64(s.NumDeletionVectors()), DeletedRows: s.NumDeletedRows(),
		Txns: map[string]int64{}, Domains: map[string]string{}, Metadata: s.Metadata(), Protocol: s.Protocol()}
	for id, x := range s.Txns() {
		t.Txns[id] = x.Version
	}
	for name, d := range s.Domains() {
		t.Domains[name] = d.Configuration
	}
	return t
}

// Against says what the state of the version contradicts.
func (c *Checksum) Against(t Totals) (out []string) {
	number := func(name string, have, want int64) {
		if have != want {
			out = append(out, fmt.Sprintf("%s is %d, the log gives %d", name, have, want))
		}
	}
	number("numFiles", c.NumFiles, t.Files)
	number("tableSizeBytes", c.TableSizeBytes, t.Bytes)
	number("numMetadata", c.NumMetadata, 1)
	number("numProtocol", c.NumProtocol, 1)
	if c.NumDeletionVectors != nil {
		number("numDeletionVectorsOpt", *c.NumDeletionVectors, t.Vectors)
	}
	if c.NumDeletedRecords != nil {
		number("numDeletedRecordsOpt", *c.NumDeletedRecords, t.DeletedRows)
	}
	if c.Txns != nil && !reflect.DeepEqual(c.Txns, t.Txns) {
		out = append(out, fmt.Sprintf("setTransactions are %v, the log gives %v", c.Txns, t.Txns))
	}
	if c.Domains != nil && !reflect.DeepEqual(c.Domains, t.Domains) {
		out = append(out, "domainMetadata differs from the log's")
	}
	if c.Metadata != nil && t.Metadata != nil {
		if d := DiffMetadata(c.Metadata, t.Metadata); d != "" {
			out = append(out, "metadata: "+d+" differs from the log's")
		}
	}
	if c.Protocol != nil && t.Protocol != nil {
		if d := DiffProtocol(c.Protocol, t.Protocol); d != "" {
			out = append(out, "protocol: "+d+" differs from the log's")
		}
	}
	return out
}

// DiffMetadata names the first field in which two metadata actions differ, "" for none.
func DiffMetadata(a, b *action.Metadata) string {
	sa, ea := sortedJSON(a.SchemaString)
	sb, eb := sortedJSON(b.SchemaString)
	switch {
	case a.ID != b.ID:
		return "id"
	case sa != sb || (ea == nil) != (eb == nil):
		return "schemaString"
	case !slices.Equal(a.PartitionColumns, b.PartitionColumns):
		return "partitionColumns"
	case len(a.Configuration)+len(b.Configuration) > 0 && !reflect.DeepEqual(a.Configuration, b.Configuration):
		return "configuration"
	}
	return ""
}

// DiffProtocol names the first field in which two protocol actions differ, "" for none.
func DiffProtocol(a, b *action.Protocol) string {
	same := func(x, y []string) bool {
		return slices.Equal(slices.Sorted(slices.Values(x)), slices.Sorted(slices.Values(y)))
	}
	switch {
	case a.MinReaderVersion != b.MinReaderVersion:
		return "minReaderVersion"
	case a.MinWriterVersion != b.MinWriterVersion:
		return "minWriterVersion"
	case !same(a.ReaderFeatures, b.ReaderFeatures):
		return "readerFeatures"
	case !same(a.WriterFeatures, b.WriterFeatures):
		return "writerFeatures"
	}
	return ""
}
