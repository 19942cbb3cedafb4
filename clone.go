package sluice

import (
	"context"
	"errors"

	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/clone"
)

// CloneOptions say how a table is cloned. The zero value makes a deep clone: a
// table with files of its own.
type CloneOptions struct {
	// Shallow names the files of the source instead of copying them. Reading such a
	// clone needs WithOutside for the source's place. The clone is entered at its
	// source, so that VACUUM by sluice keeps the files; other engines do not know.
	Shallow bool
	// Properties overrule those of the source.
	Properties map[string]string
	// IfNotExists accepts a table that is there already; Replace clones over it.
	IfNotExists, Replace bool
	// Unregistered makes no entry at the source of a shallow clone.
	Unregistered bool
	UserMetadata string
	// BeforePublish is as in CommitOptions.
	BeforePublish func(ctx context.Context) error
}

// ClonePlan is what a clone would do.
type ClonePlan = clone.Plan

// CloneResult is what a clone did.
type CloneResult struct {
	Created      bool  // false: the table was there, and was accepted
	Files, Bytes int64 // of the source
	Copied       int64 // files that were copied
	BytesCopied  int64
	AlreadyThere int64 // files that an earlier attempt had copied
	Removed      int64 // files that the clone replaced
	// Registered says that VACUUM of the source by sluice keeps the files; if it is
	// false for a shallow clone, RegisterFailed says why.
	Registered     bool
	RegisterFailed error
	Commit         Commit
}

// Clone makes a table at a URL or path with the rows of this version. A deep
// clone that was cut short goes on where it stopped when it is made again.
func (s *Snapshot) Clone(ctx context.Context, url string, o CloneOptions, opts ...Option) (*Table, *CloneResult, error) {
	if err := s.t.use(); err != nil {
		return nil, nil, err
	}
	t, err := newTable(ctx, url, opts)
	if err != nil {
		return nil, nil, err
	}
	res, err := clone.Run(ctx, t.log, o.spec(s), txn.Options{BeforePublish: o.BeforePublish})
	if err != nil {
		return nil, nil, errors.Join(t.fail("clone to", err), t.release())
	}
	return t, &CloneResult{Created: res.Created, Files: res.Files, Bytes: res.Bytes, Copied: res.Copied, BytesCopied: res.BytesCopied, AlreadyThere: res.AlreadyThere,
		Removed: res.Removed, Registered: res.Registered, RegisterFailed: res.RegisterFailed, Commit: commitOf(res.Commit, res.Commit.Winners, false, 1)}, nil
}

// PlanClone says what Clone would do.
func (s *Snapshot) PlanClone(ctx context.Context, url string, o CloneOptions, opts ...Option) (*ClonePlan, error) {
	if err := s.t.use(); err != nil {
		return nil, err
	}
	t, err := newTable(ctx, url, opts)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	p, err := clone.Look(ctx, t.log, o.spec(s))
	return p, t.fail("clone to", err)
}

func (o CloneOptions) spec(s *Snapshot) clone.Spec {
	return clone.Spec{Source: s.s, Deep: !o.Shallow, Properties: o.Properties, IfNotExists: o.IfNotExists, Replace: o.Replace, Unregistered: o.Unregistered,
		UserMetadata: o.UserMetadata}
}
