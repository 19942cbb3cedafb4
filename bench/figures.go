package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// figure is one row of the tables in the README.
type figure struct {
	what     string
	workload string
	cell     func(r recorded) string
	none     string // the peer's cell where it has no lines
}

// figures are the rows about one writer, contests those about several.
var figures = []figure{
	{"open a table of 300,000 adds in 5 commits, list its files", "replay-300k", cpuAndPeak, "-"},
	{"append one row to a table of 1,001,000 files", "large-append", cpuAndPeak, "-"},
	{"DELETE one of its partitions", "large-delete", cpuAndPeak, "-"},
	{"MERGE 1 % scattered keys into 6 M rows x 16 columns, deletion vectors", "upsert-scattered-dv", cpuAndPeak, "cannot write them"},
	{"the same, copy-on-write", "upsert-scattered-cow", cpuAndPeak, "-"},
	{"MERGE a narrow key range into them, copy-on-write", "upsert-narrow-cow", cpuAndPeak, "-"},
	{"read all of them", "scan-lineitem", cpuAndPeak, "-"},
	{"OPTIMIZE 200 files of 6 M rows into large ones", "compact-200", cpuAndPeak, "-"},
	{"the same files, Z-order on two columns", "zorder-200", cpuAndPeak, "-"},
	{"one-row appends, one writer, no fsync", "append-1-nosync", rates, "-"},
	{"one-row appends, one writer, durable", "append-1-durable", rates, "-"},
	{"one-row appends, 8 processes, durable", "append-8-processes", perSecond, "-"},
	{"what a repair takes of a MERGE when a winner marked a row in one of its ten files (deletion vectors)", "repair-1-of-10-dv", share, "-"},
	{"the same when the winner rewrote the file (copy-on-write)", "repair-1-of-10", share, "-"},
}

var contests = []figure{
	{"8 processes x 20 single-row MERGEs with keys of their own on one table", "merge-8x20-processes", contested, "-"},
	{"4 processes x 50 one-row appends", "append-4x50", contested, "-"},
	{"5 MERGEs of 1,000 rows, while 2 processes append rows all the time", "merge-against-appends", contested, "-"},
	{"5 OPTIMIZEs of new small files, while 2 processes update rows all the time", "optimize-against-updates", contested, "-"},
}

// inReadme reports whether the README shows a workload.
func inReadme(workload string) bool {
	return slices.ContainsFunc(slices.Concat(figures, contests), func(f figure) bool { return f.workload == workload })
}

// recorded is the newest lines of one engine for one workload.
type recorded []Line

func (r recorded) median(of func(Line) float64) float64 {
	values := make([]float64, len(r))
	for i, l := range r {
		values[i] = of(l)
	}
	return median(values)
}

func (r recorded) extra(name string) float64 {
	return r.median(func(l Line) float64 { return l.Extra[name] })
}

func cpuAndPeak(r recorded) string {
	return figureOf(r.median(func(l Line) float64 { return l.CPUS })) + " CPU s, " + megabytes(r.median(func(l Line) float64 { return l.PeakMB }))
}

func rates(r recorded) string {
	return fmt.Sprintf("%s a second: %s around version 100, %s around version 1,500", figureOf(r.extra("commits_per_s")), figureOf(r.extra("rate_at_100")), figureOf(r.extra("rate_at_end")))
}

func perSecond(r recorded) string { return figureOf(r.extra("per_s")) + " a second" }

func share(r recorded) string {
	if s := 100 * r.extra("repair_share"); s >= 1 {
		return fmt.Sprintf("%.0f %% of its time", s)
	}
	return "less than 1 % of its time"
}

func contested(r recorded) string {
	text := fmt.Sprintf("%s of %s at the first try", figureOf(r.extra("first_try")), figureOf(r.extra("statements")))
	if n := r.extra("failed"); n > 0 {
		text += fmt.Sprintf(", %s given up", figureOf(n))
	}
	if n := r.extra("wasted_share"); n > 0 {
		text += fmt.Sprintf(", %.0f %% of the time in vain", 100*n)
	}
	if n := r.extra("twice_mb"); n >= 0.05 {
		text += fmt.Sprintf(", %.1f MB written twice", n)
	}
	if n := r.extra("rows_wrong"); n > 0 {
		text += fmt.Sprintf(", %s rows wrong", figureOf(n))
	}
	return text + fmt.Sprintf("; %s s", figureOf(r.median(func(l Line) float64 { return l.WallS })))
}

// figureOf shows two digits, or the whole number where it has more.
func figureOf(v float64) string {
	switch {
	case v == float64(int64(v)) && v < 1000:
		return fmt.Sprint(int64(v))
	case v < 1:
		return fmt.Sprintf("%.2f", v)
	case v < 10:
		return fmt.Sprintf("%.1f", v)
	case v < 1000:
		return fmt.Sprintf("%.0f", v)
	}
	n := int64(v+5) / 10 * 10
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}

func megabytes(v float64) string {
	if v >= 1000 {
		return fmt.Sprintf("%.1f GB", v/1000)
	}
	return fmt.Sprintf("%.0f MB", v)
}

// newest reads a record: for each engine and workload the lines of the last hour
// before its newest one.
func newest(path string) (map[[2]string]recorded, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out := map[[2]string]recorded{}
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for n := 1; s.Scan(); n++ {
		var l Line
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		out[[2]string{l.Engine, l.Workload}] = append(out[[2]string{l.Engine, l.Workload}], l)
	}
	for key, lines := range out {
		last := lines[len(lines)-1].when()
		out[key] = slices.DeleteFunc(lines, func(l Line) bool { return last.Sub(l.when()) > time.Hour })
	}
	return out, s.Err()
}

// when is the time of a line; zero when it has none.
func (l Line) when() time.Time {
	t, err := time.Parse(time.RFC3339, l.Time)
	if err != nil {
		return time.Time{}
	}
	return t
}

// tables are the README's, from a record.
func tables(path string) (string, error) {
	lines, err := newest(path)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	write := func(head string, rows []figure) {
		fmt.Fprintf(&b, "| %s | sluice | deltalake 1.6.6 |\n|---|---|---|\n", head)
		for _, f := range rows {
			cells := [2]string{f.none, f.none}
			for i, engine := range []string{"sluice", "deltalake"} {
				if r := lines[[2]string{engine, f.workload}]; len(r) > 0 {
					cells[i] = f.cell(r)
				}
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", f.what, cells[0], cells[1])
		}
	}
	write("workload", figures)
	b.WriteString("\nSeveral writers at once. Nobody retries in sluice; users of deltalake do, up to ten times:\n\n")
	write("writers", contests)
	return b.String(), nil
}

const begins, ends = "<!-- figures: go run ./bench -readme README.md -->\n", "<!-- end of the figures -->\n"

// intoReadme puts the tables between the marks of a text.
func intoReadme(readme, record string) error {
	text, err := os.ReadFile(readme)
	if err != nil {
		return err
	}
	from, to := bytes.Index(text, []byte(begins)), bytes.Index(text, []byte(ends))
	if from < 0 || to < from {
		return fmt.Errorf("%s has no place for figures: want a line %q and a line %q", readme, begins, ends)
	}
	made, err := tables(record)
	if err != nil {
		return err
	}
	out := string(text[:from+len(begins)]) + made + string(text[to:])
	return os.WriteFile(readme, []byte(out), 0o644)
}
