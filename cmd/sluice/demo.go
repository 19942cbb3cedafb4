package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/types"
)

// demoVariant is one form of the report's statement.
type demoVariant struct {
	name, what string
	bySource   func(country string) string // the third clause, "" for none
}

var demoVariants = []demoVariant{
	{"report", "as in the report: WHEN NOT MATCHED BY SOURCE THEN DELETE, without a condition", func(string) string { return "DELETE" }},
	{"scoped", "with the third clause scoped to the writer's own country",
		func(c string) string { return "AND t.country = '" + c + "' THEN DELETE" }},
	{"none", "without the third clause", func(string) string { return "" }},
}

const demoSchema = "user_id STRING, name STRING, city STRING, country STRING"

type demoFlags struct {
	variant   string
	processes bool
	writers   int
	data      string
	keep      string
	azure     bool
	rounds    int
	marks     bool
}

func (a *app) demo() *cobra.Command {
	var f demoFlags
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Two writers merge into one table at the same time, and both succeed",
		Long: `Runs the job from which sluice grew: two writers MERGE two countries into one partitioned table at the
same time. Both read the same version; on Spark and delta-rs one of them fails. Here both commit,
the result is the one that running them one after the other gives, and you are told what happened.

Variants: report (the third clause deletes whatever the source lacks, in every country), scoped (the
clause is limited to the writer's country), none (no such clause), all. The default runs report and scoped.`,
		Example: `  sluice demo
  sluice demo --variant all --writers 4 --processes
  sluice demo --keep /tmp/people && sluice history /tmp/people/report
  sluice demo --azure --processes`,
		Args: exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runDemo(cmd.Context(), f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.variant, "variant", "", "report, scoped, none or all (default: report, then scoped)")
	fl.BoolVar(&f.processes, "processes", false, "run the writers as processes instead of goroutines")
	fl.IntVar(&f.writers, "writers", 2, "how many writers")
	fl.StringVar(&f.data, "data", "", "merge the JSON files of this `DIR` instead of made-up rows")
	fl.StringVar(&f.keep, "keep", "", "make the tables in this `DIR` and keep them")
	fl.BoolVar(&f.azure, "azure", false, "on Azure Data Lake Storage, played by this program: sign-in, key vault and lake")
	fl.IntVar(&f.rounds, "rounds", 1, "repeat each variant this many times, and print only what differs")
	fl.BoolVar(&f.marks, "deletion-vectors", true, "the table has deletion vectors; without them files are rewritten")
	choices(cmd, "variant", []string{"report", "scoped", "none", "all"})
	return cmd
}

func (a *app) runDemo(ctx context.Context, f demoFlags) error {
	if f.azure && f.keep != "" {
		return usagef("--azure and --keep do not go together: the lake ends with the demonstration")
	}
	if f.writers < 1 || f.rounds < 1 {
		return usagef("--writers and --rounds want 1 or more")
	}
	var chosen []demoVariant
	for _, v := range demoVariants {
		if f.variant == v.name || f.variant == "all" || (f.variant == "" && v.name != "none") {
			chosen = append(chosen, v)
		}
	}
	if len(chosen) == 0 {
		return usagef("--variant %s: want report, scoped, none or all", f.variant)
	}
	dir, cleanup, err := demoDir(f.keep)
	if err != nil {
		return err
	}
	defer cleanup()
	people, err := populations(f.data, dir, f.writers)
	if err != nil {
		return err
	}
	place := func(name string) string { return filepath.Join(dir, name) }
	if f.azure {
		lake, err := a.startLake(ctx, dir, people)
		if err != nil {
			return err
		}
		defer lake.close()
		place = lake.place
		if !a.json && f.rounds == 1 {
			lake.introduce()
		}
	}
	for i, v := range chosen {
		if i > 0 && !a.json && f.rounds == 1 {
			a.printf("")
		}
		for round := range f.rounds {
			d := demoRun{a: a, f: f, v: v, people: people, dir: dir, table: place(v.name)}
			if f.rounds > 1 {
				d.table = place(fmt.Sprintf("%s-%03d", v.name, round))
			}
			if err := d.run(ctx); err != nil {
				return fmt.Errorf("variant %s, round %d: %w", v.name, round+1, err)
			}
			if err := a.out.Flush(); err != nil {
				return err
			}
		}
		if f.rounds > 1 && a.json {
			if err := a.object(map[string]any{"variant": v.name, "processes": f.processes, "writers": f.writers, "rounds": f.rounds, "errors": 0}); err != nil {
				return err
			}
		} else if f.rounds > 1 {
			a.printf("%s: %d rounds with %d writers: no error, each result is that of a serial order", v.name, f.rounds, f.writers)
		}
	}
	if !a.json && f.rounds == 1 {
		a.lookFurther(f, dir, chosen)
	}
	return nil
}

