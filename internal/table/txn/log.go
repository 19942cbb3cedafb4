package txn

import (
	"cmp"
	"context"
	"sync"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
)

// Log is the log behind one open table: its newest known snapshot, its commit
// lane and the work that goes on after a commit.
type Log struct {
	env    *env.Env
	bucket *storage.Bucket
	lane   *lane
	policy Policy

	mu    sync.Mutex
	snap  *snapshot.Snapshot // newest known with its files; nil until they are read
	light *snapshot.Snapshot // newest known while no files are read

	refresh sync.Mutex // one refresh at a time

	after      sync.WaitGroup // work that goes on behind commits
	background context.Context
	stop       context.CancelFunc
	behind     following
	closed     bool

	writable *snapshot.Snapshot // the last one that may be written to
}

// Policy bounds the commit loop.
type Policy struct {
	// MaxAttempts ends a transaction that loses again and again; 0 is the default, 100,000.
	MaxAttempts int
	// NoChecksum and NoCheckpoint switch off the files written after a commit.
	NoChecksum, NoCheckpoint bool
	// CompactEvery writes a log compaction file over that many commits whenever so
	// many have come together; 0 writes none.
	CompactEvery int64
	// Hooks run behind commits, one after the other.
	Hooks []Hook
	// After runs behind each commit, and its statement waits for it.
	After []After
	// WholeLog is the size of a log, in bytes, up to which a transaction that only adds
	// rows reads all of it; 0 is snapshot.WholeLog, and below 0 every log is too large.
	WholeLog int64
	// Engine is recorded in commitInfo.engineInfo.
	Engine string
	// User is recorded in commitInfo.userName when it is not empty.
	User string
}

// Hook is work that a table's properties ask for behind a commit. It sees the
// newest version and the operation that made it; versions that are overtaken
// meanwhile are passed over, and Close waits for it. A failure is logged: it
// cannot undo the commit.
type Hook func(ctx context.Context, l *Log, s *snapshot.Snapshot, operation string) error

// After is work behind a commit that is done before its statement returns: who
// writes next, and who looks, finds it done. It logs its own failures, which
// cannot undo the commit.
type After func(ctx context.Context, l *Log, c Committed)

// Committed is a commit that was made.
type Committed struct {
	Result
	Operation string
	Actions   []action.Action
}

const defaultMaxAttempts = 100_000

// NewLog returns the log of the table in the bucket; nothing is read yet.
func NewLog(e *env.Env, b *storage.Bucket, p Policy) *Log {
	if p.MaxAttempts <= 0 {
		p.MaxAttempts = defaultMaxAttempts
	}
	ctx, stop := context.WithCancel(context.Background())
	return &Log{env: e, bucket: b, lane: laneOf(b.URL()), policy: p, background: ctx, stop: stop}
}

// Bucket is the table's root.
func (l *Log) Bucket() *storage.Bucket { return l.bucket }

// Env is the environment the log was given.
func (l *Log) Env() *env.Env { return l.env }

// Known returns the newest snapshot seen so far without asking the store; nil when none
// was with its files.
func (l *Log) Known() *snapshot.Snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.snap
}

// KnownVersion is the newest version that this handle has seen, with or without its
// files; -1 when it has seen none.
func (l *Log) KnownVersion() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	version := int64(-1)
	for _, s := range []*snapshot.Snapshot{l.snap, l.light} {
		if s != nil {
			version = max(version, s.Version())
		}
	}
	return version
}

// UpdateLight is Update for those who need no file of the table: where none has been
// read so far and there are many, the snapshot is a light one.
func (l *Log) UpdateLight(ctx context.Context) (*snapshot.Snapshot, error) {
	if l.Known() != nil {
		return l.Update(ctx)
	}
	l.refresh.Lock()
	defer l.refresh.Unlock()
	l.mu.Lock()
	known := l.light
	l.mu.Unlock()
	var (
		s   *snapshot.Snapshot
		err error
	)
	if known != nil {
		s, err = known.Refresh(ctx)
	} else {
		s, err = snapshot.LoadLight(ctx, l.env, l.bucket, cmp.Or(l.policy.WholeLog, snapshot.WholeLog))
	}
	if err != nil {
		return nil, err
	}
	return l.advance(s), nil
}

// Update returns the newest snapshot, reading only what is new.
func (l *Log) Update(ctx context.Context) (*snapshot.Snapshot, error) {
	l.refresh.Lock()
	defer l.refresh.Unlock()
	var (
		s   *snapshot.Snapshot
		err error
	)
	if known := l.Known(); known != nil {
		s, err = known.Refresh(ctx)
	} else {
		s, err = snapshot.Load(ctx, l.env, l.bucket, snapshot.Latest())
	}
	if err != nil {
		return nil, err
	}
	return l.advance(s), nil
}

// advance makes s the newest known snapshot of its kind unless a newer one is known
// already.
func (l *Log) advance(s *snapshot.Snapshot) *snapshot.Snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.Light() {
		if l.light == nil || l.light.Version() < s.Version() {
			l.light = s
		}
		return l.light
	}
	l.light = nil // from here on files are kept up to date
	if l.snap == nil || l.snap.Version() < s.Version() {
		l.snap = s
	}
	return l.snap
}

// Close waits for the work that follows commits. A cancelled context ends it early.
func (l *Log) Close(ctx context.Context) error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	done := make(chan struct{})
	go func() { l.after.Wait(); close(done) }()
	select {
	case <-done:
		l.stop()
		return nil
	case <-ctx.Done():
		l.stop()
		<-done
		return ctx.Err()
	}
}
