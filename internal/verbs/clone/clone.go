// Package clone is CLONE: a new table with the rows that another has at one
// version. A shallow clone names the files of its source, a deep clone has copies
// of its own.
//
// What is copied goes to keys that depend on the source alone, so a clone that was
// cut short goes on where it stopped when it is run again.
package clone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/address"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/internal/verbs/create"
	"github.com/sluicelake/sluice/internal/verbs/merge"
	"github.com/sluicelake/sluice/storage"
)

// Spec is a CLONE as a value.
type Spec struct {
	// Source is the table to clone, at the version to clone.
	Source *snapshot.Snapshot
	// Deep copies the files; otherwise the clone names those of the source.
	Deep bool
	// Properties overrule those of the source.
	Properties map[string]string
	// IfNotExists accepts a table that is there already, as it is; Replace clones
	// over it.
	IfNotExists, Replace bool
	// Unregistered leaves the entry at the source out that has VACUUM keep the files
	// of a shallow clone.
	Unregistered bool
	UserMetadata string
}

// Plan is what a clone would do.
type Plan struct {
	Source        string
	SourceVersion int64
	Files         int64 // of the source
	Bytes         int64
	ToCopy        int64 // files that a deep clone has to copy still
	BytesToCopy   int64
	Replaces      int64 // files that the clone replaces
}

// Result is what a clone did.
type Result struct {
	Created        bool // false: the table was there
	Files, Bytes   int64
	Copied         int64
	BytesCopied    int64
	Removed        int64
	BytesRemoved   int64
	AlreadyThere   int64 // files that an earlier attempt had copied
	Registered     bool  // VACUUM of the source keeps the files
	RegisterFailed error // why it is not registered; the clone is there all the same
	Commit         txn.Result
}

// Run makes the clone in the table of l.
func Run(ctx context.Context, l *txn.Log, spec Spec, o txn.Options) (Result, error) {
	if err := apart(spec.Source.Bucket().URL(), l.Bucket().URL()); err != nil {
		return Result{}, err
	}
	for {
		s, err := existing(ctx, l, spec)
		if err != nil {
			return Result{}, err
		}
		if s != nil && spec.IfNotExists {
			return Result{Commit: txn.Result{Version: s.Version(), Snapshot: s}}, nil
		}
		res, again, err := once(ctx, l, s, spec, o)
		if err != nil || !again {
			return res, err
		}
		o.BeforePublish = nil // another writer created it first: look again
	}
}

// existing is the table that is there, nil for none.
func existing(ctx context.Context, l *txn.Log, spec Spec) (*snapshot.Snapshot, error) {
	s, err := create.Existing(ctx, l)
	if s != nil && !spec.IfNotExists && !spec.Replace {
		return nil, &create.ExistsError{Table: l.Bucket().URL(), Version: s.Version()}
	}
	return s, err
}

// apart refuses a clone in its source, or around it.
func apart(source, target string) error {
	a, b := strings.TrimRight(address.Plain(source), "/")+"/", strings.TrimRight(address.Plain(target), "/")+"/"
	if strings.HasPrefix(a, b) || strings.HasPrefix(b, a) {
		return refuse("DELTA_CLONE_INTO_ITSELF", "%s cannot be cloned to %s: one lies in the other", source, target)
	}
	return nil
}

func once(ctx context.Context, l *txn.Log, s *snapshot.Snapshot, spec Spec, o txn.Options) (res Result, again bool, err error) {
	w := &work{Replacement: create.Replacement{Log: l, Old: s}, spec: spec}
	t, err := w.Begin()
	if err != nil {
		return res, false, err
	}
	defer t.Abandon()
	if w.protocol, w.metadata, err = describe(l.Env(), s, spec); err != nil {
		return res, false, err
	}
	if w.adds, err = w.files(ctx, t, &res); err != nil {
		return res, false, err
	}
	if !spec.Deep {
		if !spec.Unregistered {
			res.RegisterFailed = w.register(ctx, true)
			res.Registered = res.RegisterFailed == nil
		}
		if err := w.there(ctx); err != nil { // after a VACUUM that begins now knows of the clone
			return res, false, err
		}
	}
	w.res = &res
	commit, err := t.CommitWork(ctx, w, o)
	res.Created, res.Commit = commit.Committed, commit
	if commit.Committed && res.Registered {
		if err := w.register(ctx, false); err != nil { // VACUUM opens the table all the same
			l.Env().Log.Warn("the entry of a clone still says that it is under way", "clone", l.Bucket().URL(), "error", err)
		}
	}
	return res, commit.Again, err
}