func demoDir(keep string) (dir string, cleanup func(), err error) {
	if keep != "" {
		return keep, func() {}, os.MkdirAll(keep, 0o755)
	}
	dir, err = os.MkdirTemp("", "sluice-demo-")
	return dir, func() { os.RemoveAll(dir) }, err
}

func (a *app) lookFurther(f demoFlags, dir string, chosen []demoVariant) {
	a.printf("")
	if f.azure {
		a.printf("On a lake of your own it is one command a writer; docs/guide/azure.md has the options:")
		a.printf("  sluice merge abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/TABLE --source abfss://.../raw/%s.json --on ... \\", "USA")
		a.printf("    --option tenant=... --option client-id=... --option client-secret=keyvault://VAULT/NAME")
		return
	}
	if f.keep == "" {
		a.printf("To look further, keep the tables: sluice demo --keep DIR, then sluice history DIR/%s,", chosen[0].name)
		a.printf("sluice log DIR/%s 2, sluice cat DIR/%s, sluice explain --help.", chosen[0].name, chosen[0].name)
		return
	}
	table := filepath.Join(dir, chosen[0].name)
	a.printf("The tables are kept. Look further with:")
	a.printf("  sluice history %s", table)
	a.printf("  sluice log %s 2", table)
	a.printf("  sluice cat %s --limit 5", table)
}

// demoRun is one run of one variant.
type demoRun struct {
	a      *app
	f      demoFlags
	v      demoVariant
	people []population
	dir    string
	table  string
	began  time.Time
}

// outcome is how one writer ended.
type outcome struct {
	writer   population
	result   demoResult
	prepared time.Duration // since the start
	ended    time.Duration // published
}

// demoResult is what a writer reports, whether it is a goroutine or a process.
type demoResult struct {
	Version  int64        `json:"version"`
	Attempts int          `json:"attempts"`
	Inserted int64        `json:"rowsInserted"`
	Updated  int64        `json:"rowsUpdated"`
	Deleted  int64        `json:"rowsDeleted"`
	Winners  []demoWinner `json:"winners"`
	// Timestamp is when the version was published.
	Timestamp time.Time `json:"timestamp"`
}

type demoWinner struct {
	Version    int64   `json:"version"`
	Operation  string  `json:"operation"`
	Verdict    string  `json:"verdict"`
	Dropped    int     `json:"dropped"`
	Computed   int     `json:"computed"`
	Rows       int64   `json:"rows"`
	ElapsedMs  float64 `json:"elapsedMs"`
	SparkClass string  `json:"sparkClass"`
}

func (d *demoRun) run(ctx context.Context) error {
	schema, err := types.ParseDDL(demoSchema)
	if err != nil {
		return err
	}
	props := map[string]string{}
	if !d.f.marks {
		props["delta.enableDeletionVectors"] = "false"
	}
	opts, err := d.a.tableOptions(ctx, d.table)
	if err != nil {
		return err
	}
	t, err := sluice.Create(ctx, d.table, schema, sluice.CreateOptions{PartitionBy: []string{"country", "city"}, Properties: props}, opts...)
	if err != nil {
		return err
	}
	defer t.Close()
	var outcomes []outcome
	d.began = time.Now()
	if d.f.processes {
		outcomes, err = d.inProcesses(ctx)
	} else {
		outcomes, err = d.inGoroutines(ctx)
	}
	if err != nil {
		return err
	}
	sort.Slice(outcomes, func(i, j int) bool { return outcomes[i].result.Version < outcomes[j].result.Version })
	counts, err := d.check(ctx, t, outcomes)
	if err != nil {
		return err
	}
	if d.f.rounds > 1 {
		return nil
	}
	return d.tell(ctx, t, outcomes, counts)
}

