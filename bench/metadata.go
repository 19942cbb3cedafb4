package main

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/checkpoint"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/internal/verbs/read"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/types"
)

// A logShape is a table that is nothing but a log: its data files need not
// exist. Each shape is opened, listed, and planned with two predicates.
type logShape struct {
	name  string
	what  string
	files int
	write func(ctx context.Context, w *logWriter) error
}

var logShapes = []logShape{
	{"300k", "300,000 adds in 5 commits", 300_000, func(_ context.Context, w *logWriter) error { return w.commits(0, 5, 60_000) }},
	{"ckpt1m", "1,000,000 adds in one checkpoint, 100 commits behind it", 1_001_000, func(ctx context.Context, w *logWriter) error {
		if _, err := checkpoint.Write(ctx, w.bucket, w.state(1_000_000)); err != nil {
			return err
		}
		return w.commits(1, 100, 10)
	}},
	{"log1000", "100,000 adds in 1,000 commits, no checkpoint", 100_000, func(_ context.Context, w *logWriter) error { return w.commits(0, 1000, 100) }},
	{"v2", "1,000,000 adds in a V2 checkpoint with 10 sidecars", 1_000_000, v2(false)},
	{"v2json", "1,000,000 adds in a V2 checkpoint with 10 sidecars, JSON on top", 1_000_000, v2(true)},
	{"ten", "ten adds in one commit", 10, func(_ context.Context, w *logWriter) error { return w.commits(0, 1, 10) }},
}

func v2(json bool) func(ctx context.Context, w *logWriter) error {
	return func(ctx context.Context, w *logWriter) error {
		w.features = `,"readerFeatures":["v2Checkpoint"],"writerFeatures":["v2Checkpoint"]`
		s := w.state(1_000_000)
		s.Protocol = &action.Protocol{MinReaderVersion: 3, MinWriterVersion: 7, ReaderFeatures: []string{"v2Checkpoint"}, WriterFeatures: []string{"v2Checkpoint"}}
		_, err := checkpoint.WriteV2(ctx, w.bucket, s, checkpoint.V2{JSON: json, SidecarFiles: 100_000, NewID: env.New().NewID})
		return err
	}
}

// What is done with each shape. The predicates keep one file of a thousand.
var logUses = []struct {
	name string
	what string
	run  func(ctx context.Context, place string, files int) (Line, error)
}{
	{"head", "read the schema", runLogHead},
	{"open", "open", runLogOpen},
	{"list", "open and list the files", runLogList},
	{"stats", "open and plan, statistics keep 0.1 %", runLogPlan(statsPredicate)},
	{"part", "open and plan, partition values keep 0.1 %", runLogPlan(func(int) string { return "day = DATE '2021-03-04'" })},
}

func statsPredicate(files int) string {
	keep := max(files/1000, 1)
	return fmt.Sprintf("id >= %d AND id < %d", files/2*1000, (files/2+keep)*1000)
}

func logWorkloads() (out []workload) {
	for _, s := range logShapes {
		for _, u := range logUses {
			name := "log-" + s.name
			out = append(out, workload{
				name: name + "-" + u.name, what: u.what + ": " + s.what, prepare: s.prepare, fresh: inPlace(name),
				run:  func(ctx context.Context, place string) (Line, error) { return u.run(ctx, place, s.files) },
				peer: "log-" + u.name, duck: u.name != "head",
			})
		}
	}
	for _, c := range []struct{ name, what, shape, peer string }{
		{"checkpoint-1m", "open, and write a classic checkpoint of 1,001,000 adds", "ckpt1m", "checkpoint"},
		{"checkpoint-v2-1000", "open, add 1,000 files to 1,000,000 in V2 sidecars, and write a V2 checkpoint", "v2json", ""},
	} {
		i := slices.IndexFunc(logShapes, func(s logShape) bool { return s.name == c.shape })
		out = append(out, workload{name: c.name, what: c.what, prepare: logShapes[i].prepare, fresh: linked("log-" + c.shape),
			run: func(ctx context.Context, place string) (Line, error) { return runCheckpoint(ctx, place, c.peer == "") }, peer: c.peer})
	}
	return out
}

