package query

import (
	"context"
	"iter"
	"math/big"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/types"
)

// sequence is range(end), range(start, end [, step [, partitions]]): the column id.
type sequence struct {
	start, step int64
	count       int64
}

func newRange(args []*expr.Literal) (Relation, error) {
	if len(args) < 1 || len(args) > 4 {
		return nil, failf("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "range takes 1 to 4 arguments, not %d", len(args))
	}
	n := make([]int64, len(args))
	for i, a := range args {
		v, ok := a.Value.(int64)
		if !ok || !types.IsIntegral(a.T) {
			return nil, failf("UNEXPECTED_INPUT_TYPE", "argument %d of range is an integer, not %s", i+1, a)
		}
		n[i] = v
	}
	s, end := &sequence{step: 1}, n[0]
	if len(n) > 1 {
		s.start, end = n[0], n[1]
	}
	if len(n) > 2 {
		s.step = n[2]
	}
	if s.step == 0 {
		return nil, failf("INVALID_PARAMETER_VALUE", "the step of range cannot be 0")
	}
	span := new(big.Int).Sub(big.NewInt(end), big.NewInt(s.start))
	step := big.NewInt(s.step)
	if span.Sign() == step.Sign() {
		count, rest := new(big.Int).QuoRem(span, step, new(big.Int))
		if rest.Sign() != 0 {
			count.Add(count, big.NewInt(1))
		}
		if !count.IsInt64() {
			return nil, failf("INVALID_PARAMETER_VALUE", "range has more than 2^63 rows")
		}
		s.count = count.Int64()
	}
	return s, nil
}

func (s *sequence) Schema() *types.Struct {
	return types.NewStruct(types.Field{Name: "id", Type: types.Long})
}

func (s *sequence) Scan(ctx context.Context, o ScanOptions) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		schema, err := columns.ArrowSchema(s.Schema())
		if err != nil {
			yield(nil, err)
			return
		}
		for done := int64(0); done < s.count; {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			n := min(s.count-done, batchRows)
			var cols []arrow.Array
			out := schema
			if len(o.Columns) > 0 {
				b := array.NewInt64Builder(memory.DefaultAllocator)
				b.Reserve(int(n))
				for i := range n {
					b.UnsafeAppend(s.start + (done+i)*s.step)
				}
				cols = append(cols, b.NewArray())
			} else {
				out = arrow.NewSchema(nil, nil)
			}
			if !yield(array.NewRecordBatch(out, cols, n), nil) {
				return
			}
			done += n
		}
	}
}
