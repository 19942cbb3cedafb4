package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluicelake/sluice"
)

func (a *app) fsck() *cobra.Command {
	var (
		w            writing
		deep, repair bool
		limit        int
		ro           sluice.RepairOptions
	)
	cmd := &cobra.Command{
		Use:   "fsck TABLE [--repair [--dry-run]]",
		Short: "Find everything that is wrong with a table; take missing files out of it",
		Long: "Find everything that is wrong with a table: the log is replayed and held against checkpoints, checksums and compacted commits; " +
			"the files of the newest version are held against the store, and with --deep read and held against their statistics. It changes nothing without --repair.\n\n" +
			"With --repair the files of the newest version are looked for in the store, and those that are gone are taken out of the table in one commit, so that the others can be read again; their rows are lost. " +
			"A file whose deletion vector is gone is told apart: nobody can tell which of its rows were deleted, so nothing is changed then unless --remove-unmarked gives up all of its rows.\n\n" +
			"The status is 1 when there are errors: what loses rows, shows wrong ones, or keeps some reader out. " +
			"With --json each finding is an object on a line, and the last line is the summary.",
		Args: exactArgs("TABLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case limit < 0:
				return usagef("--limit %d: want 0 or more", limit)
			case !repair && (ro.DryRun || ro.RemoveUnmarked || w != writing{}):
				return usagef("--dry-run, --remove-unmarked, --hold and --user-metadata belong to --repair")
			case repair:
				ro.UserMetadata, ro.BeforePublish = w.userMetadata, w.beforePublish()
				return a.repair(cmd.Context(), args[0], ro)
			}
			a.writes = false
			t, err := a.openUnread(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer t.Close()
			check := t.Check(sluice.CheckOptions{Deep: deep})
			p := &findings{a: a, limit: limit, shown: map[string]int{}, advice: map[string]sluice.CheckFinding{}}
			for f, err := range check.Findings(cmd.Context()) {
				if err == nil {
					err = p.print(f)
				}
				if err != nil {
					return err
				}
			}
			return p.end(check.Summary())
		},
	}
	cmd.Flags().BoolVar(&deep, "deep", false, "read every data file and deletion vector too")
	cmd.Flags().IntVarP(&limit, "limit", "n", 20, "print at most this many findings of a code (0: all; with --json all)")
	a.writingFlags(cmd, &w)
	cmd.Flags().BoolVar(&repair, "repair", false, "take files out of the table that the store does not have any more")
	cmd.Flags().BoolVar(&ro.DryRun, "dry-run", false, "with --repair: say what would be done, and do nothing")
	cmd.Flags().BoolVar(&ro.RemoveUnmarked, "remove-unmarked", false, "with --repair: give up the rows of files whose deletion vector is gone")
	return cmd
}

// findings prints findings as they come, and what they mean at the end.
type findings struct {
	a      *app
	limit  int
	shown  map[string]int
	order  []string
	advice map[string]sluice.CheckFinding
}

func (p *findings) print(f sluice.CheckFinding) error {
	if p.a.json {
		return p.a.object(f)
	}
	code := string(f.Code)
	if _, ok := p.advice[code]; !ok {
		p.advice[code] = f
		p.order = append(p.order, code)
	}
	if p.shown[code]++; p.limit > 0 && p.shown[code] > p.limit {
		return nil
	}
	where := f.Object
	if f.Version != nil {
		v := fmt.Sprintf("version %d", *f.Version)
		if f.Line > 0 && strings.HasSuffix(where, ".json") {
			v += fmt.Sprintf(", line %d", f.Line)
		}
		if where == "" {
			where = v
		} else if !strings.Contains(where, fmt.Sprintf("/%020d.", *f.Version)) {
			where += "  (" + v + ")"
		}
	}
	p.a.printf("%-8s %s", strings.ToUpper(string(f.Severity)), code)
	if where != "" && f.Count == 0 {
		p.a.printf("%s", wrapped(where, "  ", "    "))
	}
	p.a.printf("%s", wrapped(f.Message, "  ", "    "))
	return nil
}

// end explains each code once, and counts.
func (p *findings) end(s sluice.CheckSummary) error {
	a := p.a
	if a.json {
		if err := a.object(map[string]any{"summary": s}); err != nil {
			return err
		}
	} else {
		p.explain()
		a.summaryText(s)
	}
	if s.Errors > 0 {
		return told{}
	}
	return nil
}

func (p *findings) explain() {
	if len(p.order) == 0 {
		return
	}
	for _, code := range p.order {
		if n := p.shown[code]; p.limit > 0 && n > p.limit {
			p.a.printf("… and %s more of %s (--limit 0 shows all)", thousands(int64(n-p.limit)), code)
		}
	}
	rank := func(code string) int {
		return slices.Index([]string{string(sluice.SeverityError), string(sluice.SeverityWarning), string(sluice.SeverityInfo)}, string(p.advice[code].Severity))
	}
	slices.SortStableFunc(p.order, func(x, y string) int { return rank(x) - rank(y) })
	p.a.printf("\nWhat it means, and what to do")
	for _, code := range p.order {
		f := p.advice[code]
		p.a.printf("\n  %s (%s)", code, thousands(int64(p.shown[code])))
		p.a.printf("%s", wrapped(f.Meaning, "    ", "    "))
		p.a.printf("%s", wrapped("→ "+f.Advice, "    ", "      "))
	}
	p.a.printf("")
}

func (a *app) summaryText(s sluice.CheckSummary) {
	verdict := "nothing wrong"
	if s.Errors+s.Warnings+s.Infos > 0 {
		verdict = strings.Join([]string{many(s.Errors, "error"), many(s.Warnings, "warning"), many(s.Infos, "note")}, ", ")
	}
	a.printf("%s", wrapped(fmt.Sprintf("%s: %s", s.Table, verdict), "", "  "))
	read := "data files were not opened (--deep opens them)"
	if s.Deep {
		read = many(s.Rows, "row") + " read"
	}
	a.printf("%s", wrapped(fmt.Sprintf("version %d; %s, %s, %s compared with the commits; %s of %s; %s in the store beside the log; %s", s.Version,
		many(s.Commits, "commit"), many(s.Checkpoints, "checkpoint"), many(s.Compared, "derived file"), many(s.Files, "data file"), bytesText(s.Bytes),
		many(s.Objects, "object"), read), "", "  "))
	for _, u := range s.Unchecked {
		a.printf("%s", wrapped("not checked: "+u, "", "  "))
	}
}

// many is plural with the digits in groups.
func many(n int64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + one + "s"
}
