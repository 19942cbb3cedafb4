package smallworld

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/proof/tablekit"
	"github.com/sluicelake/sluice/internal/sql/parse"
	"github.com/sluicelake/sluice/internal/sql/session"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/observe"
	"github.com/sluicelake/sluice/storage"
)

// program is a process that stays: its handle is warm.
type program struct {
	env     *env.Env
	log     *txn.Log
	session *session.Session
}

func newProgram(e *env.Env, d storage.Driver) *program {
	p := &program{env: e, log: txn.NewLog(e, storage.NewBucket(d), txn.Policy{NoChecksum: true, NoCheckpoint: true}), session: session.New(session.World{Env: e})}
	p.session.AddLog("t", p.log)
	return p
}

func (p *program) say(ctx context.Context, sql string) (*session.Result, error) {
	st, err := parse.One(sql)
	if err != nil {
		return nil, err
	}
	return p.session.Exec(ctx, st)
}

// pulse is the store of a long statement beside a stream: each of its calls takes a
// millisecond, and the stream, which is another process, commits each time so many
// calls have gone by, unless it sleeps.
type pulse struct {
	storage.Driver
	ctx    context.Context
	every  int
	limit  int
	stream func() error

	mu      sync.Mutex
	clock   *tablekit.Clock
	calls   int
	due     int
	asleep  bool
	wake    time.Time
	start   chan struct{} // the stream goes on
	paused  chan error    // the stream has committed, or sleeps
	commits int
	broken  error
}

var errNoEnd = errors.New("the statement takes too long")

func newPulse(ctx context.Context, d storage.Driver, every int) *pulse {
	return &pulse{Driver: d, ctx: ctx, every: every, due: every, limit: 5000, clock: tablekit.NewClock(time.Unix(1700000000, 0)), start: make(chan struct{}), paused: make(chan error)}
}

// sleeping is what the stream says instead of an error.
var errSleeping = errors.New("sleeping")

// run is the stream.
func (p *pulse) run() {
	for {
		select {
		case <-p.start:
		case <-p.ctx.Done():
			return
		}
		err := p.stream()
		select {
		case p.paused <- err:
		case <-p.ctx.Done():
			return
		}
	}
}

// rest is how the stream sleeps.
func (p *pulse) rest(ctx context.Context, d time.Duration) error {
	p.wake = p.clock.Now().Add(d) // the long statement waits for what comes now
	select {
	case p.paused <- errSleeping:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-p.start:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *pulse) tick(n int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range n {
		p.calls++
		p.clock.Pass(time.Millisecond)
		for p.broken == nil && (p.asleep && !p.clock.Now().Before(p.wake) || !p.asleep && p.calls >= p.due) {
			p.start <- struct{}{}
			err := <-p.paused
			if p.asleep = errors.Is(err, errSleeping); !p.asleep {
				p.due, p.broken = p.calls+p.every, err
				p.commits++
			}
		}
	}
	if p.calls > p.limit {
		return errNoEnd
	}
	return p.broken
}

func (p *pulse) Get(ctx context.Context, key string) ([]byte, storage.Object, error) {
	if err := p.tick(1); err != nil {
		return nil, storage.Object{}, err
	}
	data, obj, err := p.Driver.Get(ctx, key)
	obj.ModTime = p.clock.Now()
	return data, obj, err
}

func (p *pulse) GetRange(ctx context.Context, key string, from, n int64) ([]byte, error) {
	if err := p.tick(1); err != nil {
		return nil, err
	}
	return p.Driver.GetRange(ctx, key, from, n)
}

func (p *pulse) Put(ctx context.Context, key string, data []byte) error {
	if err := p.tick(1); err != nil {
		return err
	}
	return p.Driver.Put(ctx, key, data)
}

func (p *pulse) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	if err := p.tick(1); err != nil {
		return err
	}
	return p.Driver.PutIfAbsent(ctx, key, data)
}

func (p *pulse) Create(ctx context.Context, key string) (storage.Writer, error) {
	if err := p.tick(1); err != nil {
		return nil, err
	}
	return p.Driver.Create(ctx, key)
}

