package lake

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/internal/proof/servers"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
	"github.com/sluicelake/sluice/storage/tracestore"
	"github.com/sluicelake/sluice/types"
)

var update = flag.Bool("update", false, "rewrite the golden budgets")

// meter is a store whose requests are counted by what they ask for.
type meter struct {
	url    string
	direct *storage.Bucket // is not counted
	metred *storage.Bucket

	mu    sync.Mutex
	count map[string]int
}

func (m *meter) note(what, key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.count[what+" "+kindOf(key)]++
}

// take gives what was counted since the last call, as text.
func (m *meter) take() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var b strings.Builder
	total := 0
	for _, k := range slices.Sorted(maps.Keys(m.count)) {
		op, kind, _ := strings.Cut(k, " ")
		fmt.Fprintf(&b, "%3d  %-14s %s\n", m.count[k], op, kind)
		total += m.count[k]
	}
	m.count = map[string]int{}
	return fmt.Sprintf("%3d  in all\n%s", total, b.String())
}

var kinds = []struct {
	name    string
	pattern *regexp.Regexp
}{
	{"the log", regexp.MustCompile(`_delta_log/?$`)},
	{"the hint of the last checkpoint", regexp.MustCompile(`_last_checkpoint$`)},
	{"a sidecar", regexp.MustCompile(`_sidecars/`)},
	{"a checkpoint", regexp.MustCompile(`\.checkpoint\.`)},
	{"a checksum", regexp.MustCompile(`\.crc$`)},
	{"a commit", regexp.MustCompile(`_delta_log/\d{20}\.json$`)},
	{"a deletion vector", regexp.MustCompile(`deletion_vector_.*\.bin$`)},
	{"temporary files of Spark's log store", regexp.MustCompile(`_delta_log/\.tmp$`)},
	{"a batch of deletions", regexp.MustCompile(`^batch$`)},
	{"what the last VACUUM left", regexp.MustCompile(`_last_vacuum_info$`)},
	{"clones of the table", regexp.MustCompile(`_sluice_clones/?$`)},
	{"the table", regexp.MustCompile(`^t?$`)},
	{"a data file", regexp.MustCompile(`\.parquet$`)},
}

// kindOf says what a key holds, for people.
func kindOf(key string) string {
	for _, k := range kinds {
		if k.pattern.MatchString(key) {
			return k.name
		}
	}
	return "something else: " + key
}

// elsewhere is a store under another address, so that handles on it are another
// process to those on the store: they share no memory.
type elsewhere struct {
	storage.Driver
	url string
}

func (e elsewhere) URL() string { return e.url }

// onMemory counts calls of a store that is as far away as a network.
func onMemory(t *testing.T) *meter {
	const url = "far://lake/t"
	m := &meter{url: url, count: map[string]int{}}
	d := memory.New(memory.WithURL(url))
	traced := tracestore.New(d, tracestore.AsFar(), tracestore.WithNote(func(e tracestore.Entry) {
		what := strings.ToUpper(e.Op)
		switch e.Op {
		case "get", "get-range":
			what = "GET"
		case "put-if-absent", "put", "create":
			what = "PUT"
		case "stat":
			what = "HEAD"
		}
		m.note(what, e.Key)
	}))
	m.direct, m.metred = storage.NewBucket(elsewhere{d, "far://elsewhere/t"}), storage.NewBucket(traced)
	return m
}

// overHTTP counts the requests that reach a server. list tells listings.
func (m *meter) overHTTP(t *testing.T, target string, list func(*http.Request) (prefix string, ok bool), options func(endpoint string) []storage.Option) *meter {
	m.count = map[string]int{}
	p := servers.StartProxy(t, target, func(r *http.Request) servers.Fault {
		if q := r.URL.Query(); q.Has("delete") || q.Get("comp") == "batch" {
			m.note("POST", "batch")
			return servers.None
		}
		if prefix, ok := list(r); ok {
			m.note("LIST", strings.TrimSuffix(prefix, "/"))
			return servers.None
		}
		m.note(r.Method, r.URL.Path)
		return servers.None
	})
	open := func(endpoint string) *storage.Bucket {
		b, err := storage.Open(t.Context(), m.url, options(endpoint)...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = b.Close() })
		return b
	}
	m.direct, m.metred = storage.NewBucket(elsewhere{open(target).Driver(), "far://elsewhere/t"}), open(p.URL)
	return m
}

func onS3(t *testing.T) *meter {
	s := servers.StartS3(t)
	s.MakeBucket(t, "lake")
	m := &meter{url: "s3://lake/t"}
	return m.overHTTP(t, s.Endpoint, func(r *http.Request) (string, bool) {
		q := r.URL.Query()
		return q.Get("prefix"), q.Has("list-type")
	}, s.OptionsAt)
}

func onAzurite(t *testing.T) *meter {
	endpoint := servers.StartAzurite(t, "lake", nil)
	u, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	m := &meter{url: "az://lake/t"}
	return m.overHTTP(t, u.Scheme+"://"+u.Host, func(r *http.Request) (string, bool) {
		q := r.URL.Query()
		return q.Get("prefix"), q.Get("comp") == "list"
	}, func(at string) []storage.Option {
		return []storage.Option{storage.With("endpoint", at+u.Path), storage.With("account", servers.AzureAccount), storage.With("key", servers.AzureKey)}
	})
}

