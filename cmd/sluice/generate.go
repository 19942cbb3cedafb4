package main

import "github.com/spf13/cobra"

func (a *app) generate() *cobra.Command {
	return &cobra.Command{
		Use:   "generate TABLE",
		Short: "Write symlink manifests for engines that do not read the log",
		Long: `Writes _symlink_format_manifest: a text file for each partition, with the address of a data file on each line. ` +
			`Tables with deletion vectors or mapped columns are refused. With the property delta.compatibility.symlinkFormatManifest.enabled every commit by sluice writes them again.`,
		Example: "  sluice generate people",
		Args:    exactArgs("TABLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := a.open(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer t.Close()
			s, err := t.Snapshot(cmd.Context())
			if err != nil {
				return err
			}
			r, err := s.GenerateManifest(cmd.Context())
			if err != nil {
				return err
			}
			if a.json {
				return a.object(map[string]any{"operation": "GENERATE", "version": s.Version(), "manifests": r.Written, "manifestsRemoved": r.Removed, "files": r.Files})
			}
			a.printf("GENERATE: %s of version %d with %s", plural(int64(r.Written), "manifest"), s.Version(), plural(int64(r.Files), "file"))
			return nil
		},
	}
}