// runCheckpoint writes a checkpoint as the table asks for it, or a V2 one behind
// a commit of 1,000 files. The time of the checkpoint alone is told as well.
func runCheckpoint(ctx context.Context, place string, v2 bool) (Line, error) {
	start := time.Now()
	t, b, err := open(ctx, place, false)
	if err != nil {
		return Line{}, err
	}
	defer t.Close()
	o := sluice.CheckpointOptions{}
	if v2 {
		w := &logWriter{bucket: b, place: place, n: 2_000_000}
		if err := w.commits(1, 1, 1000); err != nil {
			return Line{}, err
		}
		if _, err := t.Snapshot(ctx); err != nil {
			return Line{}, err
		}
		o.Kind = sluice.CheckpointV2
	}
	ready, cpu := time.Now(), cpuTime()
	r, err := t.Checkpoint(ctx, o)
	if err != nil {
		return Line{}, err
	}
	if r.Files != 1_001_000 || v2 && r.SidecarsReused == 0 {
		return Line{}, fmt.Errorf("%w: %+v", errWrong, r)
	}
	return counted(Line{WallS: time.Since(start).Seconds(), Extra: map[string]float64{"checkpoint_wall_s": time.Since(ready).Seconds(),
		"checkpoint_cpu_s": (cpuTime() - cpu).Seconds(), "written_mb": float64(r.Bytes) / 1e6}}, b), nil
}

func (s logShape) prepare(ctx context.Context, dir string) error {
	place := filepath.Join(dir, "log-"+s.name)
	if done(place) {
		return nil
	}
	if err := again(place); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(place, "_delta_log"), 0o755); err != nil {
		return err
	}
	b, err := storage.Open(ctx, place, storage.With("sync", "false"))
	if err != nil {
		return err
	}
	defer b.Close()
	if err := s.write(ctx, &logWriter{bucket: b, place: place}); err != nil {
		return err
	}
	// What the peers are asked for.
	if err := os.WriteFile(filepath.Join(place, ".predicate"), []byte(fmt.Sprint(s.files)), 0o644); err != nil {
		return err
	}
	return markDone(place)
}

// logWriter makes adds, each different from all before.
type logWriter struct {
	bucket   *storage.Bucket
	place    string
	features string // of the protocol line
	n        int
}

var logSchema = types.JSON(types.NewStruct(types.Field{Name: "id", Type: types.Long, Nullable: true}, types.Field{Name: "name", Type: types.String, Nullable: true},
	types.Field{Name: "v", Type: types.Double, Nullable: true}, types.Field{Name: "day", Type: types.Date, Nullable: true}))

func (w *logWriter) next() (day, path, stats string, size, modified int64) {
	n := w.n
	w.n++
	day = time.Date(2020, 1, 1+n%1000, 0, 0, 0, 0, time.UTC).Format("2006-01-02")
	a, b := scatter(uint64(n)), scatter(uint64(n)|1<<32)
	path = fmt.Sprintf("day=%s/part-%05d-%08x-%04x-4%03x-%04x-%012x.c000.snappy.parquet", day, n%100000, a>>32, a>>16&0xffff, a&0xfff, b>>48, b&0xffffffffffff)
	stats = fmt.Sprintf(`{"numRecords":1000,"minValues":{"id":%d,"name":"name-%08d","v":%d.5},"maxValues":{"id":%d,"name":"name-%08d","v":%d.5},"nullCount":{"id":0,"name":0,"v":3}}`,
		n*1000, n*1000, n, n*1000+999, n*1000+999, n+10)
	return day, path, stats, int64(1_000_000 + n), int64(1_700_000_000_000 + n)
}

