package inspect

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/colstats"
)

// CommitText is one commit for people: a line for the whole, and with whole
// each action on a line of its own.
func CommitText(version int64, acts []action.Action, whole bool) string {
	var b strings.Builder
	adds, removes, marks := 0, 0, 0
	removed := map[string]bool{}
	op := "(no commitInfo)"
	for _, a := range acts {
		switch x := a.(type) {
		case *action.CommitInfo:
			op = x.Operation
		case *action.Remove:
			removes++
			removed[x.Path] = true
		}
	}
	for _, a := range acts {
		if x, ok := a.(*action.Add); ok {
			if removed[x.Path] {
				marks++
			} else {
				adds++
			}
		}
	}
	fmt.Fprintf(&b, "version %d  %s", version, op)
	for _, part := range []struct {
		n    int
		what string
	}{{adds, "added"}, {removes - marks, "removed"}, {marks, "re-marked"}} {
		if part.n > 0 {
			fmt.Fprintf(&b, "  %d %s", part.n, part.what)
		}
	}
	if !whole {
		return b.String()
	}
	for _, a := range acts {
		b.WriteString("\n  " + ActionText(a))
	}
	return b.String()
}

// ActionText is one action as a line for people.
func ActionText(a action.Action) string {
	switch x := a.(type) {
	case *action.Add:
		return fmt.Sprintf("add       %s  %d bytes  %s rows%s%s", PlainPath(x.Path), x.Size, Rows(x), vectorText(x.DeletionVector), changeText(x.DataChange))
	case *action.Remove:
		return fmt.Sprintf("remove    %s%s%s", PlainPath(x.Path), vectorText(x.DeletionVector), changeText(x.DataChange))
	case *action.Metadata:
		return fmt.Sprintf("metaData  id %s, partitioned by [%s], %s", x.ID, strings.Join(x.PartitionColumns, ", "), Properties(x.Configuration))
	case *action.Protocol:
		return fmt.Sprintf("protocol  reader %d, writer %d, features [%s]", x.MinReaderVersion, x.MinWriterVersion, strings.Join(x.WriterFeatures, ", "))
	case *action.Txn:
		return fmt.Sprintf("txn       %s version %d", x.AppID, x.Version)
	case *action.DomainMetadata:
		return fmt.Sprintf("domain    %s = %s", x.Domain, x.Configuration)
	case *action.CommitInfo:
		return "commitInfo " + commitInfoText(x)
	case *action.AddCDC:
		return fmt.Sprintf("cdc       %s  %d bytes", PlainPath(x.Path), x.Size)
	case *action.Sidecar:
		return fmt.Sprintf("sidecar   %s  %d bytes", x.Path, x.SizeInBytes)
	case *action.CheckpointMetadata:
		return fmt.Sprintf("checkpointMetadata version %d, tags %s", x.Version, shortProperties(x.Tags))
	}
	line, err := action.Append(nil, a)
	if err != nil {
		return a.Key()
	}
	return string(line)
}

// shortProperties spells properties whose values may be long: schemas, say.
func shortProperties(m map[string]string) string {
	short := make(map[string]string, len(m))
	for k, v := range m {
		if len(v) > 60 {
			v = fmt.Sprintf("(%d bytes)", len(v))
		}
		short[k] = v
	}
	return Properties(short)
}

func commitInfoText(x *action.CommitInfo) string {
	parts := []string{x.Operation}
	names := make([]string, 0, len(x.OperationParameters))
	for k := range x.OperationParameters {
		names = append(names, k)
	}
	sort.Strings(names)
	for _, k := range names {
		v := string(x.OperationParameters[k])
		var s string
		if json.Unmarshal([]byte(v), &s) == nil {
			v = s
		}
		parts = append(parts, k+"="+v)
	}
	for name, p := range map[string]*string{"isolation": x.IsolationLevel, "txnId": x.TxnID, "engine": x.EngineInfo} {
		if p != nil {
			parts = append(parts, name+"="+*p)
		}
	}
	sort.Strings(parts[1+len(names):])
	return strings.Join(parts, ", ")
}

func vectorText(d *action.DeletionVector) string {
	if d == nil {
		return ""
	}
	return fmt.Sprintf("  vector of %d rows", d.Cardinality)
}

func changeText(dataChange bool) string {
	if dataChange {
		return ""
	}
	return "  (no data change)"
}

// Rows is the number of live rows of a file by its statistics, "?" when unknown.
func Rows(a *action.Add) string {
	n, ok := colstats.NumRecords(a.Stats)
	if !ok {
		return "?"
	}
	if a.DeletionVector != nil {
		n -= a.DeletionVector.Cardinality
	}
	return fmt.Sprint(n)
}

// Properties spells table properties in the order of their names.
func Properties(m map[string]string) string {
	names := make([]string, 0, len(m))
	for k := range m {
		names = append(names, k)
	}
	sort.Strings(names)
	for i, k := range names {
		names[i] = k + "=" + m[k]
	}
	return "{" + strings.Join(names, ", ") + "}"
}

// shown are the metrics that a history line shows, with the words for them.
var shown = []struct{ key, text string }{
	{"numOutputRows", "rows out"}, {"numTargetRowsInserted", "inserted"}, {"numTargetRowsUpdated", "updated"}, {"numTargetRowsDeleted", "deleted"},
	{"numUpdatedRows", "updated"}, {"numDeletedRows", "deleted"}, {"numCopiedRows", "copied"}, {"numTargetRowsCopied", "copied"},
}

// Metrics is a commit's metrics in a few words.
func Metrics(m map[string]string) string {
	var parts []string
	merge := m["numTargetRowsInserted"] != ""
	for _, s := range shown {
		if v := m[s.key]; v != "" && v != "0" && !(merge && s.key == "numOutputRows") {
			parts = append(parts, v+" "+s.text)
		}
	}
	return strings.Join(parts, ", ")
}
