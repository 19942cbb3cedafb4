package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/inspect/life"
	"github.com/sluicelake/sluice/storage"
)

func (a *app) life() *cobra.Command {
	return &cobra.Command{
		Use:   "life TABLE PATH",
		Short: "Tell what happened to one file of a table",
		Long: "Tell what happened to one file of a table, version by version: added, rows deleted, removed, added again; whether the store has it, " +
			"and since when VACUUM may remove it. PATH is a data file, a change data file or a file of deletion vectors, " +
			"as the log or the store names it: encoded or not, relative to the table or absolute.",
		Args: exactArgs("TABLE", "PATH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := a.openUnread(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer t.Close()
			l, err := t.Life(cmd.Context(), args[1])
			if err != nil {
				return err
			}
			if alias := localAlias(args[1]); len(l.Events) == 0 && alias != "" {
				other, err := t.Life(cmd.Context(), alias)
				if err != nil {
					return err
				}
				if len(other.Events) > 0 {
					l = other
				}
			}
			if len(l.Events) == 0 && (l.Store == nil || !l.Store.Exists) {
				return noLife(l)
			}
			if a.json {
				return a.object(l)
			}
			a.lifeText(l)
			return nil
		},
	}
}

// localAlias is the absolute form of a path that leads to a file from the
// working directory, which people complete with the tabulator.
func localAlias(path string) string {
	if storage.Scheme(path) != "" || filepath.IsAbs(path) {
		return ""
	}
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return ""
	}
	return "file://" + (&url.URL{Path: filepath.ToSlash(full)}).EscapedPath()
}

// noLife says that nothing names a path, and what is like it.
func noLife(l *sluice.Life) error {
	text := fmt.Sprintf("no version of %s that the log still has names the file %s, and the store does not have it", l.Table, l.Path)
	if len(l.Near) > 0 {
		text += "; the nearest are\n  " + strings.Join(l.Near, "\n  ")
	}
	return unnamed(text)
}

// unnamed is a file that no version names.
type unnamed string

func (u unnamed) Error() string { return string(u) }
func (u unnamed) Unwrap() error { return storage.ErrNotExist }

func (a *app) lifeText(l *sluice.Life) {
	a.place("file", l.Path)
	if l.Key != l.Path {
		a.place("object", l.Key)
	}
	a.place("table", l.Table)
	a.fact("kind", l.Kind)
	switch {
	case len(l.Events) == 0:
	case l.Live:
		a.fact("state", fmt.Sprintf("live in version %d, the newest", l.Version))
	case l.Kind == life.KindChange:
		a.fact("state", "read by the change data feed of its version only")
	default:
		a.fact("state", fmt.Sprintf("no part of version %d, the newest", l.Version))
	}
	a.fact("store", storeText(l))
	a.fact("vacuum", vacuumText(l))
	switch {
	case l.FirstCommit > 0 && l.Checkpoint >= 0:
		a.fact("log", fmt.Sprintf("begins with version %d; the checkpoint of version %d tells what was before", l.FirstCommit, l.Checkpoint))
	case l.FirstCommit < 0:
		a.fact("log", fmt.Sprintf("has no commits; the checkpoint of version %d tells what there is", l.Checkpoint))
	case l.FirstCommit > 0:
		a.fact("log", fmt.Sprintf("begins with version %d; what was before is unknown", l.FirstCommit))
	}
	for _, n := range l.Notes {
		a.fact("note", n)
	}
	for _, e := range l.Events {
		a.printf("")
		when := ""
		if e.Time != nil {
			when = "  " + stamp(*e.Time)
		}
		a.printf("version %d%s%s%s", e.Version, when, prefixed("  ", e.Operation), prefixed("  by ", strings.TrimSpace(e.User+prefixed("  ", e.Engine))))
		for i, line := range eventText(e) {
			a.printf("%s", wrapped(line, "  ", "    "))
			if i == 0 && e.Data != "" {
				a.printf("  %s", e.Data)
			}
		}
	}
}

