package main

import (
	"github.com/spf13/cobra"

	"github.com/sluicelake/sluice"
)

func (a *app) clone() *cobra.Command {
	var (
		v          atFlags
		w          writing
		o          sluice.CloneOptions
		properties []string
		dry        bool
	)
	cmd := &cobra.Command{
		PreRun: func(*cobra.Command, []string) { a.writes = true },
		Use:    "clone SOURCE TARGET [--shallow] [--version N | --at TIMESTAMP]",
		Short:  "Make a table with the rows that another has at one version",
		Long: `A deep clone has copies of the files; one that was stopped goes on where it was when the command is run again. ` +
			`A shallow clone (--shallow) names the files of its source: reading it needs --allow-outside SOURCE, and it breaks when the files go. ` +
			`It is entered in _delta_log/_sluice_clones of its source, so that sluice vacuum keeps them; other engines do not look there.`,
		Example: "  sluice clone people backup/people\n  sluice clone people experiment --shallow --version 12",
		Args:    exactArgs("SOURCE", "TARGET"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			at, err := v.resolve(cmd)
			if err != nil {
				return err
			}
			if o.Properties, err = pairs("--property", properties); err != nil {
				return err
			}
			o.UserMetadata, o.BeforePublish = w.userMetadata, w.beforePublish()
			source, err := a.open(ctx, args[0])
			if err != nil {
				return err
			}
			defer source.Close()
			s, err := source.Snapshot(ctx, at...)
			if err != nil {
				return err
			}
			listener, clear := a.watch()
			opts, err := a.tableOptions(ctx, args[1])
			if err != nil {
				return err
			}
			opts = append(opts, sluice.WithListener(listener))
			if dry {
				p, err := s.PlanClone(ctx, args[1], o, opts...)
				if err != nil {
					return err
				}
				return a.clonePlan(p, o.Shallow)
			}
			t, res, err := s.Clone(ctx, args[1], o, opts...)
			clear()
			if err != nil {
				return err
			}
			defer t.Close()
			return a.cloned(source.URL(), t, res, o.Shallow)
		},
	}
	a.writingFlags(cmd, &w)
	v.add(cmd)
	cmd.Flags().Lookup("version").Usage = "the `VERSION` of the source to clone"
	cmd.Flags().Lookup("at").Usage = "clone the newest version that is not younger than this `TIMESTAMP`"
	f := cmd.Flags()
	f.BoolVar(&o.Shallow, "shallow", false, "name the files of the source instead of copying them")
	f.BoolVar(&o.IfNotExists, "if-not-exists", false, "accept a table that is there already")
	f.BoolVar(&o.Replace, "replace", false, "clone over a table that is there already")
	f.BoolVar(&o.Unregistered, "unregistered", false, "make no entry at the source of a shallow clone")
	f.StringArrayVar(&properties, "property", nil, "a table property, `k=v`, over those of the source; may be repeated")
	f.BoolVar(&dry, "dry-run", false, "print the plan and change nothing")
	return cmd
}

func (a *app) clonePlan(p *sluice.ClonePlan, shallow bool) error {
	if a.json {
		return a.object(map[string]any{"operation": "CLONE", "dryRun": true, "shallow": shallow, "source": p.Source, "sourceVersion": p.SourceVersion,
			"files": p.Files, "bytes": p.Bytes, "filesToCopy": p.ToCopy, "bytesToCopy": p.BytesToCopy, "filesReplaced": p.Replaces})
	}
	a.printf("CLONE of %s, version %d: %s, %s", p.Source, p.SourceVersion, plural(p.Files, "file"), bytesText(p.Bytes))
	if !shallow {
		a.printf("  would copy %s, %s", plural(p.ToCopy, "file"), bytesText(p.BytesToCopy))
	}
	if p.Replaces > 0 {
		a.printf("  would replace a table of %s", plural(p.Replaces, "file"))
	}
	return nil
}

func (a *app) cloned(source string, t *sluice.Table, r *sluice.CloneResult, shallow bool) error {
	if err := a.committed("CLONE", r.Commit, []number{
		{key: "files", value: r.Files, text: "file", always: true},
		{key: "bytes", value: r.Bytes},
		{key: "filesCopied", value: r.Copied, text: "file", verb: "copied"},
		{key: "bytesCopied", value: r.BytesCopied},
		{key: "filesAlreadyThere", value: r.AlreadyThere, text: "file", verb: "there already"},
		{key: "filesRemoved", value: r.Removed, text: "file", verb: "replaced"},
	}); err != nil || !r.Created {
		return err
	}
	switch {
	case !shallow:
	case r.RegisterFailed != nil:
		a.remark("the clone is not entered at its source (%v): VACUUM there may delete its files", r.RegisterFailed)
	default:
		a.remark("the files are those of %s: read the clone with --allow-outside %s", source, source)
	}
	return nil
}
