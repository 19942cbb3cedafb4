package session

import (
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/optimize"
)

// The settings of the compaction behind commits, by Spark's names.
const (
	autoEnabled    = "spark.databricks.delta.autoCompact.enabled"
	autoMaxSize    = "spark.databricks.delta.autoCompact.maxFileSize"
	autoMinSize    = "spark.databricks.delta.autoCompact.minFileSize"
	autoMinFiles   = "spark.databricks.delta.autoCompact.minNumFiles"
	autoPartitions = "spark.databricks.delta.autoCompact.maxNumModifiedPartitions"
)

// behind is what the settings ask for behind commits; nil leaves it to the tables.
func (c settings) behind() ([]txn.After, error) {
	a := optimize.Auto{Enabled: c.wish(autoEnabled)}
	var files, partitions int64
	given := a.Enabled != nil
	for name, to := range map[string]*int64{autoMaxSize: &a.TargetSize, autoMinSize: &a.MinSize, autoMinFiles: &files, autoPartitions: &partitions} {
		if c.get(name) == "" {
			continue
		}
		if err := c.size(name, to); err != nil {
			return nil, err
		}
		given = true
	}
	if !given {
		return nil, nil
	}
	a.MinFiles, a.Partitions = int(files), int(partitions)
	return []txn.After{a.Follow}, nil
}
