package races

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/prose"
	"github.com/sluicelake/sluice/internal/table/conflict"
)

// Story is what one version of a table did.
type Story struct {
	Version int64 `json:"version"`
	Commit
	Added      int      `json:"filesAdded"`
	Removed    int      `json:"filesRemoved"`
	Marked     int      `json:"filesMarked"` // of which rows were deleted by a vector
	Partitions []string `json:"partitions"`  // those that it touched
	// Rearranges says that no row changed: files were only rewritten.
	Rearranges bool     `json:"rearranges"`
	Metadata   bool     `json:"changesMetadata"`
	Protocol   bool     `json:"changesProtocol"`
	Apps       []string `json:"applications,omitempty"`
}

// storyOf reads a commit.
func storyOf(version int64, modified time.Time, acts []action.Action) Story {
	s := Story{Version: version, Partitions: []string{}, Rearranges: true}
	if !modified.IsZero() {
		s.Time = &modified
	}
	removed, partitions := map[string]bool{}, map[string]bool{}
	files := 0
	for _, a := range acts {
		switch x := a.(type) {
		case *action.CommitInfo:
			s.Commit = commitInfo(x, s.Time)
		case *action.Remove:
			removed[x.Path] = true
			files++
			s.Rearranges = s.Rearranges && !x.DataChange
			partitions[conflict.PartitionText(x.PartitionValues)] = true
		case *action.Metadata:
			s.Metadata = true
		case *action.Protocol:
			s.Protocol = true
		case *action.Txn:
			s.Apps = append(s.Apps, x.AppID)
		}
	}
	for _, a := range acts {
		if x, ok := a.(*action.Add); ok {
			files++
			s.Rearranges = s.Rearranges && !x.DataChange
			partitions[conflict.PartitionText(x.PartitionValues)] = true
			if removed[x.Path] {
				s.Marked++
				delete(removed, x.Path)
			} else {
				s.Added++
			}
		}
	}
	s.Removed, s.Rearranges = len(removed), s.Rearranges && files > 0
	for name := range partitions {
		if name != "" {
			s.Partitions = append(s.Partitions, name)
		}
	}
	sort.Strings(s.Partitions)
	return s
}

func commitInfo(x *action.CommitInfo, modified *time.Time) Commit {
	text := func(p *string) string {
		if p == nil {
			return ""
		}
		return *p
	}
	c := Commit{Time: modified, Operation: x.Operation, Metrics: x.OperationMetrics, ReadVersion: x.ReadVersion, Isolation: text(x.IsolationLevel),
		BlindAppend: x.IsBlindAppend, User: text(x.UserName), Engine: text(x.EngineInfo), TxnID: text(x.TxnID), Parameters: map[string]string{}}
	for key, raw := range x.OperationParameters {
		c.Parameters[key] = plainText(raw)
	}
	for _, ms := range []*int64{x.InCommitTimestamp, x.Timestamp} {
		if ms != nil {
			t := time.UnixMilli(*ms).UTC()
			c.Time = &t
			break
		}
	}
	return c
}

// plainText is a JSON text without its quotes, and other JSON as it stands.
func plainText(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// Sentence tells the story in one line.
func (s Story) Sentence() string {
	var b strings.Builder
	op := s.Operation
	if op == "" {
		op = "an unnamed operation"
	}
	fmt.Fprintf(&b, "version %d: %s", s.Version, op)
	if s.User != "" {
		fmt.Fprintf(&b, " by %s", s.User)
	}
	if s.Engine != "" {
		fmt.Fprintf(&b, " (%s)", s.Engine)
	}
	if s.Time != nil {
		fmt.Fprintf(&b, " at %s", s.Time.UTC().Format(time.RFC3339))
	}
	if s.ReadVersion != nil {
		fmt.Fprintf(&b, ", which had read version %d", *s.ReadVersion)
	}
	return b.String()
}

// Touched tells in one line what the commit changed.
func (s Story) Touched() string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{s.Added, "added"}, {s.Removed, "removed"}, {s.Marked, "marked with deleted rows"}} {
		if p.n > 0 {
			parts = append(parts, prose.Plural(int64(p.n), "file")+" "+p.what)
		}
	}
	if s.Metadata {
		parts = append(parts, "the metadata changed")
	}
	if s.Protocol {
		parts = append(parts, "the protocol changed")
	}
	for _, app := range s.Apps {
		parts = append(parts, "application "+app+" noted its version")
	}
	if len(parts) == 0 {
		return "it touched no file"
	}
	text := strings.Join(parts, ", ")
	if n := len(s.Partitions); n > 0 {
		list := slices.Clone(s.Partitions[:min(n, 3)])
		if n > 3 {
			list = append(list, fmt.Sprintf("and %d more partitions", n-3))
		}
		text += " in " + strings.Join(list, "; ")
	}
	if s.Rearranges {
		text += "; no row changed, they were only moved"
	}
	return text
}
