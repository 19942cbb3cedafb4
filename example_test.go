package sluice_test

import (
	"context"
	"fmt"
	"log"
	"sort"
	"strings"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/types"
)

// check keeps the examples short; programs handle their errors.
func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// people is a table of the examples, with three rows.
func people(ctx context.Context, url string) *sluice.Table {
	schema, err := types.ParseDDL("user_id STRING NOT NULL, name STRING, country STRING")
	check(err)
	t, err := sluice.Create(ctx, url, schema, sluice.CreateOptions{PartitionBy: []string{"country"}})
	check(err)
	_, err = t.Append(ctx, rows(ctx, `{"user_id":"1","name":"Ada","country":"UK"}
		{"user_id":"2","name":"Ben","country":"UK"}
		{"user_id":"3","name":"Cal","country":"USA"}`), sluice.AppendOptions{})
	check(err)
	return t
}

// rows makes a source of JSON text.
func rows(ctx context.Context, text string) sluice.Source {
	src, err := sluice.FromReader(ctx, strings.NewReader(text), sluice.SourceOptions{Format: "json"})
	check(err)
	return src
}

// show prints the rows of a table in the order of their keys.
func show(ctx context.Context, t *sluice.Table) {
	s, err := t.Snapshot(ctx)
	check(err)
	var lines []string
	for batch, err := range s.Scan(sluice.ScanOptions{}).Batches(ctx) {
		check(err)
		for i := range int(batch.NumRows()) {
			lines = append(lines, batch.Column(0).ValueStr(i)+" "+batch.Column(1).ValueStr(i)+" "+batch.Column(2).ValueStr(i))
		}
	}
	sort.Strings(lines)
	for _, line := range lines {
		fmt.Println(line)
	}
}