func storeText(l *sluice.Life) string {
	s := l.Store
	switch {
	case s == nil:
		return ""
	case s.Problem != "":
		return s.Problem
	case !s.Exists && l.Live:
		return "MISSING, though the newest version needs it"
	case !s.Exists:
		return "not there any more"
	case s.Agrees != nil && !*s.Agrees:
		return fmt.Sprintf("there, but its size of %s bytes is NOT that of the log; modified %s", thousands(s.Size), stamp(*s.Modified))
	}
	return fmt.Sprintf("there, %s, modified %s", sizeText(s.Size), stamp(*s.Modified))
}

func vacuumText(l *sluice.Life) string {
	v := l.Vacuum
	if v == nil || l.Store == nil || !l.Store.Exists {
		return ""
	}
	retention := strings.TrimSuffix(strings.TrimSuffix(v.Retention, "0s"), "0m")
	if d, err := time.ParseDuration(v.Retention); err == nil && d%(24*time.Hour) == 0 && d > 0 {
		retention = plural(int64(d/(24*time.Hour)), "day")
	} else if d == 0 {
		retention = "none"
	}
	if v.Now {
		return fmt.Sprintf("may remove it since %s (retention: %s)", stamp(v.Since), retention)
	}
	return fmt.Sprintf("may remove it from %s on (retention: %s)", stamp(v.Since), retention)
}

// eventText is an event in lines for people.
func eventText(e life.Event) (out []string) {
	head := map[string]string{life.Added: "added", life.Known: "listed as live by the checkpoint", life.Marked: "rows deleted", life.Restated: "added again while it was there",
		life.Removed: "removed", life.Tombstone: "listed as removed by the checkpoint", life.Readded: "added again, back from its removal", life.Change: "holds change data of this version"}[e.What]
	switch v := e.Vector; {
	case v == nil:
	case e.Data != "" && (e.What == life.Removed || e.What == life.Tombstone):
		head += fmt.Sprintf(": no longer the vector, of %s, of", plural(v.Cardinality, "row"))
	case e.Data != "":
		head = fmt.Sprintf("vector, of %s, of", plural(v.Cardinality, "row"))
	case e.What == life.Removed || e.What == life.Tombstone:
		head += fmt.Sprintf(", with %s deleted", plural(v.Cardinality, "row"))
	case e.What != life.Marked:
		head += fmt.Sprintf(", %s deleted", plural(v.Cardinality, "row"))
	case v.Before > 0:
		head += fmt.Sprintf(": %s, %s before", thousands(v.Cardinality), thousands(v.Before))
	default:
		head += ": " + thousands(v.Cardinality)
	}
	if e.DataChange != nil && !*e.DataChange {
		head += " (no data change)"
	}
	out = append(out, head)
	var facts []string
	if e.Size != nil && e.What != life.Marked {
		facts = append(facts, sizeText(*e.Size))
	}
	if e.Rows != nil && e.What != life.Marked && e.Data == "" {
		facts = append(facts, plural(*e.Rows, "row"))
	}
	if e.BaseRowID != nil {
		facts = append(facts, fmt.Sprintf("row ids from %d", *e.BaseRowID))
	}
	if e.RowVersion != nil {
		facts = append(facts, fmt.Sprintf("row version %d", *e.RowVersion))
	}
	if e.What != life.Marked && e.What != life.Removed {
		if p := partitionText(e.PartitionValues); p != "" {
			facts = append(facts, p)
		}
	}
	if e.Deleted != nil {
		facts = append(facts, "deletion time "+stamp(*e.Deleted))
	}
	if len(facts) > 0 {
		out = append(out, strings.Join(facts, ", "))
	}
	if e.Vector != nil && (e.What == life.Marked || e.Data != "") {
		out = append(out, "vector "+e.Vector.ID)
	}
	if len(e.Stats) > 0 && e.What != life.Marked {
		out = append(out, "stats "+elided(string(e.Stats), 300))
	}
	return out
}

func partitionText(p action.PartitionValues) string {
	var parts []string
	for _, k := range sorted(p) {
		v := "NULL"
		if p[k] != nil {
			v = *p[k]
		}
		parts = append(parts, k+"="+v)
	}
	return strings.Join(parts, ", ")
}