// statement is the MERGE of one writer, in the words of the command line.
func (d *demoRun) statement(p population) (on string, clauses []clauseText) {
	on = "t.user_id = s.user_id AND t.city = s.city AND t.country = '" + p.country + "'"
	clauses = []clauseText{{sluice.Matched, "UPDATE SET *"}, {sluice.NotMatched, "INSERT *"}}
	if c := d.v.bySource(p.country); c != "" {
		clauses = append(clauses, clauseText{sluice.NotMatchedBySource, c})
	}
	return on, clauses
}

// builder prepares the MERGE of one writer.
func (d *demoRun) builder(ctx context.Context, t *sluice.Table, p population) (*sluice.MergeBuilder, error) {
	schema, err := types.ParseDDL(demoSchema)
	if err != nil {
		return nil, err
	}
	src, err := d.a.fromFile(ctx, p.file, sluice.SourceOptions{Format: "json", Schema: schema})
	if err != nil {
		return nil, err
	}
	on, clauses := d.statement(p)
	b := t.Merge(src, on)
	for _, c := range clauses {
		b = b.Clause(c.kind, c.text)
	}
	return b, nil
}

// check reads the table back and compares it with what running the writers one
// after the other, in the order of their versions, gives. It returns the rows
// of each country.
func (d *demoRun) check(ctx context.Context, t *sluice.Table, outcomes []outcome) (map[string]int, error) {
	for i, o := range outcomes {
		if o.result.Version != int64(i+1) {
			return nil, fmt.Errorf("the history has a gap: writer %s published version %d, want %d", o.writer.country, o.result.Version, i+1)
		}
	}
	want := map[person]int{}
	for _, o := range outcomes {
		want = d.serial(want, o.writer)
	}
	s, err := t.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	got, counts := map[person]int{}, map[string]int{}
	for b, err := range s.Scan(sluice.ScanOptions{}).Batches(ctx) {
		if err != nil {
			return nil, err
		}
		for i := range int(b.NumRows()) {
			var p [4]string
			for c := range p {
				p[c] = b.Column(c).ValueStr(i)
			}
			row := person{p[0], p[1], p[2], p[3]}
			got[row]++
			counts[row.Country]++
		}
	}
	for row, n := range want {
		if got[row] != n {
			return nil, fmt.Errorf("the row %v is there %d times; running the writers one after the other gives it %d times", row, got[row], n)
		}
	}
	if len(got) != len(want) {
		return nil, fmt.Errorf("%d different rows are in the table, running the writers one after the other gives %d", len(got), len(want))
	}
	return counts, nil
}

// serial is the statement run on a set of rows, by its definition.
func (d *demoRun) serial(rows map[person]int, p population) map[person]int {
	type key struct{ id, city string }
	source := map[key]person{}
	for _, r := range p.people {
		source[key{r.UserID, r.City}] = r
	}
	out, matched := map[person]int{}, map[key]bool{}
	clause := d.v.bySource(p.country)
	for row, n := range rows {
		k := key{row.UserID, row.City}
		s, ok := source[k]
		switch {
		case ok && row.Country == p.country:
			matched[k] = true
			out[s] += n
		case clause == "DELETE", clause != "" && row.Country == p.country:
		default:
			out[row] += n
		}
	}
	for k, s := range source {
		if !matched[k] {
			out[s]++
		}
	}
	return out
}

