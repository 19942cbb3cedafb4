package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"os/user"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/observe"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/diskcache"
	"github.com/sluicelake/sluice/storage/tracestore"
)

// app is one call of the program: its streams and global flags.
type app struct {
	in       io.Reader
	out      *bufio.Writer
	errs     io.Writer
	json     bool
	quiet    bool
	verbose  bool
	debug    bool
	trace    bool
	progress bool // tell what the commit loop does
	stats    bool
	options  []string
	outside  []string
	cache    string
	memory   string
	workers  int
	timeout  time.Duration
	memLimit int64
	mu       sync.Mutex // over buckets: the demonstration's writers open tables at the same time
	buckets  []*storage.Bucket
	temp     []string // files to remove at the end
	began    time.Time
	cpu      time.Duration
	command  string // as it was called, for hints
	writes   bool   // the command commits
}

// usage marks errors in the words of the command line.
type usage struct{ error }

func (u usage) Unwrap() error { return u.error }

func usagef(format string, args ...any) error { return usage{fmt.Errorf(format, args...)} }

// run is the whole program but for the process around it.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	a := &app{in: in, out: bufio.NewWriterSize(out, 1<<16), errs: &shared{w: errs}, began: time.Now(), cpu: cpuTime(), command: "sluice"}
	defer a.removeTemporary()
	root := a.root()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(a.out)
	root.SetErr(a.errs)
	cmd, err := root.ExecuteContextC(ctx)
	if cmd != nil {
		a.command = cmd.CommandPath()
	}
	if flushed := a.out.Flush(); err == nil && flushed != nil {
		err = fmt.Errorf("writing the result: %w", flushed)
	}
	if _, ok := err.(told); ok {
		return exitFailed
	}
	return a.exit(ctx, err)
}

func (a *app) root() *cobra.Command {
	var cancel context.CancelFunc
	root := &cobra.Command{
		Use:   "sluice",
		Short: "Delta tables without a JVM, where concurrent writers do not fail",
		Long: `sluice reads and writes Delta Lake tables. A TABLE is a path or URL.

Start with:  sluice demo
Then:        sluice create, append, merge, cat, history, explain
`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       "0.1.0",
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if a.timeout > 0 {
				var ctx context.Context
				ctx, cancel = context.WithTimeoutCause(cmd.Context(), a.timeout, fmt.Errorf("the time limit of %s is over", a.timeout))
				cmd.SetContext(ctx)
			}
			return a.limits()
		},
		PersistentPostRun: func(*cobra.Command, []string) {
			if cancel != nil {
				cancel()
			}
		},
	}
	f := root.PersistentFlags()
	f.BoolVar(&a.json, "json", false, "print one JSON object (or one a line, for sequences)")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "print results only, no remarks")
	f.BoolVarP(&a.verbose, "verbose", "v", false, "say more on standard error")
	f.BoolVar(&a.debug, "debug", false, "log every step of every transaction on standard error")
	f.BoolVar(&a.progress, "progress", false, "tell on standard error what the commit loop does: attempts, losses, verdicts, repairs, pauses, who is let go first")
	f.BoolVar(&a.trace, "trace", false, "print every call to the store, and what the commit loop does, on standard error")
	f.StringArrayVar(&a.options, "option", nil, "an option of the store, `k=v`; may be repeated")
	f.StringArrayVar(&a.outside, "allow-outside", nil, "read files that a log names below `PREFIX` though it is not the table's folder, or PREFIX=PLACE where they lie now; may be repeated")
	f.StringVar(&a.cache, "cache", "", "keep copies of immutable files of far tables in this `FOLDER`, or FOLDER:SIZE (default 1GB); never commits")
	f.StringVar(&a.memory, "memory", "", "memory that one operation may hold, for example 512MB (default: half of the machine's)")
	f.IntVar(&a.workers, "workers", 0, "goroutines that one operation uses (default: the processors)")
	f.DurationVar(&a.timeout, "timeout", 0, "give up after this time, for example 30s")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage{err} })
	root.AddCommand(a.demo(), a.create(), a.append(), a.merge(), a.update(), a.delete(), a.sql(), a.optimize(), a.alter(), a.reorg(), a.restore(), a.clone(), a.convert(), a.generate(),
		a.cat(), a.head(), a.count(), a.changes(), a.schema(), a.detail(), a.history(), a.snapshot(), a.files(), a.log(), a.inspect(), a.life(), a.doctor(), a.fsck(), a.vacuum(), a.cleanLog(), a.checkpoint(), a.compactLog(), a.explain())
	narrow(root)
	return root
}

