package sluice

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/sluicelake/sluice/internal/base/address"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/manifest"
	"github.com/sluicelake/sluice/internal/verbs/optimize"
	"github.com/sluicelake/sluice/observe"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/diskcache"
)

// Option sets up a Table handle.
type Option func(*config)

type config struct {
	env     *env.Env
	policy  txn.Policy
	storage []storage.Option
	bucket  *storage.Bucket
	cache   func(storage.Driver) (storage.Driver, error) // nil: none
	lazy    bool
	places  []address.Place
}

// engine is recorded in commitInfo.engineInfo.
const engine = "sluice/0.1.0"

func configure(opts []Option) *config {
	c := &config{env: env.New(), policy: txn.Policy{Engine: engine, Hooks: []txn.Hook{manifest.Follow}, After: []txn.After{optimize.Auto{}.Follow}}}
	for _, o := range opts {
		o(c)
	}
	return c
}

// WithLogger logs every step of every transaction, at debug level, with its id.
func WithLogger(l *slog.Logger) Option { return func(c *config) { c.env.Log = l } }

// WithClock replaces the clock.
func WithClock(now func() time.Time) Option { return func(c *config) { c.env.Now = now } }

// WithLazyOpen makes Open read nothing: the log is read when it is asked for.
// With it, older versions and single commits of a table can be looked at whose
// newest version cannot be read, and a program that only appends to a table of very
// many files never reads the list of them.
func WithLazyOpen() Option { return func(c *config) { c.lazy = true } }

// WithWorkers bounds the goroutines that one operation uses; the default is GOMAXPROCS.
func WithWorkers(n int) Option {
	return func(c *config) {
		if n > 0 {
			c.env.Workers = n
		}
	}
}

// WithMemoryLimit bounds the bytes that one operation holds; 0 is no limit.
func WithMemoryLimit(bytes int64) Option { return func(c *config) { c.env.Memory = bytes } }

// WithListener receives events while operations run.
func WithListener(l *observe.Listener) Option { return func(c *config) { c.env.Listener = l } }

// WithStorageOption passes options of the store, by the names that the command
// line takes after --option.
func WithStorageOption(name, value string) Option {
	return func(c *config) { c.storage = append(c.storage, storage.With(name, value)) }
}

// WithBucket opens the table in a bucket that the caller has made, instead of
// by the URL: for stores of one's own, and for tests.
func WithBucket(b *storage.Bucket) Option { return func(c *config) { c.bucket = b } }

// WithDiskCache keeps copies of immutable files (checkpoints, deletion vectors,
// footers and small reads of data files) in a folder of this machine, of at most
// so many bytes, which many processes may share; 0 is 1 GiB. A table is never older
// through it: commits are always read from the store. Copies are verified when they are
// read. Whoever may read the folder may read that data. It does nothing for
// tables on local disk, and nothing beside WithBucket.
func WithDiskCache(dir string, bytes int64) Option {
	return func(c *config) {
		c.cache = func(d storage.Driver) (storage.Driver, error) {
			return diskcache.Wrap(d, dir, cmp.Or(bytes, diskcache.Default))
		}
	}
}

// WithOutside allows files that the table's log names and that lie outside of its
// folder, as those of a shallow clone do, if their address begins with the
// prefix: a path, a file URL, or a URL such as s3://bucket/folder. Without it
// such files are refused, because a log that somebody else wrote could name
// anything. May be given several times.
func WithOutside(prefix string) Option { return WithMoved(prefix, "") }

// WithMoved is WithOutside for files that have another address now: what begins
// with the prefix in the log is read below now, a path or URL. The options of
// the table's store are used for a place in the same store only.
func WithMoved(prefix, now string) Option {
	return func(c *config) { c.places = append(c.places, address.Place{Prefix: prefix, Now: now}) }
}

// outside makes what reads the places that were allowed.
func (c *config) outside(table string) error {
	if len(c.places) == 0 {
		return nil
	}
	var err error
	c.env.Outside, err = address.Allow(c.places, func(ctx context.Context, at string) (*storage.Bucket, error) {
		if address.SameStore(at, table) {
			return c.openStore(ctx, at, c.storage...)
		}
		return c.openStore(ctx, at)
	})
	return err
}

// WithEngineInfo replaces what commitInfo.engineInfo records.
func WithEngineInfo(s string) Option { return func(c *config) { c.policy.Engine = s } }

// WithUserName is recorded as commitInfo.userName.
func WithUserName(s string) Option { return func(c *config) { c.policy.User = s } }

// WithMaxAttempts bounds how often a commit is tried when other writers are
// faster; the default is 100,000. The context bounds the time.
func WithMaxAttempts(n int) Option { return func(c *config) { c.policy.MaxAttempts = n } }

// WithoutCheckpoints leaves writing checkpoints to other writers.
func WithoutCheckpoints() Option { return func(c *config) { c.policy.NoCheckpoint = true } }

// WithoutChecksums leaves writing version checksums to other writers.
func WithoutChecksums() Option { return func(c *config) { c.policy.NoChecksum = true } }

func (c *config) open(ctx context.Context, url string) (*storage.Bucket, error) {
	if c.bucket != nil {
		return c.bucket, nil
	}
	return c.openStore(ctx, url, c.storage...)
}

// openStore opens a store, behind the cache if there is one.
func (c *config) openStore(ctx context.Context, url string, opts ...storage.Option) (*storage.Bucket, error) {
	b, err := storage.Open(ctx, url, opts...)
	if err != nil || c.cache == nil {
		return b, err
	}
	d, err := c.cache(b.Driver())
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return storage.NewBucket(d), nil
}

// At selects a version of a table.
type At struct{ at snapshot.At }

// Latest is the newest version.
func Latest() At { return At{snapshot.Latest()} }

// Version is the version with that number.
func Version(n int64) At { return At{snapshot.Version(n)} }

// Time is the newest version that is not younger than t.
func Time(t time.Time) At { return At{snapshot.Time(t)} }
