package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/sluicelake/sluice"
)

// rules reads --mode.
func rules(mode string) (sluice.Rules, error) {
	switch mode {
	case "precise":
		return sluice.PreciseRules, nil
	case "reference":
		return sluice.ReferenceRules, nil
	}
	return 0, usagef("--mode %s: want precise or reference", mode)
}

// scenario judges the races of a file, one a line, and prints one verdict a line.
func (a *app) scenario(path, mode string) error {
	by, err := rules(mode)
	if err != nil {
		return err
	}
	in, done, err := a.lines(path)
	if err != nil {
		return fmt.Errorf("--scenario: %w", err)
	}
	defer done()
	failed := 0
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			j, bad := sluice.JudgeScenario(line, by)
			if bad == nil {
				bad = a.object(j)
			} else {
				failed++
				fmt.Fprintf(a.errs, "sluice: line %d: %v\n", n, bad)
				bad = a.object(map[string]any{"line": n, "error": a.failure(bad)})
			}
			if bad != nil {
				return bad
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("--scenario: %s: %w", path, err)
		}
	}
	if failed > 0 {
		return told{}
	}
	return nil
}

// lines opens a text, plain or compressed with zstd, which its first bytes tell.
func (a *app) lines(path string) (*bufio.Reader, func(), error) {
	in, done := a.in, func() {}
	if !stdin(path) {
		f, err := os.Open(path)
		if err != nil {
			return nil, nil, err
		}
		in, done = f, func() { f.Close() }
	}
	b := bufio.NewReaderSize(in, 1<<16)
	if magic, _ := b.Peek(4); string(magic) != "\x28\xb5\x2f\xfd" {
		return b, done, nil
	}
	z, err := zstd.NewReader(b)
	if err != nil {
		done()
		return nil, nil, err
	}
	return bufio.NewReaderSize(z, 1<<16), func() { z.Close(); done() }, nil
}

// versions reads A,B.
func versions(text string) (first, second int64, err error) {
	x, y, ok := strings.Cut(text, ",")
	first, e1 := strconv.ParseInt(strings.TrimSpace(x), 10, 64)
	second, e2 := strconv.ParseInt(strings.TrimSpace(y), 10, 64)
	if !ok || e1 != nil || e2 != nil || first < 0 || second < 0 {
		return 0, 0, usagef("--versions %s: want two version numbers, as in 3,5", text)
	}
	return first, second, nil
}

// collision says whether two versions of a table exclude each other.
func (a *app) collision(ctx context.Context, url, pair string) error {
	x, y, err := versions(pair)
	if err != nil {
		return err
	}
	t, err := a.openUnread(ctx, url)
	if err != nil {
		return err
	}
	defer t.Close()
	c, err := t.ExplainVersions(ctx, x, y)
	if err != nil {
		return err
	}
	if a.json {
		return a.object(c)
	}
	a.told("first", c.Winner)
	a.told("second", c.Loser)
	a.printf("")
	a.prose("If version %d had read version %d, beside version %d:", c.Loser.Version, c.ReadVersion, c.Winner.Version)
	verdict := "both are committed"
	if c.Reference.Conflict {
		verdict = fmt.Sprintf("%s [%s]", c.Reference.Exception, c.Reference.Condition)
	}
	a.printf("%s", wrapped("under Spark's rules: "+verdict, "  ", "    "))
	a.evidence(c.Reference.Evidence)
	a.printf("%s", wrapped("with sluice: "+c.Sluice.Answer+", "+c.Sluice.Why, "  ", "    "))
	a.evidence(c.Sluice.Evidence)
	a.reads("What it read, for sluice", c.Reads)
	a.reads("What it read, for Spark", c.Reference.Reads)
	for i, n := range c.Notes {
		if i == 0 {
			a.printf("")
		}
		a.prose("note: %s.", n)
	}
	return nil
}

func (a *app) told(what string, s sluice.Story) {
	a.prose("%s: %s\n%s", what, s.Sentence(), s.Touched())
}

func (a *app) reads(title string, list []sluice.Reading) {
	if len(list) == 0 {
		return
	}
	a.printf("")
	a.printf("%s:", title)
	for _, r := range list {
		text := r.Condition
		switch {
		case text == "":
			text = "every row"
		case !r.Known:
			text += " (not understood: every row)"
		}
		a.printf("%s", wrapped(r.Clause+": "+text, "  ", "    "))
	}
}