// The number of requests that each step costs is a golden text for each store, so that
// a change of it is seen in a review. -update rewrites the texts.
func TestRequestBudget(t *testing.T) {
	for name, start := range map[string]func(*testing.T) *meter{"memory": onMemory, "s3": onS3, "azure": onAzurite} {
		t.Run(name, func(t *testing.T) {
			got := budget(t, start(t))
			file := filepath.Join("testdata", "budget", name+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("requests have changed (go test ./internal/proof/lake -run RequestBudget -update accepts that):\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// budget runs the steps on a table of three partitions with a checkpoint of
// version 10 and two commits behind it.
func budget(t *testing.T, m *meter) string {
	ctx := t.Context()
	schema := types.NewStruct(types.Field{Name: "p", Type: types.String, Nullable: true}, types.Field{Name: "k", Type: types.Long, Nullable: true}, types.Field{Name: "v", Type: types.Long, Nullable: true})
	var out strings.Builder
	step := func(name string) { fmt.Fprintf(&out, "%s\n%s\n", name, m.take()) }
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	source := func(rows ...string) sluice.Source {
		src, err := sluice.FromReader(ctx, strings.NewReader(strings.Join(rows, "\n")), sluice.SourceOptions{Format: "json"})
		check(err)
		return src
	}
	open := func(b *storage.Bucket) *sluice.Table {
		table, err := sluice.Open(ctx, m.url, sluice.WithBucket(b), sluice.WithWorkers(2))
		check(err)
		return table
	}
	other := func(rows ...string) { // another process commits
		table := open(m.direct)
		_, err := table.Append(ctx, source(rows...), sluice.AppendOptions{})
		check(err)
		check(table.Close())
	}

	table, err := sluice.Create(ctx, m.url, schema, sluice.CreateOptions{PartitionBy: []string{"p"}}, sluice.WithBucket(m.metred), sluice.WithWorkers(2))
	check(err)
	check(table.Close())
	step("create a table")
	for i := range 12 {
		other(fmt.Sprintf(`{"p":"%c","k":%d,"v":0}`, 'a'+i%3, i))
	}

	table = open(m.metred)
	step("open a table with a checkpoint and two commits behind it")
	s, err := table.Snapshot(ctx)
	check(err)
	step("refresh, nothing new")
	other(`{"p":"a","k":100,"v":0}`)
	s, err = table.Snapshot(ctx)
	check(err)
	step("refresh, one commit new")
	n, err := s.Scan(sluice.ScanOptions{}).Count(ctx)
	check(err)
	if n != 13 {
		t.Fatalf("%d rows, want 13", n)
	}
	step("count the rows")
	rows := 0
	for b, err := range s.Scan(sluice.ScanOptions{Where: "p = 'b'"}).Batches(ctx) {
		check(err)
		rows += int(b.NumRows())
	}
	if rows != 4 {
		t.Fatalf("%d rows of the partition, want 4", rows)
	}
	step("read a partition of four files")
	check(table.Close())

	// What follows writes: the handle is closed, so that what goes on behind the commit is counted too.
	write := func(name string, f func(*sluice.Table)) {
		table := open(m.metred)
		m.take()
		f(table)
		check(table.Close())
		step(name)
	}
	write("append rows of one partition", func(table *sluice.Table) {
		_, err := table.Append(ctx, source(`{"p":"b","k":200,"v":0}`), sluice.AppendOptions{})
		check(err)
	})
	write("append, one version behind another writer", func(table *sluice.Table) {
		_, err := table.Append(ctx, source(`{"p":"b","k":201,"v":0}`), sluice.AppendOptions{CommitOptions: sluice.CommitOptions{BeforePublish: func(context.Context) error {
			other(`{"p":"c","k":202,"v":0}`)
			return nil
		}}})
		check(err)
	})
	write("MERGE that touches one file", func(table *sluice.Table) {
		res, err := table.Merge(source(`{"p":"c","k":2,"v":7}`), "t.k = s.k AND t.p = 'c'").WhenMatched().UpdateAll().WhenNotMatched().InsertAll().Exec(ctx)
		check(err)
		if res.Updated != 1 || res.Inserted != 0 {
			t.Fatalf("%d updated, %d inserted", res.Updated, res.Inserted)
		}
	})
	write("DELETE of a partition", func(table *sluice.Table) {
		_, err := table.Delete(ctx, sluice.DeleteOptions{Where: "p = 'a'"})
		check(err)
	})
	write("append the version that gets a checkpoint", func(table *sluice.Table) {
		s, err := table.Snapshot(ctx)
		check(err)
		for v := s.Version(); v < 19; v++ {
			other(fmt.Sprintf(`{"p":"b","k":%d,"v":0}`, 300+v))
		}
		_, err = table.Snapshot(ctx)
		check(err)
		m.take()
		_, err = table.Append(ctx, source(`{"p":"b","k":400,"v":0}`), sluice.AppendOptions{})
		check(err)
	})
	write("OPTIMIZE of a partition of many small files", func(table *sluice.Table) {
		res, err := table.Optimize(ctx, sluice.OptimizeOptions{Where: "p = 'b'"})
		check(err)
		if res.Added.Files != 1 || res.Removed.Files < 5 {
			t.Fatalf("%d files added, %d removed", res.Added.Files, res.Removed.Files)
		}
	})
	write("VACUUM that deletes many files", func(table *sluice.Table) {
		res, err := table.Vacuum(ctx, sluice.VacuumOptions{Retain: new(time.Duration), NoRetentionCheck: true})
		check(err)
		if res.Deleted < 5 {
			t.Fatalf("%d files deleted", res.Deleted)
		}
	})
	table = open(m.metred)
	defer table.Close()
	step("open a table whose newest version has a checkpoint")
	_, err = table.Snapshot(ctx, sluice.Version(4))
	check(err)
	step("time travel to version 4")
	return strings.TrimRight(out.String(), "\n") + "\n"
}
