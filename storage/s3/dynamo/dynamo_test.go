package dynamo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
	"github.com/sluicelake/sluice/storage/storetest"
)

// table is DynamoDB in memory.
type table struct {
	mu    sync.Mutex
	items map[[2]string]Entry
}

func newTable() *table { return &table{items: map[[2]string]Entry{}} }

func (t *table) Describe() string { return "the table delta_log" }

func (t *table) Get(_ context.Context, path, name string) (Entry, bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, ok := t.items[[2]string{path, name}]
	return e, ok, nil
}

func (t *table) Latest(_ context.Context, path string) (e Entry, ok bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for k, v := range t.items {
		if k[0] == path && v.FileName > e.FileName {
			e, ok = v, true
		}
	}
	return e, ok, nil
}

func (t *table) PutIfAbsent(_ context.Context, e Entry) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := [2]string{e.TablePath, e.FileName}
	if _, there := t.items[k]; there {
		return storage.ErrExist
	}
	t.items[k] = e
	return nil
}

func (t *table) Put(_ context.Context, e Entry) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.items[[2]string{e.TablePath, e.FileName}] = e
	return nil
}

// dump is the table in its golden form: uuids and the time of writing are masked.
func (t *table) dump(now time.Time) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var lines []string
	for _, e := range t.items {
		temp := e.TempPath
		if i := strings.LastIndexByte(temp, '.'); i > 0 {
			if _, err := uuid.Parse(temp[i+1:]); err == nil {
				temp = temp[:i] + ".UUID"
			}
		}
		expires := "-"
		if e.ExpireTime != 0 {
			expires = fmt.Sprintf("+%ds", e.ExpireTime-now.Unix())
		}
		lines = append(lines, fmt.Sprintf("%s %s %s %v %s", e.TablePath, e.FileName, temp, e.Complete, expires))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func path(scheme, below string) string {
	return scheme + "://bucket/" + strings.Trim("root/"+below, "/")
}

func newStore(d storage.Driver, t Entries, schemes ...string) *Store {
	if schemes == nil {
		schemes = []string{"s3", "s3a"}
	}
	return New(d, t, Options{Path: path, Schemes: schemes, Now: func() time.Time { return now }})
}

func put(t *testing.T, d storage.Driver, v int64, text string) {
	t.Helper()
	if err := d.PutIfAbsent(t.Context(), logDir+commitName(v), []byte(text)); err != nil {
		t.Fatalf("version %d: %v", v, err)
	}
}

// log is what a listing shows and the contents, by version.
func log(t *testing.T, d storage.Driver) string {
	t.Helper()
	var out []string
	for o, err := range d.List(t.Context(), logDir, logDir+"0") {
		if err != nil {
			t.Fatal(err)
		}
		data, _, err := d.Get(t.Context(), o.Key)
		if err != nil {
			t.Fatal(err)
		}
		v, _ := leading(strings.TrimPrefix(o.Key, logDir))
		out = append(out, fmt.Sprintf("%d=%s", v, data))
	}
	return strings.Join(out, " ")
}

func TestSuite(t *testing.T) {
	tables := map[storage.Driver]*table{}
	places := map[storage.Driver]storage.Driver{}
	var mu sync.Mutex
	add := func(below storage.Driver, entries *table) storage.Driver {
		mu.Lock()
		defer mu.Unlock()
		d := newStore(below, entries)
		tables[d], places[d] = entries, below
		return d
	}
	storetest.Run(t, storetest.Subject{
		New:     func(*testing.T) storage.Driver { return add(memory.New(), newTable()) },
		Again:   func(_ *testing.T, d storage.Driver) storage.Driver { return add(places[d], tables[d]) },
		Writers: 32,
	})
}

// The items of a run, as delta-spark writes them.
func TestGoldenItems(t *testing.T) {
	entries := newTable()
	s := newStore(memory.New(), entries, "s3a")
	put(t, s, 0, "zero")
	put(t, s, 1, "one")
	want := `s3a://bucket/root 00000000000000000000.json .tmp/00000000000000000000.json.UUID true +86400s
s3a://bucket/root 00000000000000000001.json .tmp/00000000000000000001.json.UUID true +86400s`
	if got := entries.dump(now); got != want {
		t.Errorf("items:\n%s\nwant:\n%s", got, want)
	}
	if err := s.PutIfAbsent(t.Context(), logDir+commitName(1), []byte("again")); !errors.Is(err, storage.ErrExist) {
		t.Errorf("a taken version: %v", err)
	}
	// Below the root of the driver, and files of no log.
	if err := s.PutIfAbsent(t.Context(), "a/b c/"+logDir+commitName(0), nil); err != nil {
		t.Fatal(err)
	}
	if err := s.PutIfAbsent(t.Context(), "part-1.parquet", nil); err != nil {
		t.Fatal(err)
	}
	if err := s.PutHint(t.Context(), logDir+"00000000000000000001.crc", nil); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(entries.dump(now), "s3a://bucket/root/a/b c 00000000000000000000.json") || len(entries.items) != 3 {
		t.Errorf("items:\n%s", entries.dump(now))
	}
}

// spark commits as delta-spark does, and dies behind a step: 2 temporary file,
// 3 entry, 4 copy, 5 completed. It shares no code with the package.
func spark(t *testing.T, d storage.Driver, entries *table, scheme string, v int64, text string, dies int) {
	t.Helper()
	ctx := t.Context()
	name := fmt.Sprintf("%020d.json", v)
	if _, err := d.Stat(ctx, "_delta_log/"+name); err == nil {
		t.Fatalf("spark: %s exists", name)
	}
	if v > 0 {
		before := fmt.Sprintf("%020d.json", v-1)
		e, ok, _ := entries.Get(ctx, path(scheme, ""), before)
		if ok && !e.Complete {
			sparkFix(t, d, entries, e)
		} else if _, err := d.Stat(ctx, "_delta_log/"+before); err != nil {
			t.Fatalf("spark: previous commit %s doesn't exist: %v", before, err)
		}
	}
	e := Entry{TablePath: path(scheme, ""), FileName: name, TempPath: ".tmp/" + name + "." + uuid.NewString()}
	if err := d.Put(ctx, "_delta_log/"+e.TempPath, []byte(text)); err != nil {
		t.Fatal(err)
	}
	if dies == 2 {
		return
	}
	if err := entries.PutIfAbsent(ctx, e); err != nil {
		t.Fatalf("spark: %v", err)
	}
	if dies == 3 {
		return
	}
	if err := d.Put(ctx, "_delta_log/"+name, []byte(text)); err != nil {
		t.Fatal(err)
	}
	if dies == 4 {
		return
	}
	e.Complete, e.ExpireTime = true, now.Unix()+86400
	_ = entries.Put(ctx, e)
}

func sparkFix(t *testing.T, d storage.Driver, entries *table, e Entry) {
	t.Helper()
	if _, err := d.Stat(t.Context(), "_delta_log/"+e.FileName); err != nil {
		data, _, err := d.Get(t.Context(), "_delta_log/"+e.TempPath)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Put(t.Context(), "_delta_log/"+e.FileName, data); err != nil {
			t.Fatal(err)
		}
	}
	e.Complete, e.ExpireTime = true, now.Unix()+86400
	_ = entries.Put(t.Context(), e)
}

// Spark dies behind each step; sluice lists, reads or writes next.
func TestForeignCrash(t *testing.T) {
	for dies, committed := range map[int]bool{2: false, 3: true, 4: true, 5: true} {
		for _, how := range []string{"list", "get", "stat", "write"} {
			t.Run(fmt.Sprintf("behind step %d, then %s", dies, how), func(t *testing.T) {
				below, entries := memory.New(), newTable()
				spark(t, below, entries, "s3a", 0, "s0", 5)
				spark(t, below, entries, "s3a", 1, "s1", dies)
				s := newStore(below, entries)
				key, next := logDir+commitName(1), int64(2)
				if !committed {
					next = 1
				}
				switch how {
				case "list":
					log(t, s)
				case "get":
					if data, _, err := s.Get(t.Context(), key); committed && string(data) != "s1" || !committed && !errors.Is(err, storage.ErrNotExist) {
						t.Errorf("Get: %s, %v", data, err)
					}
				case "stat":
					if _, err := s.Stat(t.Context(), key); (err == nil) != committed {
						t.Errorf("Stat: %v", err)
					}
				}
				put(t, s, next, "ours")
				want := "0=s0 1=s1 2=ours"
				if !committed {
					want = "0=s0 1=ours"
				}
				if got := log(t, below); got != want {
					t.Errorf("log %s, want %s", got, want)
				}
				for _, line := range strings.Split(entries.dump(now), "\n") {
					if !strings.HasPrefix(line, "s3a://bucket/root ") || !strings.HasSuffix(line, "true +86400s") {
						t.Errorf("entry %s", line)
					}
				}
				spark(t, below, entries, "s3a", next+1, "s", 5) // and Spark goes on
			})
		}
	}
}

// mortal fails every call from its n-th effect on.
type mortal struct {
	storage.Driver
	*table
	left *int
}

var errDead = errors.New("the process has ended")

func (m mortal) effect() error {
	if *m.left--; *m.left < 0 {
		return errDead
	}
	return nil
}

func (m mortal) Put(ctx context.Context, key string, data []byte) error {
	return errors.Join(m.effect(), m.do(func() error { return m.Driver.Put(ctx, key, data) }))
}

func (m mortal) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	return errors.Join(m.effect(), m.do(func() error { return m.Driver.PutIfAbsent(ctx, key, data) }))
}

