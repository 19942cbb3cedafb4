package txn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/observe"
	"github.com/sluicelake/sluice/storage"
)

// A reservation is a commit without effects whose commitInfo asks other writers to
// let a transaction go first for a while. A transaction whose repairs take longer
// than others need to commit publishes one: its window is one read and one write,
// so it gets through where the work itself does not. Writers read each winner
// anyway, so heeding one costs them no request; to other engines it is an empty commit.
const (
	goesFirst       = "sluice.goesFirst"       // tag: the id of the transaction
	goesFirstMillis = "sluice.goesFirstMillis" // tag: for how long
	reserveName     = "RESERVE"                // the operation of the commit

	// rounds is how often in a row the winners have to be met, each time to find
	// more of them behind, before a transaction reserves. Fewer are enough where a
	// round finds more than the one before (growing), or many times more (steep).
	rounds, growing, steep = 5, 2, 4
	// How long a reservation holds: four times what the last round took, within bounds.
	shortest, longest = 250 * time.Millisecond, 10 * time.Second
	// ignored is how many reservations are made in vain before a transaction makes no more.
	ignored = 3
	// farAhead bounds how many winners are read before they are met.
	farAhead = 256
)

// asked is a reservation that this process knows of.
type asked struct {
	txnID   string
	version int64
	until   time.Time // by this process' clock
}

// heed notes a commit of another process that reserves, or that ends a reservation.
func (n *neighbours) heed(info *action.CommitInfo, version int64, written, now time.Time) {
	if info == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if a := n.asked; a != nil && (info.TxnID != nil && *info.TxnID == a.txnID || !now.Before(a.until)) {
		n.asked = nil
	}
	id := info.Tags[goesFirst]
	if id == "" || n.asked != nil || version <= n.heeded {
		return
	}
	millis, err := strconv.ParseInt(info.Tags[goesFirstMillis], 10, 64)
	if err != nil || millis <= 0 {
		return
	}
	n.heeded = version
	span := min(time.Duration(min(millis, longest.Milliseconds()))*time.Millisecond, longest)
	// Its age counts as far as the clocks agree; a time to come is none.
	if left := span - max(0, now.Sub(written)); left > 0 {
		n.asked = &asked{id, version, now.Add(left)}
	}
}

// first is the reservation that a transaction has to respect; nil when there is none.
func (n *neighbours) first(txnID string, now time.Time) *asked {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.asked == nil || n.asked.txnID == txnID || !now.Before(n.asked.until) {
		return nil
	}
	return n.asked
}

// passed forgets a reservation.
func (n *neighbours) passed(r *asked) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.asked == r {
		n.asked = nil
	}
}

// startBehind notes what the version that the transaction read says of reservations.
func (a *attempt) startBehind() {
	n := &a.t.log.lane.others
	n.mu.Lock()
	if n.asked != nil && n.asked.version < a.version() {
		n.asked = nil // whoever asked has most likely gone: there are commits behind it
	}
	n.mu.Unlock()
	if a.base != nil {
		n.heed(a.base.CommitInfo(), a.version(), a.base.Timestamp(), a.t.log.env.Now())
	}
}

// giveWay waits until a transaction that has reserved is committed or its time is
// over, and meets what is published meanwhile.
func (a *attempt) giveWay(ctx context.Context) error {
	e, n := a.t.log.env, &a.t.log.lane.others
	start := e.Now()
	r := n.first(a.t.id, start)
	if r == nil {
		return nil
	}
	a.step() // they may need it
	left := r.until.Sub(start)
	waited := time.Duration(0) // slept: clocks may stand still
	for n.first(a.t.id, e.Now()) == r && waited < left {
		found, err := a.reconcile(ctx, a.version()+1)
		if err != nil || a.result.Again {
			return err
		}
		if found {
			continue
		}
		d := a.jitter(min(max(left/32, time.Millisecond), 100*time.Millisecond))
		if err := e.Sleep(ctx, d); err != nil {
			return a.stopped(err)
		}
		waited += d
	}
	served := n.first(a.t.id, e.Now()) != r && e.Now().Before(r.until)
	n.passed(r)
	if fn := e.Listener.Waited; fn != nil {
		fn(observe.Waited{Table: a.t.log.bucket.URL(), TxnID: a.t.id, For: "reservation", Waited: waited, Served: served})
	}
	a.t.debug("let a transaction go first that has reserved", "first", r.txnID, "waited", waited, "committed", served)
	return nil
}

// readAhead reads the winners behind the base that are there now; it reports how many.
func (a *attempt) readAhead(ctx context.Context) (int64, error) {
	for n := int64(0); ; n++ {
		if n == farAhead {
			return n, nil
		}
		won, err := a.winner(ctx, a.version()+1+n)
		if errors.Is(err, storage.ErrNotExist) {
			return n, nil
		}
		if err != nil {
			return n, fmt.Errorf("reading the winner, version %d of %s; nothing was committed: %w", a.version()+1+n, a.t.log.bucket.URL(), err)
		}
		a.keep(won)
	}
}