// narrow breaks the help of commands at the width of most terminals.
func narrow(root *cobra.Command) {
	wide := strings.NewReplacer(".LocalFlags.FlagUsages", ".LocalFlags.FlagUsagesWrapped "+strconv.Itoa(lineWidth),
		".InheritedFlags.FlagUsages", ".InheritedFlags.FlagUsagesWrapped "+strconv.Itoa(lineWidth))
	root.SetUsageTemplate(wide.Replace(root.UsageTemplate()))
	for _, cmd := range root.Commands() {
		paragraphs := strings.Split(cmd.Long, "\n\n")
		for i, p := range paragraphs {
			paragraphs[i] = wrapped(p, "", "")
		}
		cmd.Long = strings.Join(paragraphs, "\n\n")
	}
}

// limits applies --memory, whose default is half of what the machine, or the
// control group of this process, has. GOMEMLIMIT overrules that default.
func (a *app) limits() error {
	switch {
	case a.memory != "":
		n, err := parseBytes(a.memory)
		if err != nil {
			return usagef("--memory: %w", err)
		}
		a.memLimit = n
	case os.Getenv("GOMEMLIMIT") != "":
		if n := debug.SetMemoryLimit(-1); n < math.MaxInt64 {
			a.memLimit = n
		}
		return nil
	default:
		a.memLimit = machineMemory() / 2
	}
	if a.memLimit > 0 {
		debug.SetMemoryLimit(a.memLimit)
	}
	return nil
}

// parseBytes reads a size such as 512MB, 1.5g or 1000000.
func parseBytes(s string) (int64, error) {
	text := strings.ToLower(strings.TrimSpace(s))
	text = strings.TrimSuffix(strings.TrimSuffix(text, "b"), "i")
	unit := float64(1)
	if i := strings.IndexAny(text, "kmgt"); i == len(text)-1 && i > 0 {
		unit = math.Pow(1024, float64(strings.IndexByte("kmgt", text[i])+1))
		text = text[:i]
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("%q is no size: write 512MB or 2GB", s)
	}
	return int64(n * unit), nil
}

// bucket opens a store with the options of the global flags. Each handle gets a
// bucket of its own, so that calls can be traced and counted.
func (a *app) bucket(ctx context.Context, url string) (*storage.Bucket, error) {
	var so []storage.Option
	for _, o := range a.options {
		k, v, ok := strings.Cut(o, "=")
		if !ok {
			return nil, usagef("--option: want name=value; one has no =") // it may be a secret, so it is not repeated
		}
		so = append(so, storage.With(k, v))
	}
	b, err := storage.Open(ctx, url, so...)
	if err != nil {
		return nil, err
	}
	if a.trace {
		b = storage.NewBucket(tracestore.New(b.Driver(), tracestore.WithNote(func(e tracestore.Entry) {
			fmt.Fprintf(a.errs, "store: %s  (%s)\n", e, e.Duration.Round(time.Microsecond))
		})))
	}
	if a.cache != "" {
		dir, size, err := cacheFlag(a.cache)
		if err != nil {
			return nil, errors.Join(err, b.Close())
		}
		d, err := diskcache.Wrap(b.Driver(), dir, size)
		if err != nil {
			return nil, errors.Join(err, b.Close())
		}
		b = storage.NewBucket(d)
	}
	a.mu.Lock()
	a.buckets = append(a.buckets, b)
	a.mu.Unlock()
	return b, nil
}

// cacheFlag reads FOLDER or FOLDER:SIZE. What is behind the last colon is a size if
// it begins with a digit; C:\cache is a folder.
func cacheFlag(v string) (dir string, size int64, err error) {
	i := strings.LastIndexByte(v, ':')
	if i <= 0 || i+1 == len(v) || v[i+1] < '0' || v[i+1] > '9' {
		return v, diskcache.Default, nil
	}
	if size, err = parseBytes(v[i+1:]); err != nil {
		return "", 0, usagef("--cache %s: %w", v, err)
	}
	return v[:i], size, nil
}

