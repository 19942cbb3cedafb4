package txn

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// prepare makes the commit file's actions: commitInfo first, everything checked.
func (a *attempt) prepare(eff Effects) ([]action.Action, error) {
	if err := a.validate(eff.Actions); err != nil {
		return nil, err
	}
	actions, err := a.withRowIDs(eff.Actions)
	if err != nil {
		return nil, err
	}
	info := a.commitInfo(eff)
	return append([]action.Action{info}, a.withTimestampStart(actions, info)...), nil
}

// withTimestampStart notes in the metadata from which version on, and from what
// time, commits carry their time, when this commit is the first of them and not
// the table's first (PROTOCOL.md, In-Commit Timestamps).
func (a *attempt) withTimestampStart(actions []action.Action, info *action.CommitInfo) []action.Action {
	if a.base == nil || info.InCommitTimestamp == nil || feature.InCommitTimestamps(a.base.Metadata()) {
		return actions
	}
	out := slices.Clone(actions)
	for i, act := range out {
		if md, ok := act.(*action.Metadata); ok {
			started := *md
			started.Configuration = maps.Clone(md.Configuration)
			started.Configuration["delta.inCommitTimestampEnablementVersion"] = itoa(a.version() + 1)
			started.Configuration["delta.inCommitTimestampEnablementTimestamp"] = itoa(*info.InCommitTimestamp)
			out[i] = &started
		}
	}
	return out
}

// InvalidError is a set of actions that must not be committed.
type InvalidError struct {
	Class  string
	Table  string
	Detail string
}

func (e *InvalidError) Error() string {
	return fmt.Sprintf("[%s] %s: %s; nothing was committed", e.Class, e.Table, e.Detail)
}

// AppendOnly is the refusal to change or delete rows of an append-only table.
func AppendOnly(table string) error {
	return &InvalidError{Class: "DELTA_CANNOT_MODIFY_APPEND_ONLY", Table: table,
		Detail: "the table is append-only (delta.appendOnly=true); rows cannot be changed or deleted"}
}

func (a *attempt) validate(actions []action.Action) error {
	table := a.t.log.bucket.URL()
	invalid := func(class, format string, args ...any) error {
		return &InvalidError{Class: class, Table: table, Detail: fmt.Sprintf(format, args...)}
	}
	protocol, md := a.current(actions)
	if md == nil || protocol == nil {
		return invalid("DELTA_METADATA_ABSENT", "the first commit of a table needs its metadata and protocol")
	}
	if a.base == nil || protocol != a.base.Protocol() || md != a.base.Metadata() {
		if err := feature.CheckWrite(protocol, md); err != nil {
			return err
		}
	} else if err := a.t.log.checkWrite(a.base); err != nil {
		return err
	}
	adds, removes, metas, protocols := map[string]bool{}, map[string]bool{}, 0, 0
	for _, act := range actions {
		switch x := act.(type) {
		case *action.Add:
			if adds[x.Path] {
				return invalid("DELTA_DUPLICATE_ACTIONS_FOUND", "the file %s is added twice", x.Path)
			}
			adds[x.Path] = true
			if len(x.PartitionValues) != len(md.PartitionColumns) {
				return invalid("DELTA_PARTITION_COLUMNS_MISMATCH", "the file %s has %d partition values, the table has %d partition columns",
					x.Path, len(x.PartitionValues), len(md.PartitionColumns))
			}
		case *action.Remove:
			if removes[x.Path] {
				return invalid("DELTA_DUPLICATE_ACTIONS_FOUND", "the file %s is removed twice", x.Path)
			}
			removes[x.Path] = true
			if x.DataChange && feature.AppendOnly(md) {
				return AppendOnly(table)
			}
		case *action.Metadata:
			metas++
		case *action.Protocol:
			protocols++
		}
	}
	if metas > 1 || protocols > 1 {
		return invalid("DELTA_DUPLICATE_ACTIONS_FOUND", "metadata or protocol is written twice")
	}
	return nil
}

// current is the protocol and metadata that hold once the actions are committed.
func (a *attempt) current(actions []action.Action) (p *action.Protocol, md *action.Metadata) {
	if a.base != nil {
		p, md = a.base.Protocol(), a.base.Metadata()
	}
	for _, act := range actions {
		switch x := act.(type) {
		case *action.Protocol:
			p = x
		case *action.Metadata:
			md = x
		}
	}
	return p, md
}

// isolationOf picks the level as the reference does: snapshot isolation when no
// row changes, else the table's level.
func isolationOf(eff Effects, base *snapshot.Snapshot) conflict.Isolation {
	level := conflict.Serializable
	if base != nil && strings.EqualFold(feature.IsolationLevel(base.Metadata()), string(conflict.WriteSerializable)) {
		level = conflict.WriteSerializable
	}
	changes := level == conflict.WriteSerializable && eff.Operation.ChangesData
	for _, act := range eff.Actions {
		switch x := act.(type) {
		case *action.Add:
			changes = changes || x.DataChange
		case *action.Remove:
			changes = changes || x.DataChange
		case *action.AddCDC:
		case *action.DomainMetadata:
			changes = changes || x.Domain != "delta.rowTracking"
		default:
			changes = true
		}
	}
	if !changes {
		return conflict.SnapshotIsolation
	}
	return level
}

func (a *attempt) commitInfo(eff Effects) *action.CommitInfo {
	now := a.t.log.env.Now().UnixMilli()
	facts := conflict.Facts{Actions: eff.Actions}
	d := a.work.Depends()
	facts.Reads, facts.ReadFiles, facts.WholeTable = d.Reads, d.Files, d.Whole
	blind := facts.BlindAppend() && !eff.NotBlind
	level := isolationOf(eff, a.base)
	a.result.BlindAppend, a.result.Isolation = blind, level
	isolation, engine := string(level), a.t.log.policy.Engine
	info := &action.CommitInfo{Timestamp: &now, Operation: eff.Operation.Name, OperationParameters: eff.Operation.Parameters,
		IsolationLevel: &isolation, IsBlindAppend: &blind, OperationMetrics: eff.Operation.Metrics, Tags: eff.Operation.Tags, TxnID: &a.t.id}
	if engine != "" {
		info.EngineInfo = &engine
	}
	if user := a.t.log.policy.User; user != "" {
		info.UserName = &user
	}
	if eff.Operation.UserMetadata != "" {
		info.UserMetadata = &eff.Operation.UserMetadata
	}
	if v := a.t.ReadVersion(); v >= 0 {
		info.ReadVersion = &v
	}
	if _, md := a.current(eff.Actions); feature.InCommitTimestamps(md) {
		ict := now
		if a.base != nil {
			ict = max(ict, a.base.Timestamp().UnixMilli()+1)
		}
		info.InCommitTimestamp = &ict
	}
	return info
}
