package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluicelake/sluice"
)

func (a *app) detail() *cobra.Command {
	var v atFlags
	cmd := &cobra.Command{
		Use:   "detail TABLE",
		Short: "Describe a table: size, files, properties, protocol",
		Long: `Describe a table at one version. The fields of --json are those of DESCRIBE DETAIL, and in addition
version, txns (the last version that each application committed) and domainMetadata.`,
		Args: exactArgs("TABLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, s, err := a.snapshotOf(cmd, args[0], &v)
			if err != nil {
				return err
			}
			defer t.Close()
			if a.json {
				return a.object(detailObject(s))
			}
			a.printDetail(s)
			return nil
		},
	}
	v.add(cmd)
	return cmd
}

// detailObject has the column names of DESCRIBE DETAIL.
func detailObject(s *sluice.Snapshot) map[string]any {
	d := s.Detail()
	return map[string]any{"format": d.Format, "id": d.ID, "name": nullable(d.Name), "description": nullable(d.Description), "location": d.Location,
		"createdAt": stampOrNull(d.CreatedAt), "lastModified": stampOrNull(d.LastModified), "version": d.Version,
		"partitionColumns": list(d.PartitionColumns), "clusteringColumns": list(d.ClusteringColumns),
		"numFiles": d.NumFiles, "sizeInBytes": d.SizeInBytes, "properties": object(d.Properties), "minReaderVersion": d.MinReaderVersion,
		"minWriterVersion": d.MinWriterVersion, "tableFeatures": list(d.TableFeatures), "txns": s.Txns(), "domainMetadata": s.Domains()}
}

func (a *app) printDetail(s *sluice.Snapshot) {
	d := s.Detail()
	for _, line := range [][2]string{{"location", d.Location}, {"id", d.ID}, {"name", d.Name}, {"description", d.Description},
		{"version", fmt.Sprint(d.Version)}, {"created", stamp(d.CreatedAt)}, {"last modified", stamp(d.LastModified)},
		{"partitioned by", strings.Join(d.PartitionColumns, ", ")}, {"clustered by", strings.Join(d.ClusteringColumns, ", ")},
		{"files", fmt.Sprint(d.NumFiles)}, {"size", bytesText(d.SizeInBytes)},
		{"protocol", fmt.Sprintf("reader %d, writer %d", d.MinReaderVersion, d.MinWriterVersion)}, {"features", strings.Join(d.TableFeatures, ", ")}} {
		if line[1] != "" {
			a.printf("%-15s %s", line[0], visible(line[1]))
		}
	}
	for _, k := range sorted(d.Properties) {
		a.printf("%-15s %s", "property", visible(k+"="+d.Properties[k]))
	}
	txns := s.Txns()
	for _, k := range sorted(txns) {
		a.printf("%-15s %s", "application", visible(fmt.Sprintf("%s at version %d", k, txns[k])))
	}
	domains := s.Domains()
	for _, k := range sorted(domains) {
		a.printf("%-15s %s", "domain", visible(k+" = "+domains[k]))
	}
}

// list is a list that JSON shows as [] when it is empty.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// object is a map that JSON shows as {} when it is empty.
func object(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}