func (d *demoRun) tell(ctx context.Context, t *sluice.Table, outcomes []outcome, counts map[string]int) error {
	if d.a.json {
		list := []map[string]any{}
		for _, o := range outcomes {
			list = append(list, map[string]any{"country": o.writer.country, "sourceRows": len(o.writer.people), "result": o.result,
				"preparedMs": ms(o.prepared), "endedMs": ms(o.ended)})
		}
		return d.a.object(map[string]any{"variant": d.v.name, "processes": d.f.processes, "writers": list, "rowsPerCountry": counts, "equalsSerialOrder": order(outcomes)})
	}
	d.a.printf("== %s: %s", d.v.name, d.v.what)
	kind := "goroutines"
	if d.f.processes {
		kind = "processes"
	}
	d.a.printf("   %d writers as %s; table at version 0, partitioned by country and city", len(outcomes), kind)
	type event struct {
		at   time.Duration
		text string
	}
	var events []event
	for _, o := range outcomes {
		name := fmt.Sprintf("%-6s", o.writer.country)
		events = append(events, event{o.prepared, fmt.Sprintf("%s read version 0 and prepared its MERGE of %s", name, plural(int64(len(o.writer.people)), "row"))})
		text := ""
		for _, w := range o.result.Winners {
			text += fmt.Sprintf("%s lost version %d to another writer's %s; %s\n", name, w.Version, w.Operation, repairText(w))
		}
		text += fmt.Sprintf("%s published version %d: %d inserted, %d updated, %d deleted", name, o.result.Version, o.result.Inserted, o.result.Updated, o.result.Deleted)
		for _, line := range strings.Split(text, "\n") {
			events = append(events, event{o.ended, line})
		}
	}
	// outcomes are in the order of their versions, and so stay events of one moment
	sort.SliceStable(events, func(i, j int) bool { return events[i].at < events[j].at })
	for _, e := range events {
		d.a.printf("   %8.1f ms  %s", ms(e.at), e.text)
	}
	var parts []string
	total := 0
	for _, c := range sorted(counts) {
		parts = append(parts, fmt.Sprintf("%s %d", c, counts[c]))
		total += counts[c]
	}
	d.a.printf("   rows: %d (%s)", total, strings.Join(parts, ", "))
	d.a.printf("   the same as running them one after the other: %s", strings.Join(order(outcomes), ", then "))
	d.spark(outcomes)
	return d.warn(ctx, t, outcomes)
}

func ms(t time.Duration) float64 { return float64(t.Microseconds()) / 1000 }

func order(outcomes []outcome) []string {
	var out []string
	for _, o := range outcomes {
		out = append(out, o.writer.country)
	}
	return out
}

func repairText(w demoWinner) string {
	switch w.Verdict {
	case "independent":
		return "it touched nothing that this MERGE depends on"
	case "repair":
		return fmt.Sprintf("looked at %s again, %s changed fate, in %.1f ms", plural(int64(w.Dropped+w.Computed), "file"), plural(w.Rows, "row"), w.ElapsedMs)
	}
	return "ran again"
}

// spark says what the reference would have answered to the same reads.
func (d *demoRun) spark(outcomes []outcome) {
	failed := 0
	class := ""
	for _, o := range outcomes {
		for _, w := range o.result.Winners {
			if w.SparkClass != "" {
				failed++
				class = w.SparkClass
				break
			}
		}
	}
	if failed == 0 {
		d.a.printf("   Spark: would have committed them all")
		return
	}
	name, _, _ := strings.Cut(class, ".")
	d.a.printf("   Spark: would have failed %d of %d with %s (%s)", failed, len(outcomes), sluice.SparkException(class), name)
}

// warn shows what explain says of the last writer's statement, on
// the version that it met.
func (d *demoRun) warn(ctx context.Context, t *sluice.Table, outcomes []outcome) error {
	last := outcomes[len(outcomes)-1]
	b, err := d.builder(ctx, t, last.writer)
	if err != nil {
		return err
	}
	x, err := b.Explain(ctx, sluice.Version(last.result.Version-1))
	if err != nil {
		return err
	}
	for _, f := range x.Findings {
		lines := strings.Split(f.Text, "\n")
		d.a.printf("   sluice explain, asked about %s's statement at version %d (%s):", last.writer.country, last.result.Version-1, f.Code)
		for _, line := range lines {
			d.a.printf("      %s", line)
		}
	}
	return nil
}
