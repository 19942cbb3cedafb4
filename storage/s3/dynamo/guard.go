package dynamo

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/sluicelake/sluice/storage"
)

// Guard is a driver that refuses to commit by plain conditional puts where others
// commit through entries: they leave temporary files in _delta_log/.tmp.
type Guard struct {
	storage.Driver

	mu   sync.Mutex
	last map[string]int64 // the version that this handle put last, by table
}

// NewGuard wraps a driver.
func NewGuard(below storage.Driver) *Guard {
	return &Guard{Driver: below, last: map[string]int64{}}
}

// recent is how many versions back temporary files count. Those of a table that
// has left the log store stay until somebody removes them.
const recent = 10

// PutIfAbsent creates an object. A commit that follows one of this handle is not
// looked at: the look is one listing.
func (g *Guard) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	f, ok := parseKey(key)
	v, commit := version(f.name)
	if !ok || !commit {
		return g.Driver.PutIfAbsent(ctx, key, data)
	}
	g.mu.Lock()
	last, known := g.last[f.table]
	g.mu.Unlock()
	if v > 0 && !(known && last == v-1) {
		if err := g.look(ctx, f, v); err != nil {
			return err
		}
	}
	err := g.Driver.PutIfAbsent(ctx, key, data)
	if err == nil {
		g.mu.Lock()
		g.last[f.table] = v
		g.mu.Unlock()
	}
	return err
}

// Below is the driver.
func (g *Guard) Below() storage.Driver { return g.Driver }

// DeleteMany is the driver's.
func (g *Guard) DeleteMany(ctx context.Context, keys []string) (int, error) {
	return deleteMany(ctx, g.Driver, keys)
}

// MaxDeletes is the driver's.
func (g *Guard) MaxDeletes() int { return maxDeletes(g.Driver) }

// PutHint goes straight to the driver.
func (g *Guard) PutHint(ctx context.Context, key string, data []byte) error {
	return g.Driver.PutIfAbsent(ctx, key, data)
}

func (g *Guard) look(ctx context.Context, f logFile, v int64) error {
	dir := f.key(".tmp/")
	for o, err := range g.Driver.List(ctx, dir, dir+commitName(max(0, v-recent))) {
		if err != nil {
			return fmt.Errorf("looking for a DynamoDB log store: %w", err)
		}
		if _, ok := leading(o.Key[len(dir):]); ok {
			return fmt.Errorf("%w: %s shows that another writer (Spark's S3DynamoDBLogStore?) commits through entries in DynamoDB, and a plain put would not be safe beside it; give the option log-store=dynamodb, with dynamodb-table and dynamodb-region as in Spark, or log-store=conditional once all writers use conditional puts",
				storage.ErrUnsupported, o.Key)
		}
	}
	return nil
}

// Describe is the driver's own.
func (g *Guard) Describe() map[string]string {
	d := map[string]string{}
	if b, ok := g.Driver.(storage.Describer); ok {
		maps.Copy(d, b.Describe())
	}
	return d
}
