package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluicelake/sluice"
)

// writing are the flags of every command that commits.
type writing struct {
	hold         string
	userMetadata string
}

// changing are the flags of a command that changes rows, which an application may
// have to do once only.
type changing struct {
	writing
	txn string
}

func (a *app) writingFlags(cmd *cobra.Command, w *writing) {
	cmd.PreRun = func(*cobra.Command, []string) { a.writes = true }
	f := cmd.Flags()
	f.StringVar(&w.hold, "hold", "", "when everything is prepared, create `PREFIX`.ready and wait for PREFIX.go before publishing")
	f.StringVar(&w.userMetadata, "user-metadata", "", "text to record in the commit")
	f.BoolVar(&a.stats, "stats", false, "report time, memory, store requests, bytes written twice and reconciliations")
}

func (a *app) changingFlags(cmd *cobra.Command, c *changing) {
	a.writingFlags(cmd, &c.writing)
	cmd.Flags().StringVar(&c.txn, "txn", "", "make it idempotent: `APPID:VERSION`, skipped when the application has committed that version")
}

// beforePublish is what --hold asks for; nil without it.
func (w *writing) beforePublish() func(context.Context) error {
	if w.hold == "" {
		return nil
	}
	return func(ctx context.Context) error { return hold(ctx, w.hold) }
}

func (w *changing) options() (sluice.CommitOptions, error) {
	o := sluice.CommitOptions{UserMetadata: w.userMetadata, BeforePublish: w.beforePublish()}
	if w.txn != "" {
		i := strings.LastIndexByte(w.txn, ':')
		if i <= 0 {
			return o, usagef("--txn %s: want APPID:VERSION", w.txn)
		}
		n, err := strconv.ParseInt(w.txn[i+1:], 10, 64)
		if err != nil || n < 0 {
			return o, usagef("--txn %s: %q is no version number", w.txn, w.txn[i+1:])
		}
		o.AppID, o.AppVersion = w.txn[:i], n
	}
	return o, nil
}

// hold announces that everything is prepared and waits for the word to go on.
func hold(ctx context.Context, prefix string) error {
	if err := os.WriteFile(prefix+".ready", nil, 0o644); err != nil {
		return fmt.Errorf("--hold: %w", err)
	}
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := os.Stat(prefix + ".go")
		if err == nil {
			return nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("--hold: %w", err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s.go: %w", prefix, ctx.Err())
		case <-tick.C:
		}
	}
}

// committed prints the result of a writing command.
func (a *app) committed(what string, c sluice.Commit, numbers []number) error {
	if a.json {
		out := map[string]any{"operation": what, "version": c.Version, "committed": c.Committed, "skipped": c.Skipped, "txnId": c.TxnID,
			"attempts": c.Attempts, "runs": c.Runs, "isBlindAppend": c.BlindAppend, "isolationLevel": c.Isolation, "winners": winners(c.Winners)}
		if !c.Timestamp.IsZero() {
			out["timestamp"] = stamp(c.Timestamp)
		}
		for _, n := range numbers {
			out[n.key] = n.value
		}
		if a.stats {
			out["stats"] = a.measured(c)
		}
		return a.object(out)
	}
	var parts []string
	for _, n := range numbers {
		if n.text != "" && (n.value != 0 || n.always) {
			parts = append(parts, plural(n.value, n.text))
			if n.verb != "" {
				parts[len(parts)-1] += " " + n.verb
			}
		}
	}
	switch {
	case c.Skipped:
		a.printf("%s: skipped, that application transaction is in the table already (version %d)", what, c.Version)
	case !c.Committed:
		a.printf("%s: nothing to change, the table stays at version %d", what, c.Version)
	default:
		a.printf("%s: version %d%s", what, c.Version, prefixed(": ", strings.Join(parts, ", ")))
	}
	for _, w := range c.Winners {
		a.printf("  %s", tell(w))
	}
	if a.stats {
		m := a.measured(c)
		a.printf("  %s elapsed, %s CPU, %s peak memory; %d store requests, %s read, %s written (%s of it twice); %d attempt(s)",
			time.Duration(m["elapsedMs"].(float64)*1e6).Round(100*time.Microsecond), time.Duration(m["cpuMs"].(float64)*1e6).Round(100*time.Microsecond),
			bytesText(m["peakMemoryBytes"].(int64)), m["storeRequests"], bytesText(m["bytesRead"].(int64)), bytesText(m["bytesWritten"].(int64)), bytesText(c.WrittenTwice), c.Attempts)
	}
	return nil
}

type number struct {
	key    string
	value  int64
	text   string // for people, "" leaves it out
	verb   string
	always bool
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

// tell says in one line what was done about a winner.
func tell(w sluice.Winner) string {
	s := fmt.Sprintf("fitted behind version %d (%s): ", w.Version, w.Operation)
	switch w.Verdict {
	case "independent":
		s += "it touches nothing that this statement depends on"
	case "repair":
		s += fmt.Sprintf("repaired %s, %s recomputed, %s changed", plural(int64(w.Dropped), "file"), plural(int64(w.Computed), "file"), plural(w.Rows, "row"))
	default:
		s += "the statement was run again"
	}
	if w.SparkClass != "" {
		s += " (Spark would have failed: " + w.SparkClass + ")"
	}
	return s
}

func winners(list []sluice.Winner) []map[string]any {
	out := make([]map[string]any, 0, len(list))
	for _, w := range list {
		out = append(out, map[string]any{"version": w.Version, "operation": w.Operation, "verdict": w.Verdict, "evidence": append([]sluice.Evidence{}, w.Evidence...), "dropped": w.Dropped,
			"computed": w.Computed, "rows": w.Rows, "elapsedMs": float64(w.Elapsed.Microseconds()) / 1000, "sparkClass": w.SparkClass})
	}
	return out
}

// measured is what --stats reports.
func (a *app) measured(c sluice.Commit) map[string]any {
	var requests, read, written int64
	for _, b := range a.buckets {
		s := b.Stats()
		requests += s.Gets + s.Puts + s.Lists + s.Deletes + s.Stats
		read += s.BytesRead
		written += s.BytesWritten
	}
	repaired := 0
	for _, w := range c.Winners {
		if w.Verdict == "repair" {
			repaired++
		}
	}
	return map[string]any{"elapsedMs": float64(time.Since(a.began).Microseconds()) / 1000, "cpuMs": float64((cpuTime() - a.cpu).Microseconds()) / 1000,
		"peakMemoryBytes": peakMemory(), "storeRequests": requests, "bytesRead": read, "bytesWritten": written,
		"attempts": c.Attempts, "runs": c.Runs, "winners": len(c.Winners), "repaired": repaired, "bytesWrittenTwice": c.WrittenTwice}
}
