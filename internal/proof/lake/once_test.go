package lake

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/internal/proof/servers"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/azure/emulator"
	"github.com/sluicelake/sluice/types"
)

// cloud is a store whose requests come to harm in one of ten cases.
type cloud struct {
	url     string
	direct  []storage.Option
	harmed  []storage.Option
	proxies []*servers.Proxy
}

// dice decides about faults, from a seed.
type dice struct {
	mu sync.Mutex
	r  *rand.Rand
}

func (d *dice) plan(*http.Request) servers.Fault {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.r.IntN(10) > 0 {
		return servers.None
	}
	return servers.Faults[d.r.IntN(len(servers.Faults))]
}

func clouds() map[string]func(*testing.T, *dice) *cloud {
	onS3 := func(t *testing.T, d *dice) (*cloud, *servers.S3) {
		s := servers.StartS3(t)
		s.MakeBucket(t, "lake")
		p := servers.StartProxy(t, s.Endpoint, d.plan)
		return &cloud{url: "s3a://lake/t", direct: s.Options(), harmed: s.OptionsAt(p.URL), proxies: []*servers.Proxy{p}}, s
	}
	return map[string]func(*testing.T, *dice) *cloud{
		"S3, conditional puts": func(t *testing.T, d *dice) *cloud {
			c, _ := onS3(t, d)
			return c
		},
		"S3, DynamoDB": func(t *testing.T, d *dice) *cloud {
			moto := servers.StartMoto(t)
			c, _ := onS3(t, d)
			p := servers.StartProxy(t, moto, d.plan)
			c.proxies = append(c.proxies, p)
			common := []storage.Option{storage.With("log-store", "dynamodb"), storage.With("dynamodb-create", "true")}
			c.direct = append(append(c.direct, common...), storage.With("dynamodb-endpoint", moto))
			c.harmed = append(append(c.harmed, common...), storage.With("dynamodb-endpoint", p.URL))
			return c
		},
		"Google Cloud Storage": func(t *testing.T, d *dice) *cloud {
			url := servers.StartGCS(t, "lake")
			p := servers.StartProxy(t, url, d.plan)
			at := func(u string) []storage.Option {
				return []storage.Option{storage.With("endpoint", u), storage.With("anonymous", "true")}
			}
			return &cloud{url: "gs://lake/t", direct: at(url), harmed: at(p.URL), proxies: []*servers.Proxy{p}}
		},
		"Azure, blob endpoint": func(t *testing.T, d *dice) *cloud {
			endpoint := servers.StartAzurite(t, "lake", nil)
			base, account, _ := strings.Cut(strings.TrimPrefix(endpoint, "http://"), "/")
			return onAzure(t, d, "wasb://lake@"+servers.AzureAccount+".blob.core.windows.net/t", "http://"+base, "/"+account)
		},
		"Azure, dfs endpoint": func(t *testing.T, d *dice) *cloud {
			srv := httptest.NewServer(emulator.NewLake("lake", func(*http.Request) bool { return true }))
			t.Cleanup(srv.Close)
			return onAzure(t, d, "abfs://lake@"+servers.AzureAccount+".dfs.core.windows.net/t", srv.URL, "")
		},
	}
}

func onAzure(t *testing.T, d *dice, url, server, path string) *cloud {
	p := servers.StartProxy(t, server, d.plan)
	at := func(u string) []storage.Option {
		return []storage.Option{storage.With("endpoint", u+path), storage.With("key", servers.AzureKey)}
	}
	return &cloud{url: url, direct: at(server), harmed: at(p.URL), proxies: []*servers.Proxy{p}}
}

func (c *cloud) bucket(t *testing.T, opts []storage.Option) *storage.Bucket {
	t.Helper()
	b, err := storage.Open(t.Context(), c.url, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// Writers append rows of their own through requests that come to harm. What was
// acknowledged is there once; what was refused is not there; what nobody knows is
// there once at most.
func TestExactlyOnce(t *testing.T) {
	const writers, appends, seed = 4, 12, 7
	for name, start := range clouds() {
		t.Run(name, func(t *testing.T) {
			d := &dice{r: rand.New(rand.NewPCG(seed, 1))}
			c := start(t, d)
			ctx := t.Context()
			schema := types.NewStruct(types.Field{Name: "id", Type: types.Long, Nullable: true})
			table, err := sluice.Create(ctx, c.url, schema, sluice.CreateOptions{Properties: map[string]string{"delta.checkpointInterval": "5"}}, sluice.WithBucket(c.bucket(t, c.direct)))
			if err != nil {
				t.Fatal(err)
			}
			defer table.Close()
			var mu sync.Mutex
			outcome := map[int64]string{}
			var wg sync.WaitGroup
			for w := range writers {
				b := c.bucket(t, c.harmed)
				wg.Go(func() {
					for i := range appends {
						id := int64(w*1000 + i)
						got := appendRow(ctx, c.url, b, id)
						mu.Lock()
						outcome[id] = got
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			rows := ids(t, table)
			count := map[string]int{}
			for id, got := range outcome {
				word, _, _ := strings.Cut(got, ":")
				count[word]++
				switch n := rows[id]; {
				case word == "done" && n != 1, word == "failed" && n != 0, n > 1:
					t.Errorf("row %d, whose append %s, is there %d times", id, got, n)
				}
			}
			faults := map[servers.Fault]int{}
			for _, p := range c.proxies {
				for f, n := range p.Done() {
					faults[f] += n
				}
			}
			t.Logf("appends %v; requests by fault %v", count, faults)
			if count["done"] < writers*appends/2 {
				t.Errorf("only %d of %d appends came through: %v", count["done"], writers*appends, outcome)
			}
		})
	}
}

// appendRow opens the table anew, as one more process would.
func appendRow(ctx context.Context, url string, b *storage.Bucket, id int64) string {
	t, err := sluice.Open(ctx, url, sluice.WithBucket(b))
	if err != nil {
		return "failed: " + err.Error()
	}
	defer t.Close()
	src, err := sluice.FromReader(ctx, strings.NewReader(fmt.Sprintf(`{"id":%d}`, id)), sluice.SourceOptions{Format: "json"})
	if err != nil {
		return "failed: " + err.Error()
	}
	_, err = t.Append(ctx, src, sluice.AppendOptions{})
	switch {
	case err == nil:
		return "done"
	case errors.Is(err, sluice.ErrCommitUnknown):
		return "unknown: " + err.Error()
	}
	return "failed: " + err.Error()
}

// ids counts each row.
func ids(t *testing.T, table *sluice.Table) map[int64]int {
	t.Helper()
	s, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rows := map[int64]int{}
	for batch, err := range s.Scan(sluice.ScanOptions{}).Batches(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range batch.Column(0).(*array.Int64).Int64Values() {
			rows[v]++
		}
	}
	return rows
}
