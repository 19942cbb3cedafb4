package deltalog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/storage"
)

// Outcome is how the attempt to publish a version ended. Losing a race is an
// outcome, not an error.
type Outcome uint8

// The outcomes. Failed comes with an error and means that nothing was published.
const (
	Failed  Outcome = iota
	Done            // the version is ours
	Taken           // another writer has the version
	Unknown         // the store cannot tell; Settle finds out
)

func (o Outcome) String() string {
	switch o {
	case Failed:
		return "failed"
	case Done:
		return "done"
	case Taken:
		return "taken"
	case Unknown:
		return "unknown"
	}
	return fmt.Sprintf("outcome %d", uint8(o))
}

// Publish puts a commit under a version's name if that name is free. The error
// is non-nil for Failed only.
func Publish(ctx context.Context, b *storage.Bucket, version int64, data []byte) (Outcome, error) {
	err := b.PutIfAbsent(ctx, CommitPath(version), data)
	switch {
	case err == nil:
		return Done, nil
	case errors.Is(err, storage.ErrExist):
		return Taken, nil
	case errors.Is(err, storage.ErrOutcomeUnknown):
		return Unknown, nil
	}
	return Failed, fmt.Errorf("publish version %d: %w", version, err)
}

// UnknownError says that a commit may or may not have been published, because the
// store could not be read back in time. Look for TxnID in the commit of Version.
type UnknownError struct {
	URL     string
	Version int64
	TxnID   string
	Err     error // why the store could not be read back
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("%s: it is not known whether version %d was published: %v; look for txnId %q in %s before trying again",
		e.URL, e.Version, e.Err, e.TxnID, CommitPath(e.Version))
}

// Unwrap gives the cause.
func (e *UnknownError) Unwrap() error { return e.Err }

// How Settle waits: full jitter, growing from the first pause to the longest,
// at most so many looks in vain. lastLook bounds the look after the context has ended.
const (
	firstPause   = 20 * time.Millisecond
	longestPause = 5 * time.Second
	vainLooks    = 60
	lastLook     = 5 * time.Second
)

// Settle finds out how a publication ended whose outcome is Unknown. It reads
// the version back: our transaction id or our bytes mean Done, anything else
// Taken. If the version is absent it is published again, with the same bytes,
// so that a request that arrives late changes nothing. The result is Done or
// Taken, or Unknown with an *UnknownError when the context ends (or the store
// stays out of reach) before the version could be read or published. It is
// never Failed: the first request may still be on its way.
func Settle(ctx context.Context, e *env.Env, b *storage.Bucket, version int64, txnID string, data []byte) (Outcome, error) {
	pause := firstPause
	var cause error
	for range vainLooks {
		if cause = ctx.Err(); cause != nil {
			break
		}
		outcome, err := look(ctx, b, version, txnID, data)
		if outcome != Unknown {
			return outcome, nil
		}
		if err == nil {
			// Absent. Another Unknown or Taken (perhaps by our own first
			// request) is looked at again.
			if outcome, err = Publish(ctx, b, version, data); outcome == Done {
				return Done, nil
			} else if outcome == Taken {
				continue
			}
		}
		cause = err
		if err := e.Sleep(ctx, time.Duration(e.Float()*float64(pause))); err != nil {
			cause = err
			break
		}
		pause = min(2*pause, longestPause)
	}
	if ctx.Err() != nil {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLook)
		defer cancel()
		if outcome, _ := look(last, b, version, txnID, data); outcome != Unknown {
			return outcome, nil
		}
	}
	if cause == nil {
		cause = storage.ErrOutcomeUnknown
	}
	return Unknown, &UnknownError{URL: b.URL(), Version: version, TxnID: txnID, Err: cause}
}

// look reads a version back: Done, Taken, or Unknown with the error that kept it
// from being read; without an error the version is absent.
func look(ctx context.Context, b *storage.Bucket, version int64, txnID string, data []byte) (Outcome, error) {
	stored, _, err := ReadCommit(ctx, b, version)
	switch {
	case errors.Is(err, storage.ErrNotExist):
		return Unknown, nil
	case err != nil:
		return Unknown, err
	case bytes.Equal(stored, data) || (txnID != "" && TxnID(stored) == txnID):
		return Done, nil
	}
	return Taken, nil
}

// TxnID finds the txnId of a commit's commitInfo; "" when there is none.
func TxnID(commit []byte) string {
	for line := range bytes.Lines(commit) {
		if !bytes.Contains(line, []byte(`"txnId"`)) || !bytes.Contains(line, []byte(`"commitInfo"`)) {
			continue
		}
		var action struct {
			CommitInfo *struct {
				TxnID string `json:"txnId"`
			} `json:"commitInfo"`
		}
		if json.Unmarshal(line, &action) == nil && action.CommitInfo != nil {
			return action.CommitInfo.TxnID
		}
	}
	return ""
}