func (m mortal) Delete(ctx context.Context, key string) error {
	return errors.Join(m.effect(), m.do(func() error { return m.Driver.Delete(ctx, key) }))
}

func (m mortal) do(f func() error) error {
	if *m.left < 0 {
		return nil
	}
	return f()
}

func (m mortal) Get(ctx context.Context, key string) ([]byte, storage.Object, error) {
	return m.Driver.Get(ctx, key)
}

func (m mortal) Describe() map[string]string { return nil }

// mortalEntries is the same for the table.
type mortalEntries struct {
	*table
	m mortal
}

func (e mortalEntries) PutIfAbsent(ctx context.Context, x Entry) error {
	return errors.Join(e.m.effect(), e.m.do(func() error { return e.table.PutIfAbsent(ctx, x) }))
}

func (e mortalEntries) Put(ctx context.Context, x Entry) error {
	return errors.Join(e.m.effect(), e.m.do(func() error { return e.table.Put(ctx, x) }))
}

// sluice dies behind each step; Spark recovers, and so does another sluice.
func TestOwnCrash(t *testing.T) {
	for effects, committed := range []bool{false, false, true, true, true} { // behind nothing, temp, entry, copy, completed
		for _, by := range []string{"spark", "sluice"} {
			t.Run(fmt.Sprintf("after %d effects, then %s", effects, by), func(t *testing.T) {
				below, entries := memory.New(), newTable()
				spark(t, below, entries, "s3a", 0, "s0", 5)
				left := effects
				m := mortal{below, entries, &left}
				err := newStore(m, mortalEntries{entries, m}).PutIfAbsent(t.Context(), logDir+commitName(1), []byte("ours"))
				if (err == nil) != committed {
					t.Errorf("the writer was told %v", err)
				}
				next := int64(1)
				want := "0=s0 1=next"
				if committed {
					next, want = 2, "0=s0 1=ours 2=next"
				}
				if by == "spark" {
					spark(t, below, entries, "s3a", next, "next", 5)
				} else {
					put(t, newStore(below, entries), next, "next")
				}
				if got := log(t, below); got != want {
					t.Errorf("log %s, want %s", got, want)
				}
			})
		}
	}
}

