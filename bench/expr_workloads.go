package main

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/base/columns"
	"github.com/sluicelake/sluice/internal/logic/eval"
	"github.com/sluicelake/sluice/types"
)

// exprWorkloads compute expressions over one batch in memory, again and again;
// the line tells the millions of values a second of each.
var exprWorkloads = []workload{
	exprWorkload("comparison", "l < 500000", "s >= 'm'", "s LIKE 'name 1%'", "x <= 10.5"),
	exprWorkload("arithmetic", "l + l", "x / 3", "dec * dec", "l % 7"),
	exprWorkload("string", "upper(s)", "concat(s, '-', s)", "substring(s, 2, 4)", "replace(s, 'a', 'b')"),
	exprWorkload("cast", "CAST(l AS STRING)", "CAST(digits AS INT)", "CAST(digits AS DECIMAL(10,2))", "CAST(x AS DECIMAL(20,4))"),
	exprWorkload("case", "CASE WHEN l < 300000 THEN 'low' ELSE s END", "coalesce(n, l)", "if(l % 2 = 0, l, 0L)"),
}

const exprRows, exprTimes = 8192, 300

func exprWorkload(kind string, texts ...string) workload {
	return workload{name: "expr-" + kind, what: "expressions of the kind " + kind + ", values a second", prepare: prepareDir,
		run: func(context.Context, string) (Line, error) { return runExpressions(texts) }}
}

func runExpressions(texts []string) (Line, error) {
	schema, err := types.ParseDDL("l BIGINT, n BIGINT, x DOUBLE, dec DECIMAL(10,2), s STRING, digits STRING")
	if err != nil {
		return Line{}, err
	}
	in := eval.Input{Rows: exprRows}
	raw := make([][]any, len(schema.Fields))
	for i := range int64(exprRows) {
		row := []any{i * 7919 % 1_000_003, i, float64(i) * 1.25, i * 37, fmt.Sprintf("name %d", i%50), fmt.Sprint(i)}
		if i%3 == 0 {
			row[1] = nil
		}
		for k, v := range row {
			raw[k] = append(raw[k], v)
		}
	}
	scope := expr.Scope{Tables: []expr.Table{{Schema: schema}}}
	for k, f := range schema.Fields {
		var a arrow.Array
		if f.Name == "dec" {
			if a, err = columns.FromValues(types.Long, raw[k]...); err == nil {
				a, err = compute("CAST(l / 100BD AS DECIMAL(10,2))", expr.Scope{Tables: []expr.Table{{Schema: types.NewStruct(types.Field{Name: "l", Type: types.Long})}}},
					eval.Input{Columns: []arrow.Array{a}, Rows: exprRows}, 1)
			}
		} else {
			a, err = columns.FromValues(f.Type, raw[k]...)
		}
		if err != nil {
			return Line{}, err
		}
		in.Columns = append(in.Columns, a)
	}
	line := Line{Extra: map[string]float64{}}
	for _, text := range texts {
		start := time.Now()
		if _, err := compute(text, scope, in, exprTimes); err != nil {
			return Line{}, fmt.Errorf("%s: %w", text, err)
		}
		took := time.Since(start).Seconds()
		line.WallS += took
		line.Extra["mvalues_s "+text] = exprRows * exprTimes / took / 1e6
	}
	return line, nil
}

// compute binds an expression and computes it so many times.
func compute(text string, scope expr.Scope, in eval.Input, times int) (out arrow.Array, err error) {
	e, err := expr.Parse(text)
	if err != nil {
		return nil, err
	}
	if e, err = expr.Bind(e, scope); err != nil {
		return nil, err
	}
	for e = expr.Fold(e, eval.Literal); times > 0 && err == nil; times-- {
		out, err = eval.Eval(e, in)
	}
	return out, err
}
