package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/sluicelake/sluice/observe"
)

// progress shows on standard error how far an operation is: a bar on a terminal,
// one line a second elsewhere, one JSON object a second with --json.
type progress struct {
	a     *app
	bar   *shared // the screen; nil: lines
	mu    sync.Mutex
	began time.Time
	last  time.Time
}

// watch makes the listener of a command that takes long; done clears the bar.
func (a *app) watch() (l *observe.Listener, done func()) {
	p := &progress{a: a, began: time.Now(), last: time.Now()}
	if s, ok := a.errs.(*shared); ok && !a.json && terminal(s) {
		p.bar = s
	}
	l = &observe.Listener{}
	if a.verbose || a.progress || a.trace {
		l = a.narrate()
	}
	if !a.quiet {
		l.Progress = p.show
	}
	return l, p.clear
}

// terminal reports whether a writer is a screen.
func terminal(w any) bool {
	if s, ok := w.(*shared); ok {
		w = s.w
	}
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

func (p *progress) show(e observe.Progress) { p.at(time.Now(), e) }

// at shows what was done at a time, unless something was shown just before.
func (p *progress) at(now time.Time, e observe.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	every := time.Second
	if p.bar != nil {
		every = 100 * time.Millisecond
	}
	if now.Sub(p.last) < every {
		return
	}
	p.last = now
	left := p.left(e, now)
	if p.a.json {
		enc := json.NewEncoder(p.a.errs)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(map[string]any{"event": "progress", "phase": e.Phase, "done": e.Done, "total": e.Total, "unit": e.Unit,
			"elapsedMs": now.Sub(p.began).Milliseconds(), "leftMs": left.Milliseconds()})
		return
	}
	text := fmt.Sprintf("%s: %s", e.Phase, amount(e.Done, e.Unit))
	if e.Total > 0 {
		done, _ := strings.CutSuffix(amount(e.Done, e.Unit), " "+e.Unit)
		text = fmt.Sprintf("%s: %3d %%, %s of %s", e.Phase, 100*e.Done/e.Total, done, amount(e.Total, e.Unit))
	}
	if left >= time.Second {
		text += fmt.Sprintf(", about %s left", left.Round(time.Second))
	}
	if p.bar == nil {
		fmt.Fprintln(p.a.errs, text)
		return
	}
	if e.Total > 0 {
		const width = 24
		n := int(min(width, width*e.Done/e.Total))
		text = "[" + strings.Repeat("#", n) + strings.Repeat(" ", width-n) + "] " + text
	}
	if len(text) >= lineWidth { // a bar that wraps leaves itself behind
		text = text[:lineWidth-1]
	}
	p.bar.bar(text)
}

// left estimates how long it still takes; 0 when there is no telling.
func (p *progress) left(e observe.Progress, now time.Time) time.Duration {
	if e.Done <= 0 || e.Total <= e.Done {
		return 0
	}
	return time.Duration(float64(now.Sub(p.began)) / float64(e.Done) * float64(e.Total-e.Done))
}

func (p *progress) clear() {
	if p.bar != nil {
		p.bar.bar("")
	}
}

// amount spells a number of a unit.
func amount(n int64, unit string) string {
	if unit == "bytes" {
		return bytesText(n)
	}
	return fmt.Sprintf("%d %s", n, unit)
}
