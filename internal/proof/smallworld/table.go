package smallworld

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/sql/session"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/observe"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
)

// state is the objects of a table.
type state map[string]object

type object struct {
	data []byte
	at   time.Time
}

// dated is a store whose objects are as old as they were elsewhere.
type dated struct {
	*memory.Store
	clock *tablekit.Clock
}

// newStore is a store of its own whose clock begins at a time.
func newStore(t time.Time) *dated {
	c := tablekit.NewClock(t)
	return &dated{memory.New(memory.WithURL(fmt.Sprintf("memory://world-%d", serial.Add(1))), memory.WithClock(c.Now)), c}
}

func (d *dated) put(ctx context.Context, key string, o object) error {
	now := d.clock.Now()
	d.clock.Pass(o.at.Sub(now))
	defer d.clock.Pass(now.Sub(o.at))
	return d.Put(ctx, key, o.data)
}

// long is how long ago the table was made: longer than any retention.
const long = 40 * 24 * time.Hour

var serial atomic.Int64

// place makes a store that holds the state, at an address of its own.
func (s state) place(ctx context.Context) (*dated, error) {
	m := newStore(time.Now())
	return m, s.install(ctx, m, nil)
}

// install puts what the state has beyond another into a store: the log last.
func (s state) install(ctx context.Context, to *dated, beyond state) error {
	for _, log := range []bool{false, true} {
		for key, o := range s {
			if _, known := beyond[key]; known || strings.HasPrefix(key, "_delta_log/") != log {
				continue
			}
			if err := to.put(ctx, key, o); err != nil {
				return err
			}
		}
	}
	for key := range beyond { // cleaned up
		if _, still := s[key]; !still {
			if err := to.Delete(ctx, key); err != nil {
				return err
			}
		}
	}
	return nil
}

// stateOf copies a store.
func stateOf(ctx context.Context, from storage.Driver) (state, error) {
	out := state{}
	for o, err := range from.List(ctx, "", "") {
		if err != nil {
			return nil, err
		}
		data, _, err := from.Get(ctx, o.Key)
		if err != nil {
			return nil, err
		}
		out[o.Key] = object{data, o.ModTime}
	}
	return out, nil
}

// newEnv is a world in which pauses are short.
func newEnv(l *observe.Listener) *env.Env {
	e := env.New()
	e.Workers = 1
	e.Sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	if l != nil {
		e.Listener = l
	}
	return e
}

// base makes the table of a kind.
func base(ctx context.Context, k Kind) (state, error) {
	store := newStore(time.Now().Add(-long))
	past := newEnv(nil)
	past.Now = store.clock.Now
	spec := tablekit.Spec{DDL: "k INT NOT NULL, p STRING, v INT", Properties: k.Properties, Env: past, Driver: store,
		Policy: txn.Policy{NoChecksum: true, NoCheckpoint: true},
		Files: [][]string{
			{`{"k":1,"p":"a","v":10}`, `{"k":2,"p":"a","v":20}`, `{"k":7,"p":"a","v":70}`},
			{`{"k":3,"p":"a","v":30}`, `{"k":4,"p":"a","v":40}`},
			{`{"k":5,"p":"b","v":50}`, `{"k":6,"p":"b","v":60}`},
		}}
	if k.Partitioned {
		spec.PartitionBy = []string{"p"}
	}
	kit, err := tablekit.Make(ctx, spec)
	if err != nil {
		return nil, err
	}
	defer kit.Log.Close(ctx)
	for _, text := range []string{"ALTER TABLE t ADD CONSTRAINT low CHECK (k < 1000)", "DELETE FROM t WHERE k = 7"} {
		if err := sayIn(ctx, past, store, Statement{SQL: text}, nil); err != nil {
			return nil, err
		}
	}
	return stateOf(ctx, spec.Driver)
}

// say runs a statement on a table; before is called when its work is prepared.
func say(ctx context.Context, store storage.Driver, st Statement, before func(context.Context) error, l *observe.Listener) error {
	return sayIn(ctx, newEnv(l), store, st, before)
}

func sayIn(ctx context.Context, e *env.Env, store storage.Driver, st Statement, before func(context.Context) error) error {
	s := session.New(session.World{Env: e})
	log := txn.NewLog(e, storage.NewBucket(store), txn.Policy{NoChecksum: true, NoCheckpoint: true})
	defer log.Close(ctx)
	if st.Do != nil {
		if before != nil {
			if err := before(ctx); err != nil {
				return err
			}
		}
		return st.Do(ctx, log)
	}
	s.AddLog("t", log)
	for name, value := range st.Set {
		if err := s.Configure(name, value); err != nil {
			return err
		}
	}
	s.SetCommit(txn.Options{BeforePublish: before}, "")
	parsed, err := parse.One(st.SQL)
	if err != nil {
		return fmt.Errorf("%s: %w", st.SQL, err)
	}
	r, err := s.Exec(ctx, parsed)
	if err != nil {
		return err
	}
	for _, err := range r.Rows {
		if err != nil {
			return err
		}
	}
	return nil
}
