package smallworld

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/observe"
	"github.com/sluicelake/sluice/storage"
)

// Counts say how races ended.
type Counts struct {
	Pairs, Independent, Repaired, ReExecuted, EqualErrors int
	First                                                 int // the statement had nothing to publish and came before the winner
	Triples                                               int
}

func (c *Counts) String() string {
	return fmt.Sprintf("%d pairs and %d triples: %d independent, %d repaired, %d run again, %d equal errors, %d had nothing to publish",
		c.Pairs, c.Triples, c.Independent, c.Repaired, c.ReExecuted, c.EqualErrors, c.First)
}

// World is one kind of table, with what each statement makes of it.
type World struct {
	kind  Kind
	start state
	after map[string]*outcome // by the names of the statements
}

// outcome is a table that one or two statements have changed.
type outcome struct {
	state state
	view  *view
	err   error // of the last statement
}

// New makes the table.
func New(ctx context.Context, k Kind) (*World, error) {
	w := &World{kind: k, after: map[string]*outcome{}}
	var err error
	if w.start, err = base(ctx, k); err != nil {
		return nil, err
	}
	first, err := w.outcome(ctx, w.start, nil, nil)
	w.after[""] = first
	return w, err
}

// outcome runs a statement, nil for none, on a state.
func (w *World) outcome(ctx context.Context, from state, st *Statement, old *view) (*outcome, error) {
	m, err := from.place(ctx)
	if err != nil {
		return nil, err
	}
	o := &outcome{}
	if st != nil {
		o.err = say(ctx, m, *st, nil, nil)
	}
	if o.state, err = stateOf(ctx, m); err != nil {
		return nil, err
	}
	o.view, err = look(ctx, m, old)
	return o, err
}

// serial is the table after statements that run one after the other.
func (w *World) serial(ctx context.Context, list ...Statement) (out *outcome, err error) {
	if len(list) == 1 && w.fits(list...) {
		defer func() {
			if err == nil && out.err != nil {
				err = fmt.Errorf("%s by itself: %w", list[0].SQL, out.err)
			}
		}()
	}
	name, at := "", w.after[""]
	for i := range list {
		name += "|" + list[i].Name
		next := w.after[name]
		if next == nil {
			var err error
			if next, err = w.outcome(ctx, at.state, &list[i], at.view); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			w.after[name] = next
		}
		at = next
	}
	return at, nil
}

func (w *World) fits(list ...Statement) bool {
	return !slices.ContainsFunc(list, func(s Statement) bool {
		return s.Needs == "no partitions" && w.kind.Partitioned || s.Needs == "partitions" && !w.kind.Partitioned ||
			strings.HasPrefix(s.Needs, "delta.") && w.kind.Properties[s.Needs] == ""
	})
}

// Race has the loser prepare its work, the winners commit, and the loser go on.
// Apart, the winners are other processes, and the second comes when the loser has
// met the first; otherwise they commit in this process, one after the other.
func (w *World) Race(ctx context.Context, c *Counts, apart bool, loser Statement, winners ...Statement) error {
	if !w.fits(append(winners, loser)...) {
		return nil
	}
	got, err := w.play(ctx, apart, loser, winners)
	if err != nil {
		return err
	}
	want, err := w.serial(ctx, append(slices.Clone(got.came), loser)...)
	if err != nil {
		return fmt.Errorf("in series: %w", err)
	}
	if err := same(loser, got.outcome, want); err != nil {
		return err
	}
	switch len(got.came) {
	case 0: // it was over before a winner came
		c.First++
		return nil
	case 1:
		c.Pairs++
	default:
		c.Triples++
	}
	met, err := w.serial(ctx, got.came...)
	if err != nil {
		return fmt.Errorf("in series: %w", err)
	}
	switch {
	case got.err != nil:
		c.EqualErrors++
	case got.again:
		c.ReExecuted++
	case got.repaired:
		c.Repaired++
	default:
		c.Independent++
	}
	if got.err != nil {
		return nil
	}
	if got.view.version > met.view.version && got.view.blind != want.view.blind ||
		got.view.version == met.view.version+1 && !loser.alters() && got.view.blind != loser.Blind {
		return fmt.Errorf("isBlindAppend is %t, in series %t", got.view.blind, want.view.blind)
	}
	return feed(ctx, met.view, got.view)
}

