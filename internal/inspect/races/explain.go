package races

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/storage"
)

// Explained is an error, told.
type Explained struct {
	Report
	Meaning *Meaning `json:"meaning,omitempty"`
	// Found is the winner in the log of a table; nil when no table was asked.
	Found *Found `json:"found,omitempty"`
}

// Found is the winner in the log.
type Found struct {
	Table string `json:"table"`
	// Commits are the versions that fit the error, the best one first; none when
	// the log has no such commit.
	Commits []Story `json:"commits"`
	// By says by what they were recognised.
	By []string `json:"by"`
	// Evidence is where the first of them meets the partition or file of the error.
	Evidence []conflict.Evidence `json:"evidence"`
	// Behind are the commits that followed it: one of them may be the statement
	// that failed, run again.
	Behind []Story `json:"behind"`
	// Advice is what to change, for what the winner was.
	Advice []string `json:"advice"`
	Note   string   `json:"note,omitempty"`
}

// ErrUnknown is a text that tells of no conflict.
var ErrUnknown = errors.New("the text names no conflict of Delta writers that is known (ConcurrentAppend, ConcurrentDeleteRead, ConcurrentDeleteDelete, ConcurrentTransaction, ConcurrentWrite, MetadataChanged, ProtocolChanged): paste the error with its message")

// Explain reads the text of an error and says what it means.
func Explain(text string) (*Explained, error) {
	x := &Explained{Report: ParseError(text)}
	if x.Class == "" {
		return nil, ErrUnknown
	}
	if m, ok := MeaningOf(x.Class); ok {
		x.Meaning = &m
		if strings.HasSuffix(x.Condition, ".ROW_LEVEL_CHANGES") {
			m.rows()
		}
	}
	return x, nil
}

// Find looks for the winner in a table's log.
func (x *Explained) Find(ctx context.Context, e *env.Env, b *storage.Bucket) error {
	f := &Found{Table: b.URL(), Commits: []Story{}, By: []string{}, Evidence: []conflict.Evidence{}, Behind: []Story{}, Advice: []string{}}
	x.Found = f
	versions, err := commitVersions(ctx, b)
	if err != nil {
		return err
	}
	if len(versions) == 0 {
		return fmt.Errorf("there is no commit in the log of %s", b.URL())
	}
	var best []*committed
	score := 0
	for _, v := range slices.Backward(versions) { // newest first: errors are young
		c, err := commitAt(ctx, b, v)
		if err != nil {
			continue // a damaged commit is not the one that Spark described
		}
		s, by := x.likeness(c)
		switch {
		case s == 0 || s < score:
		case s > score:
			score, best, f.By = s, []*committed{c}, by
		default:
			best = append(best, c)
		}
		if score >= certain {
			break
		}
	}
	for _, c := range best[:min(len(best), 5)] {
		f.Commits = append(f.Commits, c.story)
	}
	if len(best) == 0 {
		f.Note = fmt.Sprintf("no commit of versions %d to %d fits the error: it is of another table, or its commit has been cleaned up", versions[0], versions[len(versions)-1])
		return nil
	}
	if len(best) > 1 {
		f.Note = fmt.Sprintf("%d commits fit the error alike; the newest is told first", len(best))
	}
	x.meet(best[0])
	for _, v := range versions {
		if v > best[0].story.Version && len(f.Behind) < 5 {
			if c, err := commitAt(ctx, b, v); err == nil {
				f.Behind = append(f.Behind, c.story)
			}
		}
	}
	f.Advice = x.advice(best[0])
	return nil
}

func commitVersions(ctx context.Context, b *storage.Bucket) (out []int64, err error) {
	for f, err := range deltalog.List(ctx, b, 0) {
		if err != nil {
			return nil, err
		}
		if f.Kind == deltalog.Commit {
			out = append(out, f.Version)
		}
	}
	return out, nil
}

// certain is the likeness that leaves no doubt.
const certain = 100

// likeness says how well a commit fits the error, 0 for not at all, and by what.
func (x *Explained) likeness(c *committed) (score int, by []string) {
	fits := func(points int, what string) { score, by = score+points, append(by, what) }
	w := x.Winner
	if w == nil {
		w = &Commit{}
	}
	s := c.story
	if w.TxnID != "" && w.TxnID == s.TxnID {
		return certain, []string{"transaction id"}
	}
	if x.Version != nil {
		if *x.Version != s.Version {
			return 0, nil
		}
		fits(50, "version")
	}
	if w.Operation != "" {
		if !strings.EqualFold(w.Operation, s.Operation) {
			return 0, nil
		}
		fits(5, "operation")
	}
	if w.TxnID != "" && s.TxnID != "" {
		return 0, nil
	}
	if w.Time != nil && s.Time != nil {
		switch d := w.Time.Sub(*s.Time).Abs(); {
		case d == 0:
			fits(40, "time")
		case d <= 2*time.Second:
			fits(10, "time (within two seconds)")
		default:
			return 0, nil
		}
	}
	if w.ReadVersion != nil && s.ReadVersion != nil {
		if *w.ReadVersion != *s.ReadVersion {
			return 0, nil
		}
		fits(20, "read version")
	}
	same := 0
	for key, text := range w.Parameters {
		if squeezed(text) == squeezed(s.Parameters[key]) {
			same++
		}
	}
	if same > 0 {
		fits(same, "parameters")
	}
	if x.Partition != "" && slices.ContainsFunc(s.Partitions, func(p string) bool { return samePartition(p, x.Partition) }) {
		fits(3, "partition")
	}
	if w.Operation == "" && x.Version == nil && len(by) == 0 {
		switch { // nothing is said of the winner but what the class means
		case x.Class == conflict.ClassMetadata && s.Metadata && s.Version > 0, x.Class == conflict.ClassProtocol && s.Protocol, x.Class == conflict.ClassTransaction && len(s.Apps) > 0:
			fits(1, "what it changed")
		}
	}
	return score, by
}

// squeezed leaves out what engines spell differently: quotes, blanks and escapes.
func squeezed(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \"'\\\t\n", r) {
			return -1
		}
		return r
	}, attribute.ReplaceAllString(s, "$1"))
}

// samePartition compares two spellings of a partition, in any order of columns.
func samePartition(a, b string) bool {
	parts := func(s string) []string {
		list := strings.Split(s, ",")
		for i := range list {
			list[i] = strings.TrimSpace(list[i])
		}
		slices.Sort(list)
		return list
	}
	return slices.Equal(parts(a), parts(b))
}

// meet finds the files of the winner that the error means.
func (x *Explained) meet(c *committed) {
	f := x.Found
	kind := map[string]string{conflict.ClassAppend: "added", conflict.ClassDeleteRead: "removed", conflict.ClassDeleteDelete: "removed by both",
		conflict.ClassMetadata: "metadata", conflict.ClassProtocol: "protocol", conflict.ClassTransaction: "application"}[x.Class]
	for _, m := range touches(c.acts) {
		if m.kind != kind && !(kind == "removed by both" && m.kind == "removed") {
			continue
		}
		if x.Partition != "" && m.partition != "" && !samePartition(m.partition, x.Partition) || x.File != "" && !strings.HasSuffix(x.File, m.file) && m.file != "" {
			continue
		}
		strength := conflict.ByName
		if kind == "added" {
			strength = conflict.ByPartition
		}
		f.Evidence = append(f.Evidence, conflict.Evidence{Kind: kind, File: m.file, Partition: m.partition, Detail: m.detail, Strength: strength})
		if len(f.Evidence) == 10 {
			return
		}
	}
}
