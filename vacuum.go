package sluice

import (
	"context"
	"time"

	"github.com/sluicelake/sluice/internal/base/address"
	"github.com/sluicelake/sluice/internal/verbs/vacuum"
	"github.com/sluicelake/sluice/storage"
)

// VacuumOptions say what Vacuum may delete. The zero value lists the whole table
// and deletes what no version of the table's retention needs.
type VacuumOptions struct {
	// Lite takes the files to delete from the log instead of listing the table. It
	// finds no files that no commit names, and needs the commits since the last VACUUM.
	Lite bool
	// Inventory takes the list of files from rows of path, length, isDir and
	// modificationTime (in milliseconds) instead of listing the table.
	Inventory Source
	// Retain keeps what was removed or written since then; nil is the table's own
	// retention (delta.deletedFileRetentionDuration, seven days by default). Less
	// than that is refused.
	Retain *time.Duration
	// NoRetentionCheck allows a Retain below the table's retention. Transactions of
	// other processes that are under way then lose files, unless there are none.
	NoRetentionCheck bool
	// DryRun finds the files, and deletes none.
	DryRun bool
	// NoLog leaves out the commits VACUUM START and VACUUM END.
	NoLog bool
	// DeletesPerSecond bounds the rate of deletes; 0 is no bound.
	DeletesPerSecond float64
	// ForgetClones are addresses of shallow clones of the table that are gone. A
	// clone that cannot be read makes Vacuum fail otherwise.
	ForgetClones []string
	UserMetadata string
	// BeforePublish is as in CommitOptions.
	BeforePublish func(ctx context.Context) error
}

// VacuumResult is what a VACUUM found and did.
type VacuumResult = vacuum.Result

// VacuumVerdict says why one file may be deleted or not, in the form of its JSON.
type VacuumVerdict = vacuum.Verdict

// VacuumError is a VACUUM that is refused.
type VacuumError = vacuum.Error

// VacuumStoppedError is a VACUUM that did not get to its end: the table is whole,
// and running it again goes on.
type VacuumStoppedError = vacuum.StoppedError

func (t *Table) vacuum(o VacuumOptions) (vacuum.Spec, vacuum.Options) {
	spec := vacuum.Spec{Lite: o.Lite, Retain: o.Retain, DryRun: o.DryRun}
	if o.Inventory != nil {
		spec.Inventory = o.Inventory
	}
	return spec, vacuum.Options{NoRetentionCheck: o.NoRetentionCheck, NoLog: o.NoLog, DeletesPerSecond: o.DeletesPerSecond, ForgetClones: o.ForgetClones,
		UserMetadata: o.UserMetadata, BeforePublish: o.BeforePublish, Open: t.config.neighbour(t.URL())}
}

// Vacuum deletes the files below the table's root that no retained version needs:
// those removed, and those left behind by failed writes, longer ago than the
// retention. It never deletes what a transaction of this process has under way,
// what a shallow clone made by sluice reads, or anything outside of the table. A
// result comes with a VacuumStoppedError too.
func (t *Table) Vacuum(ctx context.Context, o VacuumOptions) (*VacuumResult, error) {
	if err := t.use(); err != nil {
		return nil, err
	}
	spec, opts := t.vacuum(o)
	res, err := vacuum.Run(ctx, t.log, spec, opts)
	if err != nil {
		return res, t.fail("VACUUM of", err)
	}
	return res, nil
}

// ExplainVacuum says whether Vacuum with these options would delete one file, and
// why. The path is one below the table's root, or one of the log.
func (t *Table) ExplainVacuum(ctx context.Context, path string, o VacuumOptions) (*VacuumVerdict, error) {
	if err := t.use(); err != nil {
		return nil, err
	}
	spec, opts := t.vacuum(o)
	v, err := vacuum.Explain(ctx, t.log, path, spec, opts)
	if err != nil {
		return nil, t.fail("VACUUM of", err)
	}
	return v, nil
}

// neighbour opens other tables that a table's log names; what opens the table is
// shown to its own store only.
func (c *config) neighbour(table string) func(context.Context, string) (*storage.Bucket, error) {
	return func(ctx context.Context, at string) (*storage.Bucket, error) {
		if address.SameStore(at, table) {
			return storage.Open(ctx, at, c.storage...)
		}
		return storage.Open(ctx, at)
	}
}
