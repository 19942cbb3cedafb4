package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/peterh/liner"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/expr"
)

// terminal reports whether somebody sits in front of the program.
func (a *app) terminal() bool {
	if a.in != io.Reader(os.Stdin) {
		return false
	}
	_, err := liner.TerminalMode()
	out, stat := os.Stdout.Stat()
	return err == nil && stat == nil && out.Mode()&os.ModeCharDevice != 0
}

// editor reads lines from a person. The error of a line is io.EOF at the end of
// the input and liner.ErrPromptAborted for one that was given up.
type editor interface {
	Prompt(prompt string) (string, error)
	AppendHistory(item string)
}

// ask runs statements as they are typed.
func (a *app) ask(ctx context.Context, f *sqlFlags, s *sluice.Session) error {
	line := liner.NewLiner()
	defer line.Close()
	line.SetCtrlCAborts(true)
	line.SetMultiLineMode(true)
	line.SetTabCompletionStyle(liner.TabPrints)
	c := &completer{session: s}
	line.SetWordCompleter(c.complete)
	h := openHistory()
	for _, item := range h.items {
		line.AppendHistory(item)
	}
	defer h.close()
	if h.err != nil {
		a.remark("history is not kept: %v", h.err)
	}
	a.remark("Statements end with a semicolon. help tells more, quit or Ctrl-D leaves.")
	p := prompt{a: a, f: f, session: s, line: line, keep: func(text string) { h.add(text); c.columns = nil }}
	return p.loop(ctx)
}

// prompt is the loop of reading and running.
type prompt struct {
	a       *app
	f       *sqlFlags
	session *sluice.Session
	line    editor
	keep    func(text string) // is told of every text before it is run
	text    string            // lines of a statement that has not ended
	n       int               // statements so far
}

// The prompts of the first and the further lines of a statement.
const (
	firstPrompt = "sluice> "
	morePrompt  = "     -> "
)

func (p *prompt) loop(ctx context.Context) error {
	for {
		ask := firstPrompt
		if p.text != "" {
			ask = morePrompt
		}
		line, err := p.line.Prompt(ask)
		switch {
		case errors.Is(err, liner.ErrPromptAborted):
			p.text = ""
			continue
		case errors.Is(err, io.EOF):
			fmt.Fprintln(p.a.errs)
			return nil
		case err != nil:
			return err
		}
		if p.text == "" {
			told, leave := p.command(ctx, strings.TrimSpace(line))
			if leave {
				return nil
			}
			if told {
				continue
			}
		}
		p.text += line + "\n"
		if !ended(p.text) {
			continue
		}
		text := strings.TrimSpace(p.text)
		p.text = ""
		for _, item := range historyItems(text) {
			p.line.AppendHistory(item)
		}
		p.keep(text)
		if err := p.run(ctx, text); err != nil {
			return err
		}
	}
}

const promptHelp = `Statements of Spark SQL end with a semicolon and may have many lines.
  \d            the tables and views         \d NAME   the columns of one
  help, \?      this                         quit, \q  leave, as Ctrl-D does
  Tab           completes keywords, names of tables and columns, functions
  Ctrl-C        stops a statement that runs, or gives the lines of one up
  Up, Ctrl-R    earlier statements, which are kept unless they seem to hold secrets`

// command carries out what is not SQL.
func (p *prompt) command(ctx context.Context, line string) (told, leave bool) {
	word, rest, _ := strings.Cut(strings.TrimRight(line, "; "), " ")
	rest = strings.TrimSpace(rest)
	switch strings.ToLower(word) {
	case "":
		return true, false
	case "quit", "exit", `\q`:
		return true, rest == ""
	case "help", `\?`, `\h`:
		p.a.printf("%s", promptHelp)
		_ = p.a.out.Flush()
		return true, false
	case `\d`:
		text := "SHOW TABLES"
		if rest != "" {
			text = "DESCRIBE TABLE " + rest
		}
		_ = p.run(ctx, text)
		return true, false
	}
	if strings.HasPrefix(word, `\`) {
		fmt.Fprintf(p.a.errs, "there is no command %s: help tells which there are\n", word)
		return true, false
	}
	return false, false
}

// run runs statements and tells what came of them. Ctrl-C stops the one that is
// running; only a signal to end the program, or a result that cannot be
// printed, is an error.
func (p *prompt) run(ctx context.Context, text string) error {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(stop)
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // an earlier Ctrl-C has ended the one outside
	defer cancel()
	if p.a.timeout > 0 {
		ctx, cancel = context.WithTimeout(ctx, p.a.timeout)
		defer cancel()
	}
	over, ended := make(chan struct{}), make(chan os.Signal, 1)
	go func() {
		select {
		case s := <-stop:
			ended <- s
			cancel()
		case <-over:
		}
	}()
	defer close(over)
	began := time.Now()
	for r, err := range p.session.SQL(ctx, text) {
		p.n++
		if err == nil {
			err = p.a.statement(ctx, p.f, p.n, r)
		}
		if flushed := p.a.out.Flush(); flushed != nil {
			return fmt.Errorf("writing the result: %w", flushed)
		}
		if err != nil {
			p.fail(ctx, err)
			if !p.f.keepGoing || ctx.Err() != nil {
				break
			}
			continue
		}
		p.a.remark("(%.3f s)", time.Since(began).Seconds())
		began = time.Now()
	}
	select {
	case s := <-ended:
		if s == syscall.SIGTERM {
			return context.Canceled
		}
	default:
	}
	return nil
}

// fail tells of an error.
func (p *prompt) fail(ctx context.Context, err error) {
	if errors.Is(ctx.Err(), context.Canceled) && !errors.Is(err, sluice.ErrCommitUnknown) {
		fmt.Fprintln(p.a.errs, "interrupted")
		return
	}
	if p.a.json {
		_ = p.a.object(map[string]any{"statement": p.n, "error": p.a.failure(err)})
		_ = p.a.out.Flush()
	}
	fmt.Fprintf(p.a.errs, "error: %v\n", err)
	if hint := hintOf(err); hint != "" {
		fmt.Fprintf(p.a.errs, "  %s\n", hint)
	}
}

// ended reports whether the lines so far end with a semicolon that is no part of
// a literal or comment.
func ended(text string) bool {
	last := expr.Token{}
	for p := expr.NewParser(text); p.Peek().Kind != expr.EOF; p.Next() {
		last = p.Peek()
		if last.Kind == expr.Bad && last.End >= len(text) {
			return false // a quote or a comment that is still open
		}
	}
	return last.Is(";")
}