// The answer to the deciding put is lost, before or behind its effect.
type forgetful struct {
	*table
	before, behind int // how many calls lose their answer so
}

func (f *forgetful) PutIfAbsent(ctx context.Context, e Entry) error {
	if f.before > 0 {
		f.before--
		return storage.ErrOutcomeUnknown
	}
	err := f.table.PutIfAbsent(ctx, e)
	if f.behind > 0 {
		f.behind--
		return storage.ErrOutcomeUnknown
	}
	return err
}

// echo sends each put twice.
type echo struct{ *table }

func (e echo) PutIfAbsent(ctx context.Context, x Entry) error {
	_ = e.table.PutIfAbsent(ctx, x)
	return e.table.PutIfAbsent(ctx, x)
}

func TestUnknown(t *testing.T) {
	for name, f := range map[string]*forgetful{"lost request": {before: 1}, "lost answer": {behind: 1}, "both": {before: 2, behind: 1}} {
		t.Run(name, func(t *testing.T) {
			f.table = newTable()
			s := newStore(memory.New(), f)
			put(t, s, 0, "ours")
			if got := log(t, s); got != "0=ours" {
				t.Errorf("log %s", got)
			}
		})
	}
	// The request arrives twice, and the second answer comes back.
	s := newStore(memory.New(), echo{newTable()})
	put(t, s, 0, "ours")
	put(t, s, 1, "ours too")
	if got := log(t, s); got != "0=ours 1=ours too" {
		t.Errorf("log %s", got)
	}
	// Another writer was faster.
	f := &forgetful{table: newTable()}
	below := memory.New()
	spark(t, below, f.table, "s3", 0, "s0", 5)
	spark(t, below, f.table, "s3", 1, "s1", 3)
	f.before = 1
	if err := newStore(below, f).PutIfAbsent(t.Context(), logDir+commitName(1), []byte("ours")); !errors.Is(err, storage.ErrExist) {
		t.Errorf("a taken version: %v", err)
	}
	f.before = 100
	err := newStore(memory.New(), f).PutIfAbsent(t.Context(), "other/"+logDir+commitName(0), nil)
	if !errors.Is(err, storage.ErrOutcomeUnknown) {
		t.Errorf("nobody knows: %v", err)
	}
}

