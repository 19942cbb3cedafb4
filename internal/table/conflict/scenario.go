package conflict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/logic/prune"
	"github.com/sluicelake/sluice/types"
)

// Scenario is a race as a value: what a transaction read and wanted to commit,
// and what others committed meanwhile. It is written as one JSON object.
type Scenario struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Isolation is the table's level, unless its delta.isolationLevel says it.
	Isolation string `json:"isolation"`
	// Table are the actions of version 0; its files need not exist.
	Table []json.RawMessage `json:"table"`
	Reads []ScenarioRead    `json:"reads"`
	// Own are the actions that the transaction commits.
	Own []json.RawMessage `json:"own"`
	// Winners are the commits 1, 2, ..., written behind the reads.
	Winners [][]json.RawMessage `json:"winners"`
	// ReadFiles are the files that the scans returned; when they are not said, they
	// are found by the filters, partition values and statistics.
	ReadFiles *[]string `json:"readFiles"`
	// Operation names the transaction; "" is "Manual Update".
	Operation string `json:"operation"`
}

// ScenarioRead is one step of reading. Filters behind each other belong to one
// scan; Also begins another one.
type ScenarioRead struct {
	Filter     string `json:"filter"`
	Also       Also   `json:"also"`
	WholeTable bool   `json:"wholeTable"`
	Txn        string `json:"txn"` // the application asked for
}

// Also is true, or the filter of the scan that it begins.
type Also struct {
	Set    bool
	Filter string
}

// UnmarshalJSON reads a boolean or a text.
func (a *Also) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &a.Set) == nil {
		return nil
	}
	a.Set = true
	return json.Unmarshal(data, &a.Filter)
}

// ParseScenario reads a scenario.
func ParseScenario(data []byte) (*Scenario, error) {
	s := &Scenario{}
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("no scenario: %w", err)
	}
	if len(s.Table) == 0 {
		return nil, s.fail(errors.New("it has no table: the actions of version 0 are missing"))
	}
	return s, nil
}

func (s *Scenario) fail(err error) error {
	name := s.ID
	if name == "" {
		name = s.Name
	}
	if name == "" {
		return fmt.Errorf("the scenario: %w", err)
	}
	return fmt.Errorf("scenario %q: %w", name, err)
}

func parseActions(list []json.RawMessage, what string) ([]action.Action, error) {
	var b bytes.Buffer
	for _, raw := range list {
		if err := json.Compact(&b, raw); err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		b.WriteByte('\n')
	}
	return action.ParseCommit(b.Bytes(), what)
}

// start states the transaction as it stood before the first winner, and the table.
func (s *Scenario) start() (*Facts, *table, error) {
	f := &Facts{ReadFiles: map[FileID]*action.Add{}, ReadApps: map[string]int64{}, Operation: s.Operation}
	if f.Operation == "" {
		f.Operation = "Manual Update"
	}
	acts, err := parseActions(s.Table, "table")
	if err != nil {
		return nil, nil, err
	}
	t := &table{live: map[string]*action.Add{}, domains: map[string]bool{}, mark: -1}
	t.follow(acts)
	if mark, ok := markOf(acts); ok {
		t.mark = mark
	}
	if t.metadata == nil || t.protocol == nil {
		return nil, nil, errors.New("the table has no metadata or no protocol")
	}
	f.Protocol, f.ReadProtocol, f.Metadata, f.Uses = t.protocol, t.protocol, t.metadata, t.uses
	if f.Schema, err = types.ParseSchema(f.Metadata.SchemaString); err != nil {
		return nil, nil, fmt.Errorf("table: %w", err)
	}
	f.PartitionColumns = f.Metadata.PartitionColumns
	if f.Actions, err = parseActions(s.Own, "own"); err != nil {
		return nil, nil, err
	}
	if err := s.reads(f, t); err != nil {
		return nil, nil, err
	}
	f.Isolation = s.level(f)
	return f, t, nil
}

// reads records what the transaction read.
func (s *Scenario) reads(f *Facts, t *table) error {
	var scan []expr.Expr
	flush := func() {
		if len(scan) == 0 {
			return
		}
		read := Read{Clause: "filter", Predicate: expr.And(scan...), Filters: scan}
		f.Reads, scan = append(f.Reads, read), nil
		if s.ReadFiles != nil {
			return
		}
		p := prune.New(read.Predicate, f.Schema, f.PartitionColumns)
		for _, path := range slices.Sorted(maps.Keys(t.live)) {
			if a := t.live[path]; p.Keep(prune.FileOf(a, f.Schema, f.PartitionColumns)).Keep {
				f.ReadFiles[IDOf(a)] = a
			}
		}
	}
	for _, r := range s.Reads {
		if r.Also.Set {
			flush()
		}
		for _, text := range []string{r.Filter, r.Also.Filter} {
			if text == "" {
				continue
			}
			e, err := expr.Parse(text)
			if err == nil {
				e, err = expr.Bind(e, expr.Scope{Tables: []expr.Table{{Name: "t", Schema: f.Schema}}})
			}
			if err != nil {
				return fmt.Errorf("the filter %s: %w", text, err)
			}
			scan = append(scan, e)
		}
		if r.Txn != "" {
			f.ReadApps[r.Txn] = -1
		}
		if r.WholeTable {
			f.WholeTable = true
			f.Reads = append(f.Reads, Read{Clause: "the whole table"})
		}
	}
	flush()
	if s.ReadFiles == nil {
		return nil
	}
	for _, path := range *s.ReadFiles {
		a := t.live[path]
		if a == nil {
			a = &action.Add{Path: path}
		}
		f.ReadFiles[IDOf(a)] = a
	}
	return nil
}

// level is the isolation of the commit: the table's, or snapshot isolation when
// no row changes (delta-spark, getIsolationLevelToUse).
func (s *Scenario) level(f *Facts) Isolation {
	level := Serializable
	if text := f.Metadata.Configuration["delta.isolationLevel"]; strings.EqualFold(text, string(WriteSerializable)) ||
		text == "" && strings.EqualFold(s.Isolation, string(WriteSerializable)) {
		level = WriteSerializable
	}
	for _, a := range f.Actions {
		changes := true
		switch x := a.(type) {
		case *action.Add:
			changes = x.DataChange
		case *action.Remove:
			changes = x.DataChange
		case *action.AddCDC:
			changes = false
		case *action.DomainMetadata:
			changes = x.Domain != rowTracking
		}
		if changes {
			return level
		}
	}
	return SnapshotIsolation
}
