package scan_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
)

// gathering is a store from afar that answers a read only when several are under
// way, or when it has waited for long.
type gathering struct {
	remote
	lock  sync.Mutex
	now   int
	most  int
	want  int
	there chan struct{}
	once  sync.Once
}

func (g *gathering) GetRange(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	g.lock.Lock()
	g.now++
	if g.most = max(g.most, g.now); g.now >= g.want {
		g.once.Do(func() { close(g.there) })
	}
	g.lock.Unlock()
	select {
	case <-g.there:
	case <-time.After(10 * time.Second):
	}
	defer func() {
		g.lock.Lock()
		defer g.lock.Unlock()
		g.now--
	}()
	return g.remote.GetRange(ctx, key, offset, length)
}

// TestReadAhead: more files are on their way than workers decode.
func TestReadAhead(t *testing.T) {
	for workers, want := range map[int]int{1: 2, 2: 4} {
		tb := newTable(t)
		store := &gathering{remote: remote{memory.New()}, want: want, there: make(chan struct{})}
		tb.bucket = storage.NewBucket(store)
		tb.src.Bucket = tb.bucket
		var adds []*action.Add
		for i := range 12 {
			adds = append(adds, tb.add(t, fmt.Sprint(i), fmt.Sprint(i), 500))
		}
		e := env.New()
		e.Workers = workers
		rows := 0
		for b, err := range scan.Stream(t.Context(), e, tb.src, shares(adds), scan.Options{}) {
			if err != nil {
				t.Fatal(err)
			}
			rows += b.Rows
		}
		if rows != 6000 || store.most != want {
			t.Errorf("%d workers: %d rows, %d reads at a time, want %d", workers, rows, store.most, want)
		}
	}
}
