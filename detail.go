package sluice

import (
	"slices"
	"time"

	"github.com/sluicelake/sluice/internal/table/feature"
)

// Detail describes a table, as DESCRIBE DETAIL does.
type Detail struct {
	Format            string
	ID                string
	Name              string
	Description       string
	Location          string
	CreatedAt         time.Time
	LastModified      time.Time
	Version           int64
	PartitionColumns  []string
	ClusteringColumns []string // dotted, with backquotes where a name needs them
	NumFiles          int
	SizeInBytes       int64
	Properties        map[string]string
	MinReaderVersion  int32
	MinWriterVersion  int32
	TableFeatures     []string
}

// Detail describes the table at this version.
func (s *Snapshot) Detail() Detail {
	md, p := s.s.Metadata(), s.s.Protocol()
	d := Detail{Format: "delta", ID: md.ID, Name: text(md.Name), Description: text(md.Description), Location: s.t.URL(),
		LastModified: s.Timestamp(), Version: s.Version(), PartitionColumns: s.PartitionColumns(), ClusteringColumns: s.ClusteringColumns(),
		NumFiles: s.NumFiles(), SizeInBytes: s.SizeInBytes(), Properties: s.Properties(),
		MinReaderVersion: p.MinReaderVersion, MinWriterVersion: p.MinWriterVersion, TableFeatures: feature.Names(p)}
	if md.CreatedTime != nil {
		d.CreatedAt = time.UnixMilli(*md.CreatedTime)
	}
	slices.Sort(d.TableFeatures)
	return d
}

// ClusteringColumns are the columns by which writers cluster the table, by their
// logical names, dotted (PROTOCOL.md, Clustered Table).
func (s *Snapshot) ClusteringColumns() []string {
	configuration, _ := s.s.Domain(feature.ClusteringDomain)
	return feature.Clustering(configuration, s.s.Columns())
}

// Domains holds the configuration of each metadata domain of the table by its
// name, system domains such as delta.clustering too.
func (s *Snapshot) Domains() map[string]string {
	out := map[string]string{}
	for name, d := range s.s.Domains() {
		out[name] = d.Configuration
	}
	return out
}

// Txns holds the last version that each application committed, by its id.
func (s *Snapshot) Txns() map[string]int64 {
	out := map[string]int64{}
	for id, t := range s.s.Txns() {
		out[id] = t.Version
	}
	return out
}
