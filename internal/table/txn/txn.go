package txn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/logic/prune"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/inflight"
	"github.com/sluicelake/sluice/internal/table/snapshot"
)

// ErrEnded is returned by a transaction that was committed or given up.
var ErrEnded = errors.New("the transaction has ended: begin a new one")

// Txn is one optimistic transaction: a snapshot, the reads recorded so far and,
// once, a commit. It is safe for concurrent use.
type Txn struct {
	log  *Log
	id   string
	turn *inflight.Turn
	snap *snapshot.Snapshot // nil when the table does not exist yet

	mu       sync.Mutex
	ended    bool
	reads    []conflict.Read
	files    map[conflict.FileID]*action.Add
	whole    bool
	apps     map[string]int64
	metadata *action.Metadata
	protocol *action.Protocol
}

// Begin starts a transaction on the newest version.
func (l *Log) Begin(ctx context.Context) (*Txn, error) {
	s, err := l.Update(ctx)
	if err != nil {
		return nil, err
	}
	return l.BeginAt(s)
}

// BeginBlind starts a transaction that only adds rows: its snapshot may be a light one.
func (l *Log) BeginBlind(ctx context.Context) (*Txn, error) {
	s, err := l.UpdateLight(ctx)
	if err != nil {
		return nil, err
	}
	return l.BeginAt(s)
}

// BeginAt starts a transaction on a snapshot that the caller holds.
func (l *Log) BeginAt(s *snapshot.Snapshot) (*Txn, error) {
	if err := l.checkWrite(s); err != nil {
		return nil, err
	}
	return l.begin(s), nil
}

// checkWrite asks whether the table may be written to; for the same protocol
// and metadata it asks once.
func (l *Log) checkWrite(s *snapshot.Snapshot) error {
	l.mu.Lock()
	known := l.writable
	l.mu.Unlock()
	if known != nil && known.Protocol() == s.Protocol() && known.Metadata() == s.Metadata() {
		return nil
	}
	if err := feature.CheckWrite(s.Protocol(), s.Metadata()); err != nil {
		return err
	}
	l.mu.Lock()
	l.writable = s
	l.mu.Unlock()
	return nil
}

// BeginCreate starts the transaction that creates the table: it has no snapshot
// and publishes version 0.
func (l *Log) BeginCreate() *Txn { return l.begin(nil) }

func (l *Log) begin(s *snapshot.Snapshot) *Txn {
	t := &Txn{log: l, id: l.env.NewID(), turn: inflight.Begin(l.bucket.URL(), l.env.Now()), snap: s, files: map[conflict.FileID]*action.Add{}, apps: map[string]int64{}}
	l.env.Log.Debug("transaction begins", "txnId", t.id, "table", l.bucket.URL(), "readVersion", t.ReadVersion())
	return t
}

// ID is the transaction's identifier, recorded as commitInfo.txnId.
func (t *Txn) ID() string { return t.id }

// Log is the log the transaction belongs to.
func (t *Txn) Log() *Log { return t.log }

// Snapshot is the version that the transaction reads; nil when it creates the table.
func (t *Txn) Snapshot() *snapshot.Snapshot { return t.snap }

// ReadVersion is the version that the transaction reads, -1 when it creates the table.
func (t *Txn) ReadVersion() int64 {
	if t.snap == nil {
		return -1
	}
	return t.snap.Version()
}

// Ended reports whether the transaction was committed or given up.
func (t *Txn) Ended() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ended
}

// Abandon gives the transaction up; nothing was published.
func (t *Txn) Abandon() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.ended {
		t.ended = true
		t.turn.End()
		t.debug("transaction given up")
	}
}

func (t *Txn) debug(msg string, args ...any) {
	t.log.env.Log.LogAttrs(context.Background(), slog.LevelDebug, msg, append([]slog.Attr{slog.String("txnId", t.id)}, slog.Group("", args...).Value.Group()...)...)
}

