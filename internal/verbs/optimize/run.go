package optimize

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/observe"
)

// Result is what a run did.
type Result struct {
	Plan    *Plan // as of the first look at the table
	Summary Summary
	Commits []txn.Result
	Winners []txn.Reconciliation
	twice   int64 // bytes written for runs that came to nothing
	Runs    int
}

// Last is the newest commit; what was read when there was none.
func (r *Result) Last() txn.Result {
	if n := len(r.Commits); n > 0 {
		return r.Commits[n-1]
	}
	return txn.Result{Version: r.Plan.Version}
}

// StoppedError is a run that ended between its commits: those that were made stand,
// and the rest of the table is as it was.
type StoppedError struct {
	Commits  int
	Versions []int64
	Err      error
}

func (e *StoppedError) Error() string {
	if e.Commits == 0 {
		return "the table is as it was: " + e.Err.Error()
	}
	commits := "1 commit"
	if e.Commits > 1 {
		commits = fmt.Sprintf("%d commits", e.Commits)
	}
	cause := e.Err
	for _, end := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(cause, end) {
			cause = end // where the run was is of no interest, and that nothing came of that commit would mislead
		}
	}
	return fmt.Sprintf("stopped after %s (%s); what they did stands, the rest of the table is as it was, and another run does what is left: %v", commits, stretches(e.Versions), cause)
}

// stretches writes ascending versions in short: version 3, or versions 3 to 5 and 7.
func stretches(versions []int64) string {
	var parts []string
	for i := 0; i < len(versions); {
		j := i
		for j+1 < len(versions) && versions[j+1] == versions[j]+1 {
			j++
		}
		if part := fmt.Sprint(versions[i]); j == i {
			parts = append(parts, part)
		} else {
			parts = append(parts, fmt.Sprintf("%d to %d", versions[i], versions[j]))
		}
		i = j + 1
	}
	word := "versions "
	if len(versions) == 1 {
		word = "version "
	}
	if n := len(parts); n > 1 {
		return word + strings.Join(parts[:n-1], ", ") + " and " + parts[n-1]
	}
	return word + strings.Join(parts, "")
}

// Unwrap returns the cause.
func (e *StoppedError) Unwrap() error { return e.Err }

// Look plans on a snapshot, with what footers have to say.
func Look(ctx context.Context, s *snapshot.Snapshot, spec Spec, o Options) (*Plan, error) {
	var dropped map[string]bool
	if spec.Purge {
		var err error
		if dropped, err = droppedColumns(ctx, s, spec, o); err != nil {
			return nil, err
		}
	}
	return NewPlan(spec, s, o.Expr, dropped)
}

// maxRuns bounds how often a run is planned anew: each time, another writer has
// changed the table's metadata in between.
const maxRuns = 50

// Run plans and carries out, until nothing is left to do. The result tells what
// was committed also when there is an error.
func Run(ctx context.Context, l *txn.Log, spec Spec, o Options) (Result, error) {
	o.Expr = o.Expr.At(l.Env().Now())
	var res Result
	for res.Runs < maxRuns {
		res.Runs++
		s, err := l.Update(ctx)
		if err != nil {
			return res, stopped(&res, err)
		}
		p, err := Look(ctx, s, spec, o)
		if err != nil {
			return res, stopped(&res, err)
		}
		if res.Plan == nil {
			res.Plan = p
		}
		again, err := carryOut(ctx, l, s, p, &o, &res)
		if err != nil {
			return res, stopped(&res, err)
		}
		if !again {
			return res, nil
		}
	}
	return res, stopped(&res, fmt.Errorf("[DELTA_METADATA_CHANGED] the metadata of %s changed %d times meanwhile", l.Bucket().URL(), maxRuns))
}

// stopped says what stands when an error comes between commits.
func stopped(res *Result, err error) error {
	var versions []int64
	for _, c := range res.Commits {
		versions = append(versions, c.Version)
	}
	if len(versions) == 0 {
		return err
	}
	return &StoppedError{len(versions), versions, err}
}

