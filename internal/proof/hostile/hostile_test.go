package hostile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/local"
	"github.com/sluicelake/sluice/storage/tracestore"
)

// table is a table in a folder, beside a folder that it must not reach.
type table struct {
	t         testing.TB
	dir, away string
	log       []string
}

const secret = "the secret"

func newTable(t testing.TB) *table {
	root := t.TempDir()
	b := &table{t: t, dir: filepath.Join(root, "t"), away: filepath.Join(root, "away")}
	b.file("../away/secret.parquet", pageFile{typ: bytesType, values: 1, rows: 1, claims: 14, data: append([]byte{10, 0, 0, 0}, secret...)}.bytes())
	return b
}

func (b *table) file(name string, data []byte) {
	b.t.Helper()
	path := filepath.Join(b.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

type object = map[string]any

func text(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(data)
}

func (b *table) action(v any) { b.log = append(b.log, text(v)) }

// begin writes protocol and schema; columns are SQL types by name.
func (b *table) begin(schema string, partitions ...string) {
	features := []string{"deletionVectors", "v2Checkpoint"}
	b.action(object{"protocol": object{"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": features, "writerFeatures": features}})
	if partitions == nil {
		partitions = []string{}
	}
	b.action(object{"metaData": object{"id": "x", "format": object{"provider": "parquet", "options": object{}}, "schemaString": schema,
		"partitionColumns": partitions, "configuration": object{}, "createdTime": 0}})
}

func columns(typ string, names ...string) string {
	var fields []string
	for _, n := range names {
		fields = append(fields, fmt.Sprintf(`{"name":%q,"type":%q,"nullable":true,"metadata":{}}`, n, typ))
	}
	return `{"type":"struct","fields":[` + strings.Join(fields, ",") + `]}`
}

func (b *table) add(path string, more object) {
	add := object{"path": path, "partitionValues": object{}, "size": 0, "modificationTime": 0, "dataChange": true}
	for k, v := range more {
		add[k] = v
	}
	b.action(object{"add": add})
}

func (b *table) commit() {
	b.file("_delta_log/00000000000000000000.json", []byte(strings.Join(b.log, "\n")+"\n"))
}

// outcome of reading a table.
type outcome struct {
	rows   int64
	leaked bool
	err    error
	peak   uint64
	keys   []string
}

// read opens the table, lists its files and reads every row.
func (b *table) read(opts ...sluice.Option) (o outcome) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	d, err := local.New(b.dir)
	if err != nil {
		return outcome{err: err}
	}
	trace := tracestore.New(d, tracestore.AsFar(), tracestore.WithNote(func(e tracestore.Entry) { o.keys = append(o.keys, e.Key) }))
	bucket := storage.NewBucket(trace)
	defer bucket.Close()
	defer debug.SetGCPercent(debug.SetGCPercent(30)) // garbage is not what is measured
	debug.FreeOSMemory()
	stop := watch()
	o.err = func() (err error) {
		t, err := sluice.Open(ctx, b.dir, append(opts, sluice.WithBucket(bucket), sluice.WithWorkers(2))...)
		if err != nil {
			return err
		}
		defer t.Close()
		s, err := t.Snapshot(ctx)
		if err != nil {
			return err
		}
		for range s.Files() {
			break
		}
		for rec, err := range s.Scan(sluice.ScanOptions{}).Batches(ctx) {
			if err != nil {
				return err
			}
			if o.rows += rec.NumRows(); rec.NumRows() <= 3 {
				for _, c := range rec.Columns() {
					o.leaked = o.leaked || strings.Contains(c.String(), secret)
				}
			}
			if o.rows > 1<<23 {
				return errEnough
			}
		}
		return nil
	}()
	if ctx.Err() != nil {
		o.err = fmt.Errorf("it took too long: %w", o.err)
	}
	o.peak = stop()
	return o
}

// errEnough ends a reading of more rows than anybody needs: they come in batches,
// and the reader may leave.
var errEnough = errors.New("enough rows")

// watch measures the largest heap until it is stopped.
func watch() (stop func() uint64) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	base := m.HeapAlloc
	var peak atomic.Uint64
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		var m runtime.MemStats
		for {
			runtime.ReadMemStats(&m)
			if m.HeapAlloc > base {
				peak.Store(max(peak.Load(), m.HeapAlloc-base))
			}
			select {
			case <-done:
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	return func() uint64 {
		close(done)
		<-ended
		return peak.Load()
	}
}

const mega = 1 << 20

// verdict is what a case must come to.
type verdict struct {
	rows  int64  // -1: an error
	says  string // in the error
	megas uint64 // the ceiling of memory; 0: 400
	limit bool   // leaving after many rows is right
}

var refused = verdict{rows: -1}

func TestHostileTables(t *testing.T) {
	for name, c := range cases() {
		t.Run(name, func(t *testing.T) {
			b := newTable(t)
			c.make(b)
			o := b.read()
			ceiling := c.want.megas
			if ceiling == 0 {
				ceiling = 400
			}
			t.Logf("%d rows, %d MB, %v", o.rows, o.peak/mega, short(o.err))
			switch {
			case o.leaked:
				t.Error("it read outside of the table")
			case o.err != nil && strings.Contains(o.err.Error(), "too long"):
				t.Error(short(o.err))
			case c.want.limit && errors.Is(o.err, errEnough):
			case c.want.rows < 0 && o.err == nil:
				t.Errorf("%d rows, want an error", o.rows)
			case c.want.rows >= 0 && (o.err != nil || o.rows != c.want.rows):
				t.Errorf("%d rows, want %d", o.rows, c.want.rows)
			case c.want.says != "" && !strings.Contains(o.err.Error(), c.want.says):
				t.Errorf("the error does not say %q: %v", c.want.says, short(o.err))
			}
			if o.peak > ceiling*mega {
				t.Errorf("%d MB were held, at most %d are allowed", o.peak/mega, ceiling)
			}
			for _, k := range o.keys {
				if slices.Contains(strings.Split(k, "/"), "..") || strings.HasPrefix(k, "/") {
					t.Errorf("the store was asked for %q", k)
				}
			}
			if o.err != nil && len(o.err.Error()) > 20_000 {
				t.Errorf("the error has %d bytes", len(o.err.Error()))
			}
		})
	}
}

func short(err error) string {
	if err == nil {
		return "no error"
	}
	return fmt.Sprintf("%.300s", err.Error())
}