// work is a clone as the commit loop sees it.
type work struct {
	create.Replacement
	spec     Spec
	protocol *action.Protocol
	metadata *action.Metadata
	adds     []*action.Add
	res      *Result
}

func (w *work) Effects(context.Context) (txn.Effects, error) {
	acts := append(w.Definition(w.protocol, w.metadata), w.domains()...)
	stays := map[conflict.FileID]bool{} // what an earlier clone has of these files
	for _, a := range w.adds {
		stays[conflict.IDOf(a)] = false
	}
	gone, bytes := w.Removals(stays)
	if len(gone) > 0 {
		if err := w.Allowed(); err != nil {
			return txn.Effects{}, err
		}
	}
	w.res.Removed, w.res.BytesRemoved = int64(len(gone)), bytes
	acts = append(acts, gone...)
	for _, a := range w.adds {
		if !stays[conflict.IDOf(a)] {
			acts = append(acts, a)
		}
	}
	return txn.Effects{Actions: acts, Always: true, NotBlind: true, Operation: w.operation()}, nil
}

func (w *work) operation() txn.Operation {
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	source := strings.TrimRight(w.spec.Source.Bucket().URL(), "/")
	if path, ok := strings.CutPrefix(source, "file://"); ok {
		source = "file:" + path
	}
	name, _ := json.Marshal("delta.`" + source + "`")
	r := w.res
	return txn.Operation{Name: "CLONE", UserMetadata: w.spec.UserMetadata, ChangesData: true,
		Parameters: map[string]json.RawMessage{"source": name, "sourceVersion": json.RawMessage(n(w.spec.Source.Version()))},
		Metrics: map[string]string{"sourceTableSize": n(r.Bytes), "sourceNumOfFiles": n(r.Files), "numRemovedFiles": n(r.Removed), "removedFilesSize": n(r.BytesRemoved),
			"numCopiedFiles": n(r.Copied + r.AlreadyThere), "copiedFilesSize": n(r.BytesCopied)}}
}

func refuse(class, format string, args ...any) error {
	return &merge.StatementError{Class: class, Message: fmt.Sprintf(format, args...)}
}

// Look says what a clone would do.
func Look(ctx context.Context, l *txn.Log, spec Spec) (*Plan, error) {
	src := spec.Source
	if err := apart(src.Bucket().URL(), l.Bucket().URL()); err != nil {
		return nil, err
	}
	s, err := existing(ctx, l, spec)
	if err != nil {
		return nil, err
	}
	p := &Plan{Source: src.Bucket().URL(), SourceVersion: src.Version(), Files: int64(src.NumFiles()), Bytes: src.SizeInBytes()}
	if s != nil {
		p.Replaces = int64(s.NumFiles())
	}
	if !spec.Deep || s != nil && spec.IfNotExists {
		return p, nil
	}
	files := src.Files()
	for i := range files.All() {
		c, err := copyOf(files.Add(i))
		if err != nil {
			return nil, err
		}
		obj, err := l.Bucket().Stat(ctx, c.key)
		switch {
		case err == nil && obj.Size == c.add.Size:
			continue
		case err != nil && !errors.Is(err, storage.ErrNotExist):
			return nil, err
		}
		p.ToCopy++
		p.BytesToCopy += c.add.Size
	}
	return p, nil
}
