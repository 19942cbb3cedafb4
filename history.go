package sluice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/verbs/read"
	"github.com/sluicelake/sluice/storage"
)

// HistoryEntry is one commit of a table.
type HistoryEntry struct {
	Version             int64
	Timestamp           time.Time
	UserID, UserName    string
	Operation           string
	OperationParameters map[string]json.RawMessage
	ReadVersion         *int64
	IsolationLevel      string
	IsBlindAppend       *bool
	OperationMetrics    map[string]string
	UserMetadata        string
	EngineInfo          string
	TxnID               string
	ClusterID           string
	Job, Notebook       json.RawMessage // as the writer recorded them
	// Err says why the commit cannot be read; only Version and Timestamp are
	// known then.
	Err error
}

// HistoryOptions limit a history.
type HistoryOptions struct {
	Limit int // the newest commits; 0 is all that the log still has
}

// History lists the commits, newest first. A commit that is damaged is listed
// with its Err.
func (t *Table) History(ctx context.Context, o HistoryOptions) ([]HistoryEntry, error) {
	if err := t.use(); err != nil {
		return nil, err
	}
	limit := o.Limit
	if limit <= 0 {
		limit = -1
	}
	commits, err := read.History(ctx, t.log.Bucket(), limit)
	if err != nil {
		return nil, t.fail("history of", err)
	}
	if len(commits) == 0 {
		if _, err := t.Snapshot(ctx); err != nil {
			return nil, err // not a table
		}
	}
	out := make([]HistoryEntry, len(commits))
	for i, c := range commits {
		out[i] = HistoryEntry{Version: c.Version, Timestamp: c.Timestamp, UserID: text(c.Info.UserID), UserName: text(c.Info.UserName),
			Operation: c.Info.Operation, OperationParameters: c.Info.OperationParameters, ReadVersion: c.Info.ReadVersion,
			IsolationLevel: text(c.Info.IsolationLevel), IsBlindAppend: c.Info.IsBlindAppend, OperationMetrics: c.Info.OperationMetrics,
			UserMetadata: text(c.Info.UserMetadata), EngineInfo: text(c.Info.EngineInfo), TxnID: text(c.Info.TxnID),
			Job: c.Info.Extra["job"], Notebook: c.Info.Extra["notebook"], Err: mark(c.Err)}
		_ = json.Unmarshal(c.Info.Extra["clusterId"], &out[i].ClusterID) // "" when it is no text
	}
	return out, nil
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// Actions reads what the commit of one version says, in its order.
func (t *Table) Actions(ctx context.Context, version int64) ([]action.Action, error) {
	if err := t.use(); err != nil {
		return nil, err
	}
	data, _, err := deltalog.ReadCommit(ctx, t.log.Bucket(), version)
	switch {
	case errors.Is(err, storage.ErrNotExist):
		return nil, t.noCommit(ctx, version)
	case err != nil:
		return nil, t.fail("log of", err)
	}
	acts, err := action.ParseCommit(data, deltalog.CommitPath(version))
	if err != nil {
		return nil, mark(&CorruptError{Table: t.URL(), File: deltalog.CommitPath(version), Version: version, Class: "DELTA_STATE_RECOVER_ERROR", Cause: err})
	}
	return acts, nil
}

// noCommit says why there is no commit file for a version.
func (t *Table) noCommit(ctx context.Context, version int64) error {
	e := &VersionError{Table: t.URL(), Wanted: fmt.Sprintf("the commit of version %d", version), Earliest: -1, Class: "DELTA_VERSION_NOT_FOUND", Why: "there is no such version"}
	for f, err := range deltalog.List(ctx, t.log.Bucket(), 0) {
		if err != nil {
			return t.fail("log of", err)
		}
		if f.Kind == deltalog.Commit {
			if e.Earliest < 0 {
				e.Earliest = f.Version
			}
			e.Latest = max(e.Latest, f.Version)
		}
	}
	if e.Earliest < 0 {
		if _, err := t.Snapshot(ctx, Version(version)); err != nil {
			return err // not a table
		}
	}
	if version <= e.Latest {
		e.Why = "its file has been cleaned up"
	}
	return mark(e)
}