// tableOptions are the library options that the global flags ask for.
func (a *app) tableOptions(ctx context.Context, url string) ([]sluice.Option, error) {
	b, err := a.bucket(ctx, url)
	if err != nil {
		return nil, err
	}
	opts := []sluice.Option{sluice.WithBucket(b), sluice.WithWorkers(a.workers), sluice.WithMemoryLimit(a.memLimit)}
	for _, o := range a.options {
		k, v, _ := strings.Cut(o, "=")
		opts = append(opts, sluice.WithStorageOption(k, v))
	}
	for _, o := range a.outside {
		prefix, now, moved := strings.Cut(o, "=")
		if prefix == "" || moved && now == "" {
			return nil, usagef("--allow-outside %s: want PREFIX or PREFIX=PLACE (a = in PREFIX is written %%3D)", o)
		}
		if !moved && !strings.Contains(prefix, ":") { // a path, which may be relative
			abs, err := filepath.Abs(prefix)
			if err != nil {
				return nil, usagef("--allow-outside %s: %w", o, err)
			}
			prefix = abs
		}
		opts = append(opts, sluice.WithMoved(prefix, now))
	}
	if a.cache != "" {
		if dir, size, err := cacheFlag(a.cache); err == nil { // for files outside of the table's folder
			opts = append(opts, sluice.WithDiskCache(dir, size))
		}
	}
	if u, err := user.Current(); err == nil && u.Username != "" {
		opts = append(opts, sluice.WithUserName(u.Username))
	}
	level := slog.LevelWarn
	if a.verbose {
		level = slog.LevelInfo
	}
	if a.debug {
		level = slog.LevelDebug
	}
	if !a.quiet {
		opts = append(opts, sluice.WithLogger(slog.New(slog.NewTextHandler(a.errs, &slog.HandlerOptions{Level: level}))))
	}
	if a.verbose || a.progress || a.trace {
		opts = append(opts, sluice.WithListener(a.narrate()))
	}
	return opts, nil
}

// narrate tells on standard error what the commit loop does.
func (a *app) narrate() *observe.Listener {
	say := func(format string, args ...any) { fmt.Fprintf(a.errs, format+"\n", args...) }
	return &observe.Listener{
		Attempt: func(e observe.Attempt) {
			if e.Number > 1 || a.progress {
				say("publishing version %d (attempt %d)", e.Version, e.Number)
			}
		},
		BackOff: func(e observe.BackOff) { say("pausing for %s", e.Pause.Round(time.Microsecond)) },
		Lost:    func(e observe.Lost) { say("version %d was published by another writer", e.Version) },
		Waited: func(e observe.Waited) {
			if e.Waited >= 100*time.Millisecond || !e.Served {
				say("let others go first for %s (%s)%s", e.Waited.Round(time.Millisecond), e.For, map[bool]string{false: "; they took too long and were passed by"}[e.Served])
			}
		},
		Reserved: func(e observe.Reserved) {
			say("fell behind again and again: version %d asks the other writers to wait for up to %s", e.Version, e.Span)
		},
		Reconciled: func(e observe.Reconciled) {
			switch e.Verdict {
			case "conflict":
				say("version %d (%s) conflicts with what was read", e.Winner, e.Operation)
				return
			case "re-execute":
				say("version %d (%s) changed what the statement is bound to: it runs again", e.Winner, e.Operation)
				return
			}
			say("fitted behind version %d (%s): %s in %s; %d file(s) dropped, %d computed, %d row(s) changed", e.Winner, e.Operation, e.Verdict, e.Elapsed.Round(time.Microsecond), e.Dropped, e.Computed, e.Rows)
		},
		Committed: func(e observe.Committed) { say("published version %d after %d attempt(s)", e.Version, e.Attempts) },
	}
}

// open opens a table for one command.
func (a *app) open(ctx context.Context, url string) (*sluice.Table, error) {
	opts, err := a.tableOptions(ctx, url)
	if err != nil {
		return nil, err
	}
	return sluice.Open(ctx, url, opts...)
}

// openUnread opens a table without reading its newest version, which may be broken.
func (a *app) openUnread(ctx context.Context, url string) (*sluice.Table, error) {
	opts, err := a.tableOptions(ctx, url)
	if err != nil {
		return nil, err
	}
	return sluice.Open(ctx, url, append(opts, sluice.WithLazyOpen())...)
}

// remark prints for people, on standard error.
func (a *app) remark(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.errs, format+"\n", args...)
	}
}

// exactArgs wants n arguments and says their names otherwise.
func exactArgs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return usagef("%s is missing", names[len(args)])
		case len(args) > len(names):
			return usagef("%q is one argument too many", args[len(names)])
		}
		return nil
	}
}

// choices offers the values of a flag to the completion of shells.
func choices(cmd *cobra.Command, flag string, values []string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// stdin reports whether a source is standard input.
func stdin(path string) bool { return path == "-" }
