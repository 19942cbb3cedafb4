package sluice

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/create"
	_ "github.com/sluicelake/sluice/storage/azure"     // registers abfss://, wasbs://, az:// and the hosts of Azure
	_ "github.com/sluicelake/sluice/storage/gcs"       // registers gs://
	_ "github.com/sluicelake/sluice/storage/httpstore" // registers http:// and https://
	_ "github.com/sluicelake/sluice/storage/local"     // registers file paths and file://
	_ "github.com/sluicelake/sluice/storage/memory"    // registers memory://
	_ "github.com/sluicelake/sluice/storage/s3"        // registers s3://, s3a:// and s3n://
	"github.com/sluicelake/sluice/types"
)

// Table is a handle on a Delta table. It keeps what it knows of the log, so
// reusing one is cheaper than opening another. It is safe for concurrent use.
type Table struct {
	log    *txn.Log
	config *config
	owned  bool // the bucket was opened here
	closed atomic.Bool
}

func newTable(ctx context.Context, url string, opts []Option) (*Table, error) {
	c := configure(opts)
	b, err := c.open(ctx, url)
	if err != nil {
		return nil, err
	}
	t := &Table{log: txn.NewLog(c.env, b, c.policy), config: c, owned: c.bucket == nil}
	if err := c.outside(b.URL()); err != nil {
		return nil, errors.Join(err, t.release())
	}
	return t, nil
}

// Open opens the table at a URL or path and reads its newest version. Where
// there is no table, the error is ErrNotTable.
func Open(ctx context.Context, url string, opts ...Option) (*Table, error) {
	t, err := newTable(ctx, url, opts)
	if err != nil {
		return nil, err
	}
	if t.config.lazy {
		return t, nil
	}
	if _, err := t.log.Update(ctx); err != nil {
		return nil, errors.Join(t.fail("open", err), t.release())
	}
	return t, nil
}

// CreateOptions say more about a new table.
type CreateOptions struct {
	PartitionBy []string
	// ClusterBy names the columns by which OPTIMIZE lays rows out, at most four;
	// "a.b" is a field of a struct. A table is partitioned or clustered, not both.
	ClusterBy []string
	// Properties are table properties, for example "delta.appendOnly": "true".
	// Unless "delta.enableDeletionVectors" is "false" the table has deletion vectors.
	Properties map[string]string
	Name       string
	Comment    string
}

// Create creates a table. Where there is one already, the error is ErrExists.
func Create(ctx context.Context, url string, schema *types.Struct, o CreateOptions, opts ...Option) (*Table, error) {
	t, _, err := createTable(ctx, url, schema, o, false, opts)
	return t, err
}

// CreateIfNotExists opens the table and creates it first when there is none; it
// reports whether it did.
func CreateIfNotExists(ctx context.Context, url string, schema *types.Struct, o CreateOptions, opts ...Option) (*Table, bool, error) {
	return createTable(ctx, url, schema, o, true, opts)
}

func createTable(ctx context.Context, url string, schema *types.Struct, o CreateOptions, ifNotExists bool, opts []Option) (*Table, bool, error) {
	t, err := newTable(ctx, url, opts)
	if err != nil {
		return nil, false, err
	}
	var res create.Result
	cluster, err := columnPaths(o.ClusterBy)
	if err == nil {
		res, err = create.Run(ctx, t.log, create.Spec{Schema: schema, PartitionBy: o.PartitionBy, ClusterBy: cluster, Properties: o.Properties, Defaults: create.Recommended(),
			Name: o.Name, Comment: o.Comment, IfNotExists: ifNotExists}, txn.Options{})
	}
	if err != nil {
		return nil, false, errors.Join(t.fail("create", err), t.release())
	}
	return t, res.Created, nil
}

// URL is the address of the table's root, without secrets.
func (t *Table) URL() string { return t.log.Bucket().URL() }

// Snapshot reads a version of the table: the newest one without At, which costs
// one look at the store when nothing is new.
func (t *Table) Snapshot(ctx context.Context, at ...At) (*Snapshot, error) {
	if err := t.use(); err != nil {
		return nil, err
	}
	if len(at) > 1 {
		return nil, errors.New("a snapshot is taken at one version: several were given")
	}
	if len(at) == 0 || at[0].at == snapshot.Latest() {
		if tx := txn.Active(ctx); tx != nil && tx.Log() == t.log && tx.Snapshot() != nil {
			return &Snapshot{t: t, s: tx.Snapshot()}, nil
		}
		s, err := t.log.Update(ctx)
		if err != nil {
			return nil, t.fail("open", err)
		}
		return &Snapshot{t: t, s: s}, nil
	}
	s, err := snapshot.Load(ctx, t.config.env, t.log.Bucket(), at[0].at)
	if err != nil {
		return nil, t.fail("open", err)
	}
	return &Snapshot{t: t, s: s}, nil
}

// Close waits for work that follows commits (checkpoints) and releases the
// handle. Snapshots taken from it cannot read files any more.
func (t *Table) Close() error {
	if t.closed.Swap(true) {
		return nil
	}
	err := t.log.Close(context.Background())
	return errors.Join(err, t.release())
}

// use refuses a table that was closed.
func (t *Table) use() error {
	if t.closed.Load() {
		return fmt.Errorf("table %s: %w", t.URL(), ErrClosed)
	}
	return nil
}

func (t *Table) release() error {
	var err error
	if t.config.env.Outside != nil {
		err = t.config.env.Outside.Close()
	}
	if t.owned {
		err = errors.Join(err, t.log.Bucket().Close())
	}
	return err
}