// Filter records that the rows satisfying pred were read (nil: all rows) and
// returns the files that may hold them. The predicate is bound to the table's schema.
func (t *Txn) Filter(pred expr.Expr) []*action.Add {
	s := t.snap
	if s == nil {
		return nil
	}
	var p *prune.Pruner
	if pred != nil {
		p = prune.New(pred, s.Schema(), s.PartitionColumns())
	}
	var out []*action.Add
	files := s.Files()
	for i := range files.Select(p) {
		out = append(out, files.Add(i))
	}
	t.RecordRead(conflict.Read{Clause: "filter", Predicate: pred}, out...)
	return out
}

// RecordRead records one read and the files that it returned.
func (t *Txn) RecordRead(r conflict.Read, files ...*action.Add) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reads = append(t.reads, r)
	for _, a := range files {
		t.files[conflict.IDOf(a)] = a
	}
	t.debug("read recorded", "clause", r.Clause, "predicate", r.SQL(), "files", len(files))
}

// ReadFiles records that the given files were read, without a predicate.
func (t *Txn) ReadFiles(files ...*action.Add) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, a := range files {
		t.files[conflict.IDOf(a)] = a
	}
	t.debug("files read", "files", len(files))
}

// ReadWholeTable records that every row mattered.
func (t *Txn) ReadWholeTable() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.whole = true
	t.reads = append(t.reads, conflict.Read{Clause: "the whole table"})
	t.debug("whole table read")
}

// AppVersion returns the last version that an application committed, -1 when
// there is none, and records that it was asked for.
func (t *Txn) AppVersion(appID string) int64 {
	version := int64(-1)
	if t.snap != nil {
		if v, ok := t.snap.AppVersion(appID); ok {
			version = v
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.apps[appID] = version
	t.debug("application version read", "appId", appID, "version", version)
	return version
}

// UpdateMetadata sets the metadata that the commit writes. It may be called once.
func (t *Txn) UpdateMetadata(md *action.Metadata) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return ErrEnded
	}
	if t.metadata != nil {
		return fmt.Errorf("the metadata was changed already in transaction %s: a transaction changes it at most once", t.id)
	}
	t.metadata = md
	return nil
}

// UpdateProtocol sets the protocol that the commit writes. It may be called once.
func (t *Txn) UpdateProtocol(p *action.Protocol) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return ErrEnded
	}
	if t.protocol != nil {
		return fmt.Errorf("the protocol was changed already in transaction %s: a transaction changes it at most once", t.id)
	}
	t.protocol = p
	return nil
}

// Commit publishes the actions with the reads recorded so far. It is the
// low-level way: a winner that changed what was read is a *conflict.Error.
func (t *Txn) Commit(ctx context.Context, actions []action.Action, op Operation, o Options) (Result, error) {
	t.mu.Lock()
	w := &fixed{actions: t.withOwn(actions), op: op, deps: Dependencies{
		Reads: t.reads, Files: maps.Clone(t.files), Whole: t.whole, Apps: maps.Clone(t.apps)}}
	t.mu.Unlock()
	return t.CommitWork(ctx, w, o)
}

// withOwn puts the transaction's own metadata and protocol before the actions.
func (t *Txn) withOwn(actions []action.Action) []action.Action {
	var head []action.Action
	if t.protocol != nil {
		head = append(head, t.protocol)
	}
	if t.metadata != nil {
		head = append(head, t.metadata)
	}
	return append(head, actions...)
}

// fixed is work that cannot be repaired: a list of actions.
type fixed struct {
	actions []action.Action
	op      Operation
	deps    Dependencies
}

func (f *fixed) Depends() Dependencies { return f.deps }

func (f *fixed) Effects(context.Context) (Effects, error) {
	return Effects{Actions: f.actions, Operation: f.op, Always: true}, nil
}

func (f *fixed) Repair(context.Context, conflict.Verdict, *snapshot.Snapshot) (Repaired, error) {
	return Repaired{}, fmt.Errorf("a list of actions cannot be repaired")
}
