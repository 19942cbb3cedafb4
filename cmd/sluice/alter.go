package main

import (
	"github.com/spf13/cobra"

	"github.com/sluicelake/sluice"
)

func (a *app) alter() *cobra.Command {
	var w writing
	cmd := &cobra.Command{
		Use:   "alter TABLE CHANGE...",
		Short: "Change columns, properties, constraints, clustering or features",
		Long: `Each CHANGE is what stands behind ALTER TABLE t in SQL, and one commit: ADD COLUMN, DROP COLUMN, RENAME COLUMN a TO b, ALTER COLUMN, ` +
			`SET or UNSET TBLPROPERTIES, ADD CONSTRAINT c CHECK (...), DROP CONSTRAINT, CLUSTER BY (...), DROP FEATURE f [TRUNCATE HISTORY]. ` +
			`All are read before the first is made; the first that fails ends the command.`,
		Example: `  sluice alter people 'ADD COLUMN age INT AFTER name' "SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')"
  sluice alter people 'ADD CONSTRAINT adult CHECK (age >= 18)'`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			o := sluice.AlterOptions{UserMetadata: w.userMetadata, BeforePublish: w.beforePublish()}
			var changes []sluice.Alteration
			for _, text := range args[1:] {
				some, err := sluice.ParseAlterations(text)
				if err != nil {
					return err
				}
				changes = append(changes, some...)
			}
			t, err := a.open(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer t.Close()
			for _, c := range changes {
				done, err := t.Alter(cmd.Context(), o, c)
				if err != nil {
					return err
				}
				if err := a.committed("ALTER TABLE", done[0], nil); err != nil {
					return err
				}
				o.BeforePublish = nil
			}
			return nil
		},
	}
	a.writingFlags(cmd, &w)
	return cmd
}
