// Command bench runs sluice's workloads, each in a process of its own, and
// prints one JSON line a run: wall and processor time, peak memory, store
// requests and bytes. With -peer the same work is done by deltalake and DuckDB
// (both Python), where these are installed, in the same session.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"
)

// Line is one measured run.
type Line struct {
	Workload string  `json:"workload"`
	Engine   string  `json:"engine"`
	WallS    float64 `json:"wall_s"`
	CPUS     float64 `json:"cpu_s"`
	PeakMB   float64 `json:"peak_mb"`
	Requests int64   `json:"requests,omitempty"`
	ReadMB   float64 `json:"read_mb,omitempty"`
	WriteMB  float64 `json:"written_mb,omitempty"`
	// Extra are figures of one workload, for example commits a second.
	Extra map[string]float64 `json:"extra,omitempty"`
	Note  string             `json:"note,omitempty"`
	Time  string             `json:"time,omitempty"`
	CPUs  int                `json:"cpus,omitempty"`
	Rev   string             `json:"rev,omitempty"`
}

// python runs peer.py.
var python string

// workload is one thing that is measured.
type workload struct {
	name string
	what string
	// prepare makes what the runs need, once, below dir.
	prepare func(ctx context.Context, dir string) error
	// fresh makes the place that one run may change and returns it.
	fresh func(dir, scratch string) (string, error)
	// run does the work; what it returns is added to the line.
	run func(ctx context.Context, place string) (Line, error)
	// peer is the name of the same work in peer.py; "" when there is none.
	peer string
	// slow says that the peer takes minutes and runs once.
	slow bool
	// duck says that peer.py does the same with DuckDB, as "duckdb:" + peer.
	duck bool
}

