package prune_test

import (
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/internal/logic/prune"
	"github.com/sluicelake/sluice/internal/proof/testkit"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/internal/table/snapshot"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/local"
	"github.com/sluicelake/sluice/types"
)

// TestForeignTables asks for values that tables of other writers hold, and for
// values between them: a file that is dropped must have no row that evaluation
// finds.
func TestForeignTables(t *testing.T) {
	for name, variable := range map[string]string{"conformance": "SLUICE_CONFORMANCE", "spark": "SLUICE_SPARK_CORPUS"} {
		t.Run(name, func(t *testing.T) {
			root := filepath.Join(testkit.Corpus(t, variable), "tables")
			dropped, judged := 0, 0
			for _, archive := range testkit.Archives(t, root) {
				if filepath.Base(archive) == "parsed-stats.tar.zst" {
					continue // its statistics speak of a column that its files lack
				}
				t.Run(testkit.ArchiveName(root, archive), func(t *testing.T) {
					d, j := judgeTable(t, filepath.Join(testkit.Unpack(t, archive), "table"))
					dropped += d
					judged += j
				})
			}
			t.Logf("%d of %d judgements dropped the file", dropped, judged)
			if dropped == 0 {
				t.Error("no file was dropped")
			}
		})
	}
}

type dataFile struct {
	add  *action.Add
	cols []arrow.Array
	rows int
}

func judgeTable(t *testing.T, dir string) (dropped, judged int) {
	d, err := local.New(dir)
	if err != nil {
		return 0, 0
	}
	b := storage.NewBucket(d)
	defer b.Close()
	s, err := snapshot.Load(t.Context(), env.New(), b, snapshot.Latest())
	if err != nil || feature.CheckRead(s.Protocol()) != nil || s.SizeInBytes() > 5<<20 || s.NumFiles() > 60 {
		return 0, 0
	}
	var files []dataFile
	for i := range s.Files().All() {
		f := dataFile{add: s.Files().Add(i)}
		var parts [][]arrow.Array
		for batch, err := range scan.File(t.Context(), env.New(), scan.SourceOf(s), f.add, scan.Options{}) {
			if err != nil {
				return 0, 0
			}
			parts = append(parts, batch.Columns)
			f.rows += batch.Rows
		}
		if f.rows == 0 {
			continue
		}
		if f.cols, err = columns.ConcatColumns(parts); err != nil {
			return 0, 0
		}
		files = append(files, f)
	}
	if len(files) == 0 {
		return 0, 0
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for i, field := range s.Schema().Fields {
		for _, target := range targets(&expr.Column{Parts: []string{field.Name}, Ref: i, T: field.Type, Null: true}) {
			for range 6 {
				pred := draw(rng, target, files)
				p := prune.New(pred, s.Schema(), s.PartitionColumns())
				for _, f := range files {
					judged++
					v := p.Keep(prune.FileOf(f.add, s.Schema(), s.PartitionColumns()))
					if v.Keep {
						continue
					}
					dropped++
					if sel, err := eval.Filter(pred, eval.Input{Columns: f.cols, Rows: f.rows}); err != nil || len(sel) > 0 {
						t.Errorf("%s: %s holds for rows %v (%v) of %s, which is dropped by %s; partition %v, statistics %s", dir, pred, sel, err, f.add.Path, v.Reason, f.add.PartitionValues, f.add.Stats)
					}
				}
			}
		}
	}
	return dropped, judged
}

// targets are a column's comparable leaves.
func targets(e expr.Expr) (out []expr.Expr) {
	if s, ok := e.Type().(*types.Struct); ok {
		for i, f := range s.Fields {
			out = append(out, targets(&expr.Field{Base: e, Name: f.Name, Index: i, T: f.Type})...)
		}
		return out
	}
	if colstats.ClassOf(e.Type()) != colstats.None {
		out = append(out, e)
	}
	return out
}

// draw makes a predicate from values that the files hold.
func draw(rng *rand.Rand, target expr.Expr, files []dataFile) expr.Expr {
	literal := func() expr.Expr {
		f := files[rng.IntN(len(files))]
		a, err := eval.Eval(target, eval.Input{Columns: f.cols, Rows: f.rows})
		if err != nil {
			return &expr.Literal{T: target.Type()}
		}
		v := columns.Value(a, rng.IntN(a.Len()))
		if n, ok := v.(int64); ok && target.Type().Kind() != types.KindBoolean {
			v = n + int64(rng.IntN(3)-1)
		}
		if b, ok := v.([]byte); ok {
			v = append([]byte(nil), b...)
		}
		return &expr.Literal{Value: v, T: target.Type()}
	}
	call := func(fn string, args ...expr.Expr) expr.Expr {
		return &expr.Call{Fn: fn, Args: args, T: types.Boolean, Null: true}
	}
	ops := []string{"=", "<>", "<", "<=", ">", ">=", "<=>"}
	compare := func() expr.Expr { return call(ops[rng.IntN(len(ops))], target, literal()) }
	switch rng.IntN(6) {
	case 0:
		return call("in", target, literal(), literal())
	case 1:
		return call([]string{"isnull", "isnotnull"}[rng.IntN(2)], target)
	case 2:
		return call("not", compare())
	case 3:
		return call([]string{"and", "or"}[rng.IntN(2)], compare(), compare())
	}
	return compare()
}