// evidence prints where two commits meet, at most five places.
func (a *app) evidence(list []sluice.Evidence) {
	for i, e := range list {
		if i == 5 {
			a.printf("    and %d more", len(list)-i)
			return
		}
		a.printf("%s", wrapped(e.String()+strengthText(e), "    ", "      "))
	}
}

func strengthText(e sluice.Evidence) string {
	if e.Strength == "" {
		return ""
	}
	return fmt.Sprintf(" [known by %s]", e.Strength)
}

// pasted explains the text of an error, with a table's log if one is given.
func (a *app) pasted(ctx context.Context, url, text string) error {
	if stdin(text) {
		data, err := io.ReadAll(io.LimitReader(a.in, 16<<20))
		if err != nil {
			return fmt.Errorf("--error: %w", err)
		}
		text = string(data)
	}
	var x *sluice.ErrorExplanation
	var err error
	if url == "" {
		x, err = sluice.ExplainError(text)
	} else {
		t, e := a.openUnread(ctx, url)
		if e != nil {
			return e
		}
		defer t.Close()
		x, err = t.ExplainError(ctx, text)
	}
	if err != nil {
		return err
	}
	if a.json {
		return a.object(x)
	}
	return a.errorTold(x)
}

func (a *app) errorTold(x *sluice.ErrorExplanation) error {
	name := cmp.Or(x.Condition, x.Class)
	if x.Exception != "" {
		name = x.Exception + " [" + name + "]"
	}
	a.prose("%s, as reported by %s", name, x.Engine)
	if m := x.Meaning; m != nil {
		a.printf("%s", wrapped(m.What+" "+m.Why, "  ", "  "))
	}
	if x.Cause != "" {
		a.printf("%s", wrapped("Here: "+x.Cause+".", "  ", "  "))
	}
	a.reported(x)
	if x.Found != nil {
		a.found(x.Found)
	}
	if m := x.Meaning; m != nil {
		a.printf("")
		a.printf("What to change:")
		for _, c := range m.Change {
			a.printf("%s", wrapped("- "+c, "  ", "    "))
		}
		a.printf("")
		a.printf("%s", wrapped(m.Sluice, "", ""))
		a.printf("")
		a.printf("More: %s", page(m.Page))
		if x.DocLink != "" {
			a.printf("      %s", x.DocLink)
		}
	}
	return nil
}

// reported prints what the text itself says.
func (a *app) reported(x *sluice.ErrorExplanation) {
	var rows [][]string
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, []string{name, value})
		}
	}
	add("table", x.Table)
	add("partition", x.Partition)
	if x.Root {
		add("partition", "none: the table has no partitions")
	}
	add("file", x.File)
	if x.Version != nil {
		add("winner's version", fmt.Sprint(*x.Version))
	}
	if w := x.Winner; w != nil {
		add("winner", w.Operation)
		if w.Time != nil {
			add("committed at", stamp(*w.Time))
		}
		if w.ReadVersion != nil {
			add("winner had read", fmt.Sprintf("version %d", *w.ReadVersion))
		}
		add("by", w.User)
		add("engine", w.Engine)
		for _, key := range slices.Sorted(maps.Keys(w.Parameters)) {
			if v := w.Parameters[key]; v != "" && v != "[]" {
				add("its "+key, v)
			}
		}
	}
	if len(rows) == 0 {
		return
	}
	a.printf("")
	a.printf("The text says:")
	for _, r := range rows {
		a.printf("%s", wrapped(r[0]+": "+r[1], "  ", "    "))
	}
}

// found prints what the log says about the winner.
func (a *app) found(f *sluice.FoundWinner) {
	a.printf("")
	if len(f.Commits) == 0 {
		a.prose("In the log of %s: %s.", f.Table, f.Note)
		return
	}
	a.prose("In the log of %s (recognised by %s):", f.Table, strings.Join(f.By, ", "))
	a.told("the winner", f.Commits[0])
	a.evidence(f.Evidence)
	if f.Note != "" {
		a.printf("%s", wrapped(f.Note+".", "  ", "  "))
	}
	for i, s := range f.Behind {
		if i == 0 {
			a.printf("  behind it, perhaps the statement that failed, run again:")
		}
		a.printf("%s", wrapped(s.Sentence(), "    ", "      "))
	}
	for _, s := range f.Advice {
		a.printf("%s", wrapped("- "+s, "  ", "    "))
	}
}
