package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/internal/inspect"
)

func (a *app) history() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use:   "history TABLE",
		Short: "List the commits of a table, newest first",
		Long: `List the commits, newest first. The fields of --json are those of DESCRIBE HISTORY. A commit that cannot be read
is listed with what is wrong with it (in JSON as "error"); that does not change the exit status.`,
		Args: exactArgs("TABLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 0 {
				return usagef("--limit %d: want 0 or more", limit)
			}
			t, err := a.openUnread(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer t.Close()
			entries, err := t.History(cmd.Context(), sluice.HistoryOptions{Limit: limit})
			if err != nil {
				return err
			}
			damaged := int64(0)
			for _, h := range entries {
				if h.Err != nil {
					damaged++
				}
			}
			if damaged > 0 {
				a.remark("%s of %s cannot be read; 'sluice fsck' says more", plural(damaged, "commit"), t.URL())
			}
			if !a.json {
				a.historyTable(entries)
				return nil
			}
			for _, h := range entries {
				if err := a.object(historyObject(h)); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().IntVarP(&limit, "limit", "n", 0, "print at most this many commits (0: all)")
	return cmd
}

func (a *app) historyTable(entries []sluice.HistoryEntry) {
	var rows [][]string
	for _, h := range entries {
		read, operation := "", h.Operation
		if h.ReadVersion != nil {
			read = fmt.Sprint(*h.ReadVersion)
		}
		if h.Err != nil {
			operation = "(cannot be read: " + unreadable(h.Err) + ")"
		}
		rows = append(rows, []string{fmt.Sprint(h.Version), stamp(h.Timestamp), visible(operation), read, inspect.Metrics(h.OperationMetrics),
			visible(h.UserName), visible(h.EngineInfo), visible(h.UserMetadata)})
	}
	header, rows := withoutEmpty([]string{"version", "timestamp", "operation", "read", "metrics", "user", "engine", "user metadata"}, rows)
	a.table(header, rows, 0, 3)
}

// unreadable is why a commit cannot be read, without the name of the table.
func unreadable(err error) string {
	text := err.Error()
	if i := strings.Index(text, ".json: "); i >= 0 {
		return text[i+len(".json: "):]
	}
	return text
}

// historyObject has the column names of DESCRIBE HISTORY.
func historyObject(h sluice.HistoryEntry) map[string]any {
	out := map[string]any{"version": h.Version, "timestamp": stampOrNull(h.Timestamp), "userId": nullable(h.UserID), "userName": nullable(h.UserName),
		"operation": nullable(h.Operation), "operationParameters": parameters(h.OperationParameters), "job": h.Job, "notebook": h.Notebook, "clusterId": nullable(h.ClusterID),
		"readVersion": h.ReadVersion, "isolationLevel": nullable(h.IsolationLevel), "isBlindAppend": h.IsBlindAppend,
		"operationMetrics": object(h.OperationMetrics), "userMetadata": nullable(h.UserMetadata), "engineInfo": nullable(h.EngineInfo), "txnId": nullable(h.TxnID)}
	if h.Err != nil {
		out["error"] = h.Err.Error()
	}
	return out
}

// parameters are operation parameters as the reference shows them: text as it
// is, other JSON as its text, null as null.
func parameters(m map[string]json.RawMessage) map[string]*string {
	out := map[string]*string{}
	for k, raw := range m {
		text := string(raw)
		switch {
		case text == "null":
			out[k] = nil
			continue
		case strings.HasPrefix(text, `"`):
			if json.Unmarshal(raw, &text) != nil {
				text = string(raw)
			}
		default:
			var compact bytes.Buffer
			if json.Compact(&compact, raw) == nil {
				text = compact.String()
			}
		}
		out[k] = &text
	}
	return out
}

func stampOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return stamp(t)
}