// scatter makes the random part of a name (the finaliser of splitmix64).
func scatter(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// commits writes commit files from a version on.
func (w *logWriter) commits(from, count, adds int) error {
	for v := from; v < from+count; v++ {
		b := fmt.Appendf(nil, `{"commitInfo":{"timestamp":%d,"operation":"WRITE","operationParameters":{"mode":"Append"}}}`+"\n", 1_700_000_000_000+v)
		if v == 0 {
			b = append(b, `{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}`+"\n"...)
			b = fmt.Appendf(b, `{"metaData":{"id":"5fba94ed-9794-4965-ba6e-6ee3c0d22af9","format":{"provider":"parquet","options":{}},"schemaString":%q,"partitionColumns":["day"],"configuration":{},"createdTime":1700000000000}}`+"\n", logSchema)
		}
		for range adds {
			day, path, stats, size, modified := w.next()
			b = fmt.Appendf(b, `{"add":{"path":"%s","partitionValues":{"day":"%s"},"size":%d,"modificationTime":%d,"dataChange":true,"stats":%q}}`+"\n", path, day, size, modified, stats)
		}
		if err := os.WriteFile(filepath.Join(w.place, "_delta_log", fmt.Sprintf("%020d.json", v)), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// state is the content of a checkpoint of version 0 with that many files.
func (w *logWriter) state(files int) *checkpoint.State {
	created := int64(1_700_000_000_000)
	return &checkpoint.State{
		Protocol: &action.Protocol{MinReaderVersion: 1, MinWriterVersion: 2},
		Metadata: &action.Metadata{ID: "5fba94ed-9794-4965-ba6e-6ee3c0d22af9", Format: action.Format{Provider: "parquet"}, SchemaString: logSchema,
			PartitionColumns: []string{"day"}, CreatedTime: &created},
		NumAdds: files, StatsJSON: true,
		Adds: w.adds(files), Removes: func(func(*action.File) bool) {},
	}
}

func (w *logWriter) adds(files int) iter.Seq[*action.File] {
	return func(yield func(*action.File) bool) {
		var f action.File
		for range files {
			day, path, stats, size, modified := w.next()
			f = action.File{Path: action.Plain([]byte(path)), PartitionValues: []byte(`{"day":"` + day + `"}`), Stats: action.Plain([]byte(stats)),
				Size: size, ModificationTime: modified, Has: action.HasSize | action.HasStats}
			if !yield(&f) {
				return
			}
		}
	}
}

func runLogHead(ctx context.Context, place string, _ int) (Line, error) {
	start := time.Now()
	b, err := storage.Open(ctx, place)
	if err != nil {
		return Line{}, err
	}
	t, err := sluice.Open(ctx, place, sluice.WithBucket(b), sluice.WithLazyOpen())
	if err != nil {
		return Line{}, err
	}
	defer t.Close()
	h, err := t.Head(ctx)
	if err != nil {
		return Line{}, err
	}
	if len(h.Schema().Fields) != 4 {
		return Line{}, errWrong
	}
	return counted(Line{WallS: time.Since(start).Seconds()}, b), nil
}

func runLogOpen(ctx context.Context, place string, files int) (Line, error) {
	start := time.Now()
	t, b, err := open(ctx, place, true)
	if err != nil {
		return Line{}, err
	}
	defer t.Close()
	wall := time.Since(start).Seconds()
	s, err := t.Snapshot(ctx)
	if err != nil {
		return Line{}, err
	}
	if s.NumFiles() != files {
		return Line{}, fmt.Errorf("%w: %d files, want %d", errWrong, s.NumFiles(), files)
	}
	return counted(Line{WallS: wall, Extra: map[string]float64{"files": float64(files)}}, b), nil
}

func runLogList(ctx context.Context, place string, files int) (Line, error) {
	start := time.Now()
	t, b, err := open(ctx, place, true)
	if err != nil {
		return Line{}, err
	}
	defer t.Close()
	s, err := t.Snapshot(ctx)
	if err != nil {
		return Line{}, err
	}
	n := 0
	for range s.Paths() {
		n++
	}
	if n != files {
		return Line{}, fmt.Errorf("%w: %d files, want %d", errWrong, n, files)
	}
	return counted(Line{WallS: time.Since(start).Seconds(), Extra: map[string]float64{"files": float64(n)}}, b), nil
}

func runLogPlan(predicate func(files int) string) func(ctx context.Context, place string, files int) (Line, error) {
	return func(ctx context.Context, place string, files int) (Line, error) {
		start := time.Now()
		b, err := storage.Open(ctx, place)
		if err != nil {
			return Line{}, err
		}
		defer b.Close()
		s, err := snapshot.Load(ctx, env.New(), b, snapshot.Latest())
		if err != nil {
			return Line{}, err
		}
		where, err := expr.Parse(predicate(files))
		if err != nil {
			return Line{}, err
		}
		p, err := read.NewPlan(s, read.Spec{Where: where, Limit: -1})
		if err != nil {
			return Line{}, err
		}
		kept := 0
		for range p.Kept() {
			kept++
		}
		if kept > files/500+1 || files > 1000 && kept == 0 {
			return Line{}, fmt.Errorf("%w: %d files of %d are kept", errWrong, kept, files)
		}
		return counted(Line{WallS: time.Since(start).Seconds(), Extra: map[string]float64{"kept": float64(kept)}}, b), nil
	}
}