// A MERGE comes through a stream of another process whose commits are less apart
// than what the MERGE does behind one: it asks for time, and gets it.
func TestLongMergeReserves(t *testing.T) {
	for name, properties := range map[string]map[string]string{
		"vectors":       {"delta.enableDeletionVectors": "true"},
		"copy on write": {"delta.enableDeletionVectors": "false"},
		"everything": {"delta.enableDeletionVectors": "true", "delta.enableRowTracking": "true", "delta.enableChangeDataFeed": "true",
			"delta.feature.inCommitTimestamp": "supported", "delta.enableInCommitTimestamps": "true"},
	} {
		for _, every := range []int{3, 4, 5, 6, 7, 9, 12, 16, 25} {
			t.Run(fmt.Sprintf("%s, a commit every %d calls", name, every), func(t *testing.T) { comesThrough(t, properties, every) })
		}
	}
}

func comesThrough(t *testing.T, properties map[string]string, every int) {
	ctx, cancel := context.WithCancel(t.Context())
	const rows, other = 40, 6
	files := make([][]string, 1)
	for i := range rows {
		files[0] = append(files[0], fmt.Sprintf(`{"k":%d,"v":0}`, i))
	}
	for i := range other {
		files = append(files, []string{fmt.Sprintf(`{"k":%d,"v":0}`, 100+i)})
	}
	store := tablekit.Place()
	kit := tablekit.New(t, tablekit.Spec{DDL: "k INT, v INT", Properties: properties, Driver: store, Files: files,
		Env: newEnv(nil), Policy: txn.Policy{NoChecksum: true, NoCheckpoint: true}})
	p := newPulse(ctx, store, every)
	theirs := newEnv(&observe.Listener{})
	theirs.Now, theirs.Sleep, theirs.Workers = p.clock.Now, p.rest, 1
	gaveWay := 0
	theirs.Listener.Waited = func(w observe.Waited) { gaveWay++ }
	stream := newProgram(theirs, &elsewhere{store, store.URL() + "/stream"})
	n := 0
	p.stream = func() error {
		n++
		_, err := stream.say(ctx, fmt.Sprintf("UPDATE t SET v = v + 1 WHERE k = %d", n%rows))
		return err
	}
	var wg sync.WaitGroup
	wg.Go(p.run)
	defer wg.Wait()
	defer cancel()

	attempts, reserved := 0, 0
	mine := newEnv(&observe.Listener{Attempt: func(observe.Attempt) { attempts++ }, Reserved: func(observe.Reserved) { reserved++ }})
	mine.Now, mine.Workers = p.clock.Now, 1
	mine.Sleep = func(ctx context.Context, d time.Duration) error {
		return errors.Join(p.tick(1+int(d/time.Millisecond)), ctx.Err())
	}
	r, err := newProgram(mine, p).say(ctx, "MERGE INTO t USING (SELECT 1 AS k, 5 AS v) s ON t.k = s.k WHEN MATCHED THEN UPDATE SET v = t.v + s.v WHEN NOT MATCHED BY SOURCE THEN UPDATE SET v = t.v + 1000")
	t.Logf("%d calls, %d attempts, %d reservations; %d commits of the stream, which gave way %d times", p.calls, attempts, reserved, p.commits, gaveWay)
	if err != nil || !r.Commit.Committed {
		t.Fatal(err)
	}
	if attempts > 12 || reserved > 2 {
		t.Errorf("%d attempts, %d reservations", attempts, reserved)
	}
	if twice := r.Commit.WrittenTwice; twice > 0 && attempts == 1 {
		t.Errorf("%d bytes written twice", twice)
	}
	// Each row has what both have done to it.
	sum := 0
	for _, text := range kit.Rows(t) {
		var k, v int
		if _, err := fmt.Sscanf(strings.TrimSpace(text), `{"k":%d,"v":%d}`, &k, &v); err != nil {
			t.Fatal(err)
		}
		sum += v
	}
	if want := (rows+other-1)*1000 + 5 + p.commits; sum != want {
		t.Errorf("the values add up to %d, want %d", sum, want)
	}
}
