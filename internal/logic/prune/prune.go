package prune

import (
	"math"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/types"
)

// By says what a verdict rests on.
type By uint8

// The grounds for dropping a file.
const (
	Nothing    By = iota // the file is kept
	Partition            // its partition values exclude every row
	Statistics           // its statistics do, with its partition values
	Metadata             // what is known of the file itself: its name, size, time
)

func (b By) String() string {
	return [...]string{"nothing", "partition values", "statistics", "file metadata"}[b]
}

// Verdict says whether a file has to be read.
type Verdict struct {
	Keep   bool
	By     By
	Reason string // the conjunct that no row satisfies, as SQL
}

// Pruner holds a compiled predicate. It is safe for concurrent use.
type Pruner struct {
	t         *table
	conjuncts []conjunct // those over partition columns first
}

type conjunct struct {
	cond    condition
	by      By
	sql     string
	derived bool // partition values say something of its data columns
}

var notANumber = colstats.Value{Class: colstats.Float, F: math.NaN()}

// New compiles a predicate that is bound to the table's logical schema with
// ordinals from 0; columns of other ordinals may have any value. A nil predicate
// keeps every file. physical is the schema with physical names; without it the
// names come from the metadata of the fields.
func New(pred expr.Expr, schema *types.Struct, partitionColumns []string, physical ...*types.Struct) *Pruner {
	return compile(newTable(schema, partitionColumns, physical), pred)
}

// NewGenerated is New for a table whose writers must keep generation expressions
// (the feature generatedColumns): partition values then also say what is in the
// data columns that they are generated from.
func NewGenerated(pred expr.Expr, schema *types.Struct, partitionColumns []string, physical ...*types.Struct) *Pruner {
	t := newTable(schema, partitionColumns, physical)
	t.parseGenerated()
	return compile(t, pred)
}

func compile(t *table, pred expr.Expr) *Pruner {
	p := &Pruner{t: t}
	if pred == nil {
		return p
	}
	var later []conjunct
	for _, e := range expr.Conjuncts(pred) {
		t.derived = false
		c := conjunct{cond: t.condition(expr.Fold(e, eval.Literal)), by: Statistics, sql: e.String()}
		c.derived = t.derived
		if t.onlyPartition(e) {
			c.by = Partition
			p.conjuncts = append(p.conjuncts, c)
		} else {
			later = append(later, c)
		}
	}
	p.conjuncts = append(p.conjuncts, later...)
	t.decoder = colstats.NewDecoder(t.leaves)
	return p
}

// Keep judges a file. It drops only files that hold no row for which the
// predicate is true. A nil Pruner keeps every file.
func (p *Pruner) Keep(f File) Verdict {
	if p == nil {
		return Verdict{Keep: true}
	}
	return p.judge(f, p.conjuncts)
}

// KeepPartition is Keep by partition values only; files with the same ones have
// the same verdict.
func (p *Pruner) KeepPartition(f File) Verdict {
	n := p.partitions()
	if v := p.judge(f, p.conjuncts[:n]); !v.Keep || n == len(p.conjuncts) {
		return v
	}
	s := p.t.open(f)
	defer p.t.done(s)
	for i := range p.conjuncts[n:] {
		if c := &p.conjuncts[n+i]; c.derived && c.impossible(s, true) {
			return Verdict{By: Partition, Reason: c.sql}
		}
	}
	return Verdict{Keep: true}
}

// impossible reports whether no row satisfies the conjunct; bare is by partition
// values alone.
func (c *conjunct) impossible(s *state, bare bool) bool {
	s.bare = bare
	out := c.cond(s)
	s.bare = false
	return out&canTrue == 0
}

// KeepStatistics is Keep by the other conjuncts.
func (p *Pruner) KeepStatistics(f File) Verdict { return p.judge(f, p.conjuncts[p.partitions():]) }

// NeedsStatistics reports whether any conjunct may look at statistics.
func (p *Pruner) NeedsStatistics() bool { return p.partitions() < len(p.conjuncts) }

// partitions is how many conjuncts need partition values only. They come first.
func (p *Pruner) partitions() int {
	n := 0
	for n < len(p.conjuncts) && p.conjuncts[n].by == Partition {
		n++
	}
	return n
}

func (p *Pruner) judge(f File, conjuncts []conjunct) Verdict {
	if len(conjuncts) == 0 {
		return Verdict{Keep: true}
	}
	s := p.t.open(f)
	defer p.t.done(s)
	for i := range conjuncts {
		c := &conjuncts[i]
		if c.derived && c.impossible(s, true) {
			return Verdict{By: Partition, Reason: c.sql}
		}
		if c.impossible(s, false) {
			return Verdict{By: c.by, Reason: c.sql}
		}
	}
	return Verdict{Keep: true}
}

// Always reports whether the predicate is true for each row of a file. A nil
// Pruner has no predicate.
func (p *Pruner) Always(f File) bool {
	if p == nil || len(p.conjuncts) == 0 {
		return true
	}
	s := p.t.open(f)
	defer p.t.done(s)
	for i := range p.conjuncts {
		if p.conjuncts[i].cond(s) != canTrue {
			return false
		}
	}
	return true
}

// onlyPartition reports whether an expression needs no other columns than
// partition columns.
func (t *table) onlyPartition(e expr.Expr) bool {
	for _, ref := range expr.Refs(e) {
		if ref < 0 || ref >= len(t.partition) || t.partition[ref] < 0 {
			return false
		}
	}
	return true
}
