package prune

import (
	"strconv"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/format/colstats"
	"github.com/sluicelake/sluice/internal/format/partition"
	"github.com/sluicelake/sluice/internal/logic/eval"
)

// maxRemembered bounds the results that an exact scalar remembers.
const maxRemembered = 4096

// exact evaluates an expression over partition columns as a query would, once
// for each combination of values; nil when the expression needs more than that.
// Where the evaluation fails, otherwise answers.
func (t *table) exact(e expr.Expr, otherwise scalar) scalar {
	refs := expr.Refs(e)
	if len(refs) == 0 || !t.onlyPartition(e) || !expr.Deterministic(e) || e.Type() == nil || colstats.ClassOf(e.Type()) == colstats.None {
		return nil
	}
	var mu sync.Mutex
	known := map[string]interval{}
	return func(s *state) interval {
		var key strings.Builder
		for _, ref := range refs {
			text, null := s.file.Partition(t.partition[ref])
			if !null {
				key.WriteString(strconv.Itoa(len(text)))
				key.WriteByte(':')
				key.WriteString(text)
			}
			key.WriteByte('|')
		}
		mu.Lock()
		i, ok := known[key.String()]
		mu.Unlock()
		if ok {
			return i
		}
		if i, ok = t.evaluate(e, refs, s); !ok {
			i = otherwise(s)
		}
		mu.Lock()
		defer mu.Unlock()
		if len(known) < maxRemembered {
			known[key.String()] = i
		}
		return i
	}
}

// evaluate computes an expression on the file's partition values. ok is false
// after a failure and for a value that readers may take in two ways.
func (t *table) evaluate(e expr.Expr, refs []int, s *state) (i interval, ok bool) {
	in := eval.Input{Columns: make([]arrow.Array, len(t.schema.Fields)), Rows: 1}
	for _, ref := range refs {
		f := t.schema.Fields[ref]
		if i := s.partitionValue(t.partition[ref], f.Type); i.null && i.value {
			return unknown, false
		}
		var v any
		if text, null := s.file.Partition(t.partition[ref]); !null {
			var err error
			if v, err = partition.Parse(text, f.Type); err != nil {
				return unknown, false
			}
		}
		in.Columns[ref] = columns.Constant(v, f.Type, 1)
	}
	a, err := eval.Eval(e, in)
	if err != nil || a.Len() != 1 {
		return unknown, false
	}
	if columns.IsNull(a, 0) {
		return interval{null: true}, true
	}
	v, ok := colstats.Of(columns.Value(a, 0), e.Type())
	if !ok {
		return unknown, false
	}
	return point(v), true
}