// carryOut does the bins of a plan, one commit for each batch.
func carryOut(ctx context.Context, l *txn.Log, s *snapshot.Snapshot, p *Plan, o *Options, res *Result) (again bool, err error) {
	bar := newProgress(l, p)
	for i, bins := range p.batches() {
		if i > 0 { // behind the commit before, and whatever came in between
			if s, err = l.Update(ctx); err != nil {
				return false, err
			}
			if s.Metadata() != nil && !sameShape(s, p) {
				return true, nil
			}
			bins = left(bins, s, p.Spec)
		}
		if len(bins) == 0 {
			continue
		}
		if again, err = commit(ctx, l, s, p, bins, bar, o, res); err != nil || again {
			return again, err
		}
	}
	return false, nil
}

// sameShape reports whether the table still has the schema that the plan's version had.
func sameShape(s *snapshot.Snapshot, p *Plan) bool { return s.Metadata().SchemaString == p.schema }

// left is what of the bins another writer has not taken.
func left(bins []*Bin, s *snapshot.Snapshot, spec Spec) (out []*Bin) {
	files := s.Files()
	for _, b := range bins {
		still := *b
		still.Files, still.Bytes = nil, 0
		for _, a := range b.Files {
			if i, ok := files.Find(a.Path, a.DeletionVector.ID()); ok {
				still.add(files.Add(i))
			}
		}
		if len(still.Files) == len(b.Files) || len(still.Files) > 1 || len(still.Files) == 1 && (b.Sort != nil || spec.Purge || still.Files[0].DeletionVector != nil) {
			out = append(out, &still)
		}
	}
	return out
}

// commit carries out bins and publishes them.
func commit(ctx context.Context, l *txn.Log, s *snapshot.Snapshot, p *Plan, bins []*Bin, bar *progress, o *Options, res *Result) (again bool, err error) {
	t, err := l.BeginAt(s)
	if err != nil {
		return false, err
	}
	defer t.Abandon()
	w := &work{m: newMover(l.Env(), s, p.Spec.TargetSize, bar.add), plan: p, note: o.UserMetadata, predicate: p.where}
	committed := false
	defer func() { w.discard(context.WithoutCancel(ctx), committed) }()
	if err := w.moveAll(ctx, bins); err != nil {
		return false, err
	}
	w.m.done = nil
	done, err := t.CommitWork(ctx, w, o.Commit)
	res.twice += done.WrittenTwice
	res.Winners = append(res.Winners, done.Winners...)
	var unknown *txn.UnknownError
	committed = done.Committed || errors.As(err, &unknown) // files that may be in the table stay
	if err != nil {
		return false, err
	}
	o.Commit.BeforePublish = nil
	if done.Committed {
		done.WrittenTwice, res.twice = res.twice, 0
		res.Commits = append(res.Commits, done)
		res.Summary.plus(w.sum)
	}
	return done.Again, nil
}

// moveAll carries out bins side by side.
func (w *work) moveAll(ctx context.Context, bins []*Bin) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	workers := min(max(1, w.m.env.Workers), len(bins))
	w.m.share = workers
	next := make(chan int)
	jobs, errs := make([]*job, len(bins)), make([]error, len(bins))
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for i := range next {
				if jobs[i], errs[i] = w.m.move(ctx, bins[i]); errs[i] != nil {
					cancel()
				}
			}
		})
	}
	for i := range bins {
		next <- i
	}
	close(next)
	group.Wait()
	var first error
	for i, j := range jobs {
		switch {
		case errs[i] == nil:
			w.jobs = append(w.jobs, j)
			w.written = append(w.written, j.files()...)
		case first == nil || errors.Is(first, context.Canceled):
			first = errs[i]
		}
	}
	return first
}

// progress tells the listener how many bytes of the inputs are done.
type progress struct {
	mu    sync.Mutex
	event observe.Progress
	fn    func(observe.Progress)
}

func newProgress(l *txn.Log, p *Plan) *progress {
	name := "optimize"
	if p.Spec.Purge {
		name = "reorg"
	}
	return &progress{fn: l.Env().Listener.Progress, event: observe.Progress{Table: l.Bucket().URL(), Phase: name, Total: p.Chosen().Bytes, Unit: "bytes"}}
}

func (p *progress) add(bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.event.Done = min(p.event.Done+bytes, p.event.Total)
	if p.fn != nil {
		p.fn(p.event)
	}
}
