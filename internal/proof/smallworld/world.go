package smallworld

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/table/conflict"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/observe"
	"github.com/sluicelake/sluice/storage"
)

// Counts say how races ended.
type Counts struct {
	Pairs, Independent, Repaired, ReExecuted, EqualErrors int
	First                                                 int // the statement had nothing to publish and came before the winner
	Triples                                               int
	Told                                                  int // compared with what the model of rows says
	Matrix                                                map[[2]string]*Ends
}

// Ends are how the races between two kinds of statements ended.
type Ends struct{ Independent, Repaired, ReExecuted, EqualErrors, First int }

func (c *Counts) ends(loser, winner Statement) *Ends {
	if c.Matrix == nil {
		c.Matrix = map[[2]string]*Ends{}
	}
	key := [2]string{loser.Kind(), winner.Kind()}
	if c.Matrix[key] == nil {
		c.Matrix[key] = &Ends{}
	}
	return c.Matrix[key]
}

// Table is the matrix: a row for each kind of loser, a column for each kind of
// winner, and in each place how many were independent, repaired, run again, and
// ended with the error that they have in series. What had nothing to publish is
// among the independent ones.
func (c *Counts) Table() string {
	var kinds []string
	for _, s := range Statements {
		if !slices.Contains(kinds, s.Kind()) {
			kinds = append(kinds, s.Kind())
		}
	}
	var b strings.Builder
	b.WriteString("independent/repaired/run again/equal error, loser by winner\n        ")
	for _, k := range kinds {
		fmt.Fprintf(&b, " %11s", k)
	}
	for _, loser := range kinds {
		fmt.Fprintf(&b, "\n%-8s", loser)
		for _, winner := range kinds {
			text := "-"
			if e := c.Matrix[[2]string{loser, winner}]; e != nil {
				text = fmt.Sprintf("%d/%d/%d/%d", e.Independent+e.First, e.Repaired, e.ReExecuted, e.EqualErrors)
			}
			fmt.Fprintf(&b, " %11s", text)
		}
	}
	return b.String()
}

func (c *Counts) String() string {
	return fmt.Sprintf("%d pairs and %d triples: %d independent, %d repaired, %d run again, %d equal errors, %d had nothing to publish; the model of rows agrees with %d",
		c.Pairs, c.Triples, c.Independent, c.Repaired, c.ReExecuted, c.EqualErrors, c.First, c.Told)
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
	all := append(slices.Clone(winners), loser)
	if !w.fits(all...) || !meets(apart, all) || loser.several() {
		return nil
	}
	for _, s := range all {
		if o, err := w.serial(ctx, s); err != nil && w.kind.Identity && o != nil {
			return nil // it is an error by itself
		}
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
	if err := w.agrees(c, got, append(slices.Clone(got.came), loser)); err != nil {
		return err
	}
	if err := w.kept(ctx, got.view, all); err != nil {
		return err
	}
	ends := c.ends(loser, winners[len(winners)-1])
	switch len(got.came) {
	case 0: // it was over before a winner came
		c.First++
		ends.First++
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
		ends.EqualErrors++
	case got.again:
		c.ReExecuted++
		ends.ReExecuted++
	case got.repaired:
		c.Repaired++
		ends.Repaired++
	default:
		c.Independent++
		ends.Independent++
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

// meets reports whether statements may meet. A RESTORE of what is older than the
// retention and what takes it away may not: which of them is first decides. A
// VACUUM that keeps nothing may only meet statements of its own process. A VACUUM
// LITE that has read the log is done with it.
func meets(apart bool, list []Statement) bool {
	cleans := slices.ContainsFunc(list, Statement.cleans)
	restores := slices.ContainsFunc(list, func(s Statement) bool { return s.Kind() == "restore" })
	now := slices.ContainsFunc(list, Statement.now)
	lite := slices.ContainsFunc(list, func(s Statement) bool { return s.Name == "vacuum lite" })
	log := slices.ContainsFunc(list, func(s Statement) bool { return s.Name == "clean log" })
	return !(cleans && restores) && !(apart && now) && !(lite && log)
}

// agrees holds the rows against the model.
func (w *World) agrees(c *Counts, got *played, list []Statement) error {
	m, ok := w.told(list...)
	if !ok {
		return nil
	}
	for i := range list { // an error is judged by the serial run, and leaves nothing to tell
		if o := w.after[nameOf(list[:i+1])]; o == nil || o.err != nil {
			return nil
		}
	}
	if m.failed {
		return errors.New("a source row for two, says the model, and there was no error")
	}
	if want := m.texts(); !slices.Equal(got.view.rows, want) {
		return fmt.Errorf("it holds\n    %s\n  and the model says\n    %s", strings.Join(got.view.rows, "\n    "), strings.Join(want, "\n    "))
	}
	c.Told++
	return nil
}

// kept reads the versions that nobody may take away: those of the retention.
func (w *World) kept(ctx context.Context, v *view, list []Statement) error {
	if !slices.ContainsFunc(list, Statement.cleans) || slices.ContainsFunc(list, Statement.now) {
		return nil
	}
	for n := w.after[""].view.version; n < v.version; n++ {
		s, err := snapshot.Load(ctx, newEnv(nil), v.snap.Bucket(), snapshot.Version(n))
		if err == nil {
			_, err = tablekit.Rows(ctx, s)
		}
		if err != nil {
			return fmt.Errorf("version %d was to be kept: %w", n, err)
		}
	}
	return nil
}

// nameOf names what statements come to.
func nameOf(list []Statement) (name string) {
	for _, s := range list {
		name += "|" + s.Name
	}
	return name
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
	if !slices.Equal(got.view.plain, want.view.plain) {
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