// keep holds a winner that was read until it is met.
func (a *attempt) keep(won recent) {
	if a.ahead == nil {
		a.ahead = map[int64]recent{}
	}
	a.ahead[won.version] = won
}

// hopeless reports whether the transaction falls behind others again and again
// because its repairs take longer than their commits. n is how many winners this
// round has found.
func (a *attempt) hopeless(n int64) bool {
	worse := n > max(a.found, 3) && (a.rounds > growing || a.rounds > 1 && n >= steep*a.found)
	a.found = n
	return (worse || a.rounds > rounds) && a.repaired && a.base != nil && a.reserved < ignored
}

// reserve asks the other writers to let this transaction go first. Failing to is
// no failure of the transaction.
func (a *attempt) reserve(ctx context.Context) error {
	l := a.t.log
	e := l.env
	at := a.base
	a.rounds, a.found = 0, 0
	span := min(max(4*a.round<<a.reserved, shortest), longest)
	lost := false
	for range 2 * farAhead {
		won, err := a.winner(ctx, at.Version()+1)
		if err == nil {
			a.keep(won)
			l.lane.others.heed(infoOf(won.actions), won.version, won.obj.ModTime, e.Now())
			if at, err = at.Apply(won.version, won.actions, won.data, won.obj); err != nil {
				return nil // whoever meets that winner says what is wrong
			}
			if !lost {
				continue // to the newest
			}
		} else if !errors.Is(err, storage.ErrNotExist) {
			return nil // the same
		}
		if at.Version() > a.version()+farAhead || feature.CheckWrite(at.Protocol(), at.Metadata()) != nil || l.lane.others.first(a.t.id, e.Now()) != nil {
			return nil
		}
		version, now := at.Version()+1, e.Now()
		info := a.reservation(version, span, now.UnixMilli())
		if feature.InCommitTimestamps(at.Metadata()) {
			ict := max(now.UnixMilli(), at.Timestamp().UnixMilli()+1)
			info.InCommitTimestamp = &ict
		}
		acts := []action.Action{info}
		data, err := action.Marshal(acts)
		if err != nil {
			return fmt.Errorf("reserving version %d of %s: %w", version, l.bucket.URL(), err)
		}
		outcome, err := deltalog.Publish(ctx, l.bucket, version, data)
		if outcome == deltalog.Unknown {
			outcome, err = deltalog.Settle(ctx, e, l.bucket, version, *info.TxnID, data)
		}
		switch {
		case outcome == deltalog.Taken:
			lost = true // from here on each winner is followed at once: the window is one read
			continue
		case outcome != deltalog.Done:
			a.t.debug("no reservation", "version", version, "error", err)
			return nil
		}
		a.reserved++
		r := recent{table: at.Metadata().ID, version: version, actions: acts, data: data, here: true,
			obj: storage.Object{Key: deltalog.CommitPath(version), Size: int64(len(data)), ModTime: now}}
		a.keep(r)
		l.lane.remember(r)
		if fn := e.Listener.Reserved; fn != nil {
			fn(observe.Reserved{Table: l.bucket.URL(), TxnID: a.t.id, Version: version, Span: span})
		}
		a.t.debug("reserved: others are asked to wait", "version", version, "span", span)
		return nil
	}
	return nil
}

// reservation is the whole content of a reserving commit.
func (a *attempt) reservation(version int64, span time.Duration, now int64) *action.CommitInfo {
	id, isolation, blind, read := a.t.log.env.NewID(), string(conflict.SnapshotIsolation), false, version-1
	info := &action.CommitInfo{Timestamp: &now, Operation: reserveName, IsolationLevel: &isolation, IsBlindAppend: &blind, ReadVersion: &read, TxnID: &id, OperationParameters: map[string]json.RawMessage{},
		Tags: map[string]string{goesFirst: a.t.id, goesFirstMillis: strconv.FormatInt(span.Milliseconds(), 10)}}
	if engine := a.t.log.policy.Engine; engine != "" {
		info.EngineInfo = &engine
	}
	if user := a.t.log.policy.User; user != "" {
		info.UserName = &user
	}
	return info
}

// reservedBy reports whether a commit is the transaction's own reservation.
func reservedBy(txnID string, acts []action.Action) bool {
	info := infoOf(acts)
	return info != nil && info.Tags[goesFirst] == txnID
}

func infoOf(acts []action.Action) *action.CommitInfo {
	for _, act := range acts {
		if info, ok := act.(*action.CommitInfo); ok {
			return info
		}
	}
	return nil
}
