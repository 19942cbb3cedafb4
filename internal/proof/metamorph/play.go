package metamorph

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/sql/session"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/changes"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
	"github.com/sluicelake/sluice/types"
)

// Outcome is what one statement did to a table.
type Outcome struct {
	Error   string // its class
	Rows    []string
	Changes []string // the change rows of its commit, where a feed is kept
}

// Seen is called after each statement with the table as it is.
type Seen func(statement string, s *snapshot.Snapshot, rows []string) error

var classOf = regexp.MustCompile(`\[([A-Z_0-9]+(\.[A-Z_0-9]+)*)\]`)

// Play runs a script over a table of a layout, which lies in the place d (nil is
// memory), and tells what each statement did.
func Play(ctx context.Context, c Config, s Script, d storage.Driver, seen Seen) ([]Outcome, error) {
	e := env.New()
	e.Workers = c.Workers
	var t *clock
	if c.Tended && d == nil { // a store on a disk has a time of its own
		t = newClock()
		e.Now = t.now
		d = memory.New(memory.WithURL(tablekit.Place().URL()), memory.WithClock(t.now))
	}
	spec := tablekit.Spec{DDL: DDL, Properties: c.Properties(), Env: e, Driver: d}
	if c.Partitioned {
		spec.PartitionBy = []string{"p"}
	}
	k, err := tablekit.Make(ctx, spec)
	if err != nil {
		return nil, err
	}
	defer k.Log.Close(context.WithoutCancel(ctx))
	p := &player{k: k, session: session.New(session.World{Env: e}), feed: c.Feed, clock: t}
	p.session.AddLog("target", k.Log)
	at := 2
	if !c.Apart {
		at = len(s.Rows)
	}
	for rows := range slices.Chunk(s.Rows, at) {
		text := "INSERT INTO target VALUES " + strings.Join(rows, ", ")
		if _, err := p.step(ctx, text); err != nil {
			return nil, fmt.Errorf("%s: %w", text, err)
		}
	}
	var out []Outcome
	for _, text := range s.Statements {
		if c.Tended {
			if err := p.tend(ctx, text); err != nil {
				return out, fmt.Errorf("%s: %w", text, err)
			}
		}
		o, err := p.step(ctx, text)
		if err == nil && seen != nil {
			err = seen(text, p.now, o.Rows)
		}
		if err != nil {
			return out, fmt.Errorf("%s: %w", text, err)
		}
		out = append(out, o)
	}
	return out, nil
}

// player is a table on its way through a script.
type player struct {
	k       *tablekit.Kit
	session *session.Session
	feed    bool
	now     *snapshot.Snapshot
	clock   *clock   // nil is that of the world
	past    []moment // versions after each statement
}

// step runs one statement. An error of the statement is an outcome; an error of
// reading afterwards is an error.
func (p *player) step(ctx context.Context, text string) (o Outcome, err error) {
	before := int64(0)
	if p.now != nil {
		before = p.now.Version()
	}
	if err := p.run(ctx, text); err != nil {
		m := classOf.FindStringSubmatch(err.Error())
		if m == nil {
			return o, fmt.Errorf("an error without a class: %w", err)
		}
		o.Error = m[1]
	}
	if p.now, err = p.k.Snapshot(ctx, snapshot.Latest()); err != nil {
		return o, err
	}
	if o.Error != "" && p.now.Version() != before {
		return o, fmt.Errorf("failed with %s, and committed", o.Error)
	}
	if o.Rows, err = tablekit.Rows(ctx, p.now); err != nil {
		return o, err
	}
	p.remember(o.Rows)
	if !p.feed || p.now.Version() == before {
		return o, nil
	}
	o.Changes, err = p.changes(ctx, before+1)
	return o, err
}

func (p *player) run(ctx context.Context, text string) error {
	st, err := parse.One(text)
	if err != nil {
		return err
	}
	res, err := p.session.Exec(ctx, st)
	if err != nil {
		return err
	}
	for _, err := range res.Rows {
		if err != nil {
			return err
		}
	}
	return nil
}

// changes reads the change rows from a version on.
func (p *player) changes(ctx context.Context, from int64) ([]string, error) {
	names := []string{"_change_type"}
	for _, n := range p.now.Schema().Names() {
		names = append(names, types.QuoteIdentifier(n))
	}
	plan, err := changes.NewPlan(ctx, p.k.Env, p.now, changes.Spec{From: snapshot.Version(from), Columns: names})
	if err != nil {
		return nil, err
	}
	out := []string{}
	for b, err := range plan.Rows(ctx) {
		if err != nil {
			return nil, err
		}
		for i := range int(b.Record.NumRows()) {
			out = append(out, string(columns.AppendCanonicalRow(nil, b.Record.Columns(), plan.Schema(), i)))
		}
	}
	sort.Strings(out)
	return out, nil
}