func main() {
	var (
		dir    = flag.String("dir", filepath.Join(os.TempDir(), "sluice-bench"), "where data is made and kept")
		only   = flag.String("run", "", "run the workloads whose name matches this regular expression")
		runs   = flag.Int("n", 3, "runs of each workload")
		peer   = flag.Bool("peer", false, "run the same with deltalake and DuckDB (pip install deltalake pyarrow duckdb duckdb-extensions duckdb-extension-delta) as well")
		record = flag.String("record", "", "append the lines to this file")
		list   = flag.Bool("list", false, "list the workloads")
		shown  = flag.Bool("figures", false, "run only what the README shows (with -n 3 -peer about ten minutes)")
		readme = flag.String("readme", "", "put the figures of the newest lines of -record (bench/history.jsonl) into this file, and run nothing")
		child  = flag.String("child", "", "internal: run one workload in this process")
		place  = flag.String("place", "", "internal: where")
		prof   = flag.String("profile", "", "write a processor profile of each run of sluice to this file")
	)
	flag.StringVar(&python, "python", "python3", "the Python that has them")
	flag.Int64Var(&lineitemRows, "rows", 6_000_000, "rows of the lineitem table")
	flag.Parse()
	ctx := context.Background()
	if *child != "" {
		if *prof != "" {
			stop, err := profile(*prof)
			if err != nil {
				fmt.Fprintln(os.Stderr, "bench:", err)
				os.Exit(1)
			}
			defer stop()
		}
		if err := runChild(ctx, *child, *place); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if *list {
		for _, w := range allWorkloads() {
			fmt.Printf("%-28s %s\n", w.name, w.what)
		}
		return
	}
	if *readme != "" {
		if *record == "" {
			*record = filepath.Join("bench", "history.jsonl")
		}
		if err := intoReadme(*readme, *record); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	b := bench{dir: *dir, runs: *runs, peer: *peer, record: *record, profile: *prof, figures: *shown}
	if err := b.all(ctx, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type bench struct {
	dir     string
	runs    int
	peer    bool
	record  string
	profile string
	figures bool // only what the README shows
	// scratch is removed at the end: ext4 creates files slowly for minutes
	// after many were deleted, which would be charged to the next run.
	scratch []string
}

func (b *bench) all(ctx context.Context, only string) error {
	defer func() {
		for _, dir := range b.scratch {
			os.RemoveAll(dir)
		}
	}()
	re, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	for _, w := range allWorkloads() {
		if !re.MatchString(w.name) || b.figures && !inReadme(w.name) {
			continue
		}
		if w.prepare != nil {
			// In a process of its own: the peak memory of a child begins with its parent's.
			cmd := exec.CommandContext(ctx, os.Args[0], "-child", preparing+w.name, "-place", b.dir, "-rows", fmt.Sprint(lineitemRows), "-python", python)
			cmd.Stderr = os.Stderr
			if err := cmd.Run(); err != nil {
				return fmt.Errorf("%s: preparing: %w", w.name, err)
			}
		}
		for run := range b.runs {
			if err := b.once(w, "sluice", func(place string) *exec.Cmd {
				return exec.CommandContext(ctx, os.Args[0], "-child", w.name, "-place", place, "-rows", fmt.Sprint(lineitemRows), "-profile", b.profile)
			}); err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
			if !b.peer || w.peer == "" || w.slow && run > 0 {
				continue
			}
			peers := [][2]string{{"deltalake", w.peer}}
			if w.duck {
				peers = append(peers, [2]string{"duckdb", "duckdb:" + w.peer})
			}
			for _, p := range peers {
				if err := b.once(w, p[0], func(place string) *exec.Cmd {
					return exec.CommandContext(ctx, python, filepath.Join("bench", "peer.py"), p[1], place)
				}); err != nil {
					fmt.Fprintf(os.Stderr, "bench: %s with %s: %v\n", w.name, p[0], err)
				}
			}
		}
	}
	return nil
}

// once runs a process and measures it from outside.
func (b *bench) once(w workload, engine string, command func(place string) *exec.Cmd) error {
	scratch, err := os.MkdirTemp(b.dir, "run-")
	if err != nil {
		return err
	}
	b.scratch = append(b.scratch, scratch)
	place := scratch
	if w.fresh != nil {
		if place, err = w.fresh(b.dir, scratch); err != nil {
			return err
		}
	}
	cmd := command(place)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return err
	}
	line := Line{}
	for s := bufio.NewScanner(strings.NewReader(out.String())); s.Scan(); {
		if err := json.Unmarshal(s.Bytes(), &line); err != nil {
			return fmt.Errorf("its line %q: %w", s.Text(), err)
		}
	}
	line.Workload, line.Engine = w.name, engine
	if line.WallS == 0 {
		line.WallS = time.Since(start).Seconds()
	}
	line.CPUS = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	line.PeakMB = peakMB(cmd.ProcessState)
	line.Time, line.CPUs, line.Rev = time.Now().UTC().Format(time.RFC3339), runtime.NumCPU(), revision()
	text, err := json.Marshal(line)
	if err != nil {
		return err
	}
	fmt.Println(string(text))
	if b.record == "" {
		return nil
	}
	f, err := os.OpenFile(b.record, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.Write(append(text, '\n'))
	return err
}

func revision() string {
	out, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// preparing before the name of a workload asks a child for its preparation.
const preparing = "prepare:"

// runChild is one run: it prints the line without what is measured from outside.
func runChild(ctx context.Context, name, place string) error {
	if name == "writer" {
		return runWriter(ctx, place)
	}
	name, first := strings.CutPrefix(name, preparing)
	for _, w := range allWorkloads() {
		if w.name == name && first {
			return w.prepare(ctx, place)
		}
		if w.name == name {
			line, err := w.run(ctx, place)
			if err != nil {
				return err
			}
			return json.NewEncoder(os.Stdout).Encode(line)
		}
	}
	return fmt.Errorf("there is no workload %s", name)
}

// profile starts a processor profile; the returned function ends it.
func profile(file string) (stop func(), err error) {
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		f.Close()
	}, nil
}