// Both key spaces: the one that is in use is taken, both are refused.
func TestKeySpaces(t *testing.T) {
	below, entries := memory.New(), newTable()
	spark(t, below, entries, "s3a", 0, "s0", 5)
	s := newStore(below, entries, "s3", "s3a")
	put(t, s, 1, "ours")
	if d := entries.dump(now); strings.Contains(d, "s3://") {
		t.Errorf("entries under a scheme that nobody uses:\n%s", d)
	}
	// Spark appears under the other scheme while a handle is open.
	below, entries = memory.New(), newTable()
	s = newStore(below, entries, "s3", "s3a")
	put(t, s, 0, "ours")
	spark(t, below, entries, "s3a", 1, "s1", 5)
	err := s.PutIfAbsent(t.Context(), logDir+commitName(2), nil)
	if !errors.Is(err, storage.ErrUnsupported) || !strings.Contains(err.Error(), "dynamodb-scheme") {
		t.Errorf("two schemes, an old handle: %v", err)
	}
	err = newStore(below, entries).PutIfAbsent(t.Context(), logDir+commitName(2), nil)
	if !errors.Is(err, storage.ErrUnsupported) || !strings.Contains(err.Error(), "s3 and s3a") {
		t.Errorf("two schemes, a new handle: %v", err)
	}
	fixed := New(below, entries, Options{Path: path, Schemes: []string{"s3a", "s3"}, Fixed: true, Now: func() time.Time { return now }})
	put(t, fixed, 2, "ours")
}

// Signs of writers that go another way.
func TestMixed(t *testing.T) {
	below, entries := memory.New(), newTable()
	s := newStore(below, entries)
	put(t, s, 0, "ours")
	put(t, below, 1, "without an entry")
	if err := s.PutIfAbsent(t.Context(), logDir+commitName(2), nil); !errors.Is(err, storage.ErrUnsupported) || !strings.Contains(err.Error(), "without entries") {
		t.Errorf("a commit without an entry: %v", err)
	}
	mixed := New(below, entries, Options{Path: path, Schemes: []string{"s3"}, Mixed: true})
	put(t, mixed, 2, "ours")

	// Expired entries, and tables that are older than the entries, are no sign.
	later := New(below, newTable(), Options{Path: path, Schemes: []string{"s3"}})
	put(t, later, 3, "ours")

	// The copy meets other bytes under the name: somebody wrote around the entries.
	below, entries = memory.New(), newTable()
	around := &racing{Driver: below}
	if err := newStore(around, entries).PutIfAbsent(t.Context(), logDir+commitName(0), []byte("ours")); !errors.Is(err, storage.ErrExist) {
		t.Errorf("written around: %v", err)
	}

	g := NewGuard(memory.New())
	put(t, g, 0, "plain")
	put(t, g, 1, "plain")
	spark(t, g.Driver, newTable(), "s3a", 2, "s2", 5)
	if err := g.PutIfAbsent(t.Context(), logDir+commitName(3), nil); !errors.Is(err, storage.ErrUnsupported) || !strings.Contains(err.Error(), "log-store=dynamodb") {
		t.Errorf("plain puts beside entries: %v", err)
	}
	for v := int64(3); v < 14; v++ {
		put(t, g.Driver, v, "others")
	}
	put(t, g, 14, "plain") // the log store was left long ago
}

// racing lets another writer win each commit at the last moment.
type racing struct{ storage.Driver }

func (r *racing) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	if err := r.Driver.Put(ctx, key, []byte("another")); err != nil {
		return err
	}
	return r.Driver.PutIfAbsent(ctx, key, data)
}

func TestOldEntries(t *testing.T) {
	below, entries := memory.New(), newTable()
	s := newStore(below, entries)
	put(t, s, 0, "ours")
	if err := below.Delete(t.Context(), logDir+commitName(0)); err != nil {
		t.Fatal(err)
	}
	if err := s.PutIfAbsent(t.Context(), logDir+commitName(0), nil); err == nil || !strings.Contains(err.Error(), "old entries of s3://bucket/root still exist") {
		t.Errorf("version 0 over old entries: %v", err)
	}
	if err := s.PutIfAbsent(t.Context(), logDir+commitName(2), nil); !errors.Is(err, storage.ErrNotExist) {
		t.Errorf("a commit that leaves a gap: %v", err)
	}
	// A temporary file that is gone.
	below, entries = memory.New(), newTable()
	spark(t, below, entries, "s3", 0, "s0", 3)
	for o := range below.List(t.Context(), logDir+".tmp/", "") {
		_ = below.Delete(t.Context(), o.Key)
	}
	var last error
	for _, err := range newStore(below, entries).List(t.Context(), logDir, "") {
		last = err
	}
	if last == nil || !strings.Contains(last.Error(), "is gone") {
		t.Errorf("a temporary file that is gone: %v", last)
	}
}