// played is a race as it went.
type played struct {
	*outcome
	came            []Statement // the winners that committed before the end
	again, repaired bool
}

func (w *World) play(ctx context.Context, apart bool, loser Statement, winners []Statement) (*played, error) {
	p := &played{outcome: &outcome{}}
	m, err := w.start.place(ctx)
	if err != nil {
		return nil, err
	}
	known := w.start
	come := func(n int) error { // as other processes
		after, err := w.serial(ctx, winners[:n]...)
		if err != nil {
			return err
		}
		p.came = winners[:n]
		err = after.state.install(ctx, m, known)
		known = after.state
		return err
	}
	first, err := w.serial(ctx, winners[0])
	if err != nil {
		return nil, err
	}
	store := &interrupted{Driver: m, version: first.view.version + 1, come: func() error {
		if len(p.came) != 1 || len(winners) == 1 {
			return nil
		}
		return come(2)
	}}
	hook := func(ctx context.Context) error {
		if apart {
			return come(1)
		}
		for i, x := range winners {
			after, err := w.serial(ctx, winners[:i+1]...)
			if err != nil {
				return err
			}
			if err := say(ctx, m, x, nil, nil); spoken(err) != spoken(after.err) {
				return fmt.Errorf("the winner %s: %w", x.Name, err)
			}
		}
		p.came = winners
		return nil
	}
	l := &observe.Listener{Reconciled: func(r observe.Reconciled) {
		p.again = p.again || r.Verdict == "re-execute"
		p.repaired = p.repaired || r.Verdict == "repair"
	}}
	p.err = say(ctx, store, loser, hook, l)
	met, err := w.serial(ctx, p.came...)
	if err != nil {
		return nil, err
	}
	p.view, err = look(ctx, m, met.view)
	return p, err
}

// same holds a race against the serial run.
func same(loser Statement, got, want *outcome) error {
	var c *conflict.Error
	if errors.As(got.err, &c) {
		return fmt.Errorf("a conflict: %w", got.err)
	}
	if a, b := spoken(got.err), spoken(want.err); a != b {
		return fmt.Errorf("its error is\n    %s\n  and in series\n    %s", a, b)
	}
	if !loser.moves() && got.view.version != want.view.version {
		return fmt.Errorf("it ends at version %d, in series at %d", got.view.version, want.view.version)
	}
	if got.view.shape != want.view.shape {
		return fmt.Errorf("the table is\n%s  and in series\n%s", got.view.shape, want.view.shape)
	}
	if !slices.Equal(got.view.rows, want.view.rows) {
		return fmt.Errorf("it holds\n    %s\n  and in series\n    %s", strings.Join(got.view.rows, "\n    "), strings.Join(want.view.rows, "\n    "))
	}
	if !slices.Equal(got.view.tagged, want.view.tagged) {
		return fmt.Errorf("its rows are\n    %s\n  and in series\n    %s", strings.Join(got.view.tagged, "\n    "), strings.Join(want.view.tagged, "\n    "))
	}
	return nil
}

var (
	class = regexp.MustCompile(`\[([A-Z][A-Z_.0-9]+)\]`)
	names = regexp.MustCompile(`memory://[a-z]+-[0-9]+|[0-9a-f]{8}-[0-9a-f-]{27}`)
)

// spoken is the class of an error; without one, its text but for random names.
func spoken(err error) string {
	if err == nil {
		return "none"
	}
	text := names.ReplaceAllString(err.Error(), "…")
	if at := class.FindStringIndex(text); at != nil {
		text = text[at[0]:at[1]]
	}
	return text
}

// interrupted lets somebody in just before a version is published.
type interrupted struct {
	storage.Driver
	version int64
	come    func() error
	done    bool
}

func (s *interrupted) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	if !s.done && key == fmt.Sprintf("_delta_log/%020d.json", s.version) {
		s.done = true
		if err := s.come(); err != nil {
			return err
		}
	}
	return s.Driver.PutIfAbsent(ctx, key, data)
}
