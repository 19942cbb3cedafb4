package main

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/sluicelake/sluice"
)

// scanWorkloads read the lineitem table, which is sorted by its key and has
// twelve files: to Arrow, through an aggregate, or for a few rows.
var scanWorkloads = []workload{
	{name: "scan-lineitem", what: "read all columns of lineitem", prepare: prepareLineitem, fresh: inPlace("lineitem-cow"), run: runScan, peer: "scan", duck: true},
	{name: "scan-sum3", what: "sum three columns of lineitem", prepare: prepareLineitem, fresh: inPlace("lineitem-cow"), run: runSum3, peer: "sum3", duck: true},
	{name: "scan-q6", what: "TPC-H query 6: a sum under three conditions", prepare: prepareLineitem, fresh: inPlace("lineitem-cow"), run: runQ6, peer: "q6", duck: true},
	{name: "scan-q1", what: "TPC-H query 1: eight aggregates in six groups", prepare: prepareLineitem, fresh: inPlace("lineitem-cow"), run: runQ1, peer: "q1", duck: true},
	{name: "scan-point", what: "look one order up by its key", prepare: prepareLineitem, fresh: inPlace("lineitem-cow"), run: runPoint, peer: "point", duck: true},
	{name: "scan-count", what: "count the rows under a condition of two columns", prepare: prepareLineitem, fresh: inPlace("lineitem-cow"), run: runCount, peer: "count", duck: true},
	{name: "scan-head", what: "the first ten rows, all columns", prepare: prepareLineitem, fresh: inPlace("lineitem-cow"), run: runHead},
}

// runRows runs a scan, gives each batch to a function and returns what the line
// tells: the result of the query, so that engines can be compared.
func runRows(ctx context.Context, place string, o sluice.ScanOptions, each func(arrow.RecordBatch), result func() map[string]float64) (Line, error) {
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
	for batch, err := range s.Scan(o).Batches(ctx) {
		if err != nil {
			return Line{}, err
		}
		each(batch)
	}
	return counted(Line{WallS: time.Since(start).Seconds(), Extra: result()}, b), nil
}

func runScan(ctx context.Context, place string) (Line, error) {
	rows := int64(0)
	line, err := runRows(ctx, place, sluice.ScanOptions{}, func(b arrow.RecordBatch) { rows += b.NumRows() },
		func() map[string]float64 { return map[string]float64{"rows": float64(rows)} })
	if err == nil && rows != lineitemRows {
		return line, fmt.Errorf("%d rows, want %d: %w", rows, lineitemRows, errWrong)
	}
	return line, err
}

func runHead(ctx context.Context, place string) (Line, error) {
	rows := int64(0)
	line, err := runRows(ctx, place, sluice.ScanOptions{Limit: 10}, func(b arrow.RecordBatch) { rows += b.NumRows() },
		func() map[string]float64 { return map[string]float64{"rows": float64(rows)} })
	if err == nil && rows != 10 {
		return line, fmt.Errorf("%d rows, want 10: %w", rows, errWrong)
	}
	return line, err
}

func runSum3(ctx context.Context, place string) (Line, error) {
	var parts, suppliers, lines int64
	return runRows(ctx, place, sluice.ScanOptions{Columns: []string{"l_partkey", "l_suppkey", "l_linenumber"}}, func(b arrow.RecordBatch) {
		for _, v := range b.Column(0).(*array.Int64).Int64Values() {
			parts += v
		}
		for _, v := range b.Column(1).(*array.Int64).Int64Values() {
			suppliers += v
		}
		for _, v := range b.Column(2).(*array.Int32).Int32Values() {
			lines += int64(v)
		}
	}, func() map[string]float64 {
		return map[string]float64{"parts": float64(parts), "suppliers": float64(suppliers), "lines": float64(lines)}
	})
}

const q6Where = "l_shipdate >= DATE'1994-01-01' AND l_shipdate < DATE'1995-01-01' AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24"

// runQ6 computes in units of a ten-thousandth.
func runQ6(ctx context.Context, place string) (Line, error) {
	var revenue int64
	return runRows(ctx, place, sluice.ScanOptions{Where: q6Where, Columns: []string{"l_extendedprice", "l_discount"}}, func(b arrow.RecordBatch) {
		price, discount := b.Column(0).(*array.Decimal128).Values(), b.Column(1).(*array.Decimal128).Values()
		for i := range price {
			revenue += int64(price[i].LowBits()) * int64(discount[i].LowBits())
		}
	}, func() map[string]float64 { return map[string]float64{"revenue": float64(revenue) / 1e4} })
}

// q1Group is one group of query 1; amounts are in the units that the scales of
// the columns give.
type q1Group struct{ quantity, price, discounted, charged, discount, rows int64 }

func runQ1(ctx context.Context, place string) (Line, error) {
	var groups [1 << 16]*q1Group // by the two flags
	columns := []string{"l_returnflag", "l_linestatus", "l_quantity", "l_extendedprice", "l_discount", "l_tax"}
	return runRows(ctx, place, sluice.ScanOptions{Where: "l_shipdate <= DATE'1998-09-02'", Columns: columns}, func(b arrow.RecordBatch) {
		flag, status := b.Column(0).(*array.String), b.Column(1).(*array.String)
		quantity, price := b.Column(2).(*array.Decimal128).Values(), b.Column(3).(*array.Decimal128).Values()
		discount, tax := b.Column(4).(*array.Decimal128).Values(), b.Column(5).(*array.Decimal128).Values()
		for i := range quantity {
			at := uint16(flag.Value(i)[0])<<8 | uint16(status.Value(i)[0])
			g := groups[at]
			if g == nil {
				g = &q1Group{}
				groups[at] = g
			}
			p, d := int64(price[i].LowBits()), int64(discount[i].LowBits())
			g.quantity += int64(quantity[i].LowBits())
			g.price += p
			g.discounted += p * (100 - d)
			g.charged += p * (100 - d) * (100 + int64(tax[i].LowBits()))
			g.discount += d
			g.rows++
		}
	}, func() map[string]float64 {
		out := map[string]float64{}
		for _, g := range groups {
			if g == nil {
				continue
			}
			out["groups"]++
			out["rows"] += float64(g.rows)
			out["quantity"] += float64(g.quantity) / 1e2
			out["price"] += float64(g.price) / 1e2
			out["discounted"] += float64(g.discounted) / 1e4
			out["charged"] += float64(g.charged) / 1e6
		}
		return out
	})
}

// pointKey is an order in the middle of the table.
func pointKey() int64 { return lineitemRows / 8 }

func runPoint(ctx context.Context, place string) (Line, error) {
	rows := int64(0)
	line, err := runRows(ctx, place, sluice.ScanOptions{Where: fmt.Sprint("l_orderkey = ", pointKey())}, func(b arrow.RecordBatch) { rows += b.NumRows() },
		func() map[string]float64 { return map[string]float64{"rows": float64(rows)} })
	if err == nil && rows != 4 {
		return line, fmt.Errorf("%d rows, want 4: %w", rows, errWrong)
	}
	return line, err
}

const countWhere = "l_shipmode = 'AIR' AND l_quantity >= 40"

func runCount(ctx context.Context, place string) (Line, error) {
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
	n, err := s.Scan(sluice.ScanOptions{Where: countWhere}).Count(ctx)
	if err != nil {
		return Line{}, err
	}
	return counted(Line{WallS: time.Since(start).Seconds(), Extra: map[string]float64{"rows": float64(n)}}, b), nil
}
