package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/sluicelake/sluice/observe"
)

// TestBarGivesWayToLines: whatever is written while a bar stands begins on a line of
// its own, and nothing of the bar stays behind.
func TestBarGivesWayToLines(t *testing.T) {
	var out bytes.Buffer
	s := &shared{w: &out}
	s.bar("half")
	s.bar("én")
	_, _ = s.Write([]byte("a line\n"))
	_, _ = s.Write([]byte("another\n"))
	s.bar("end")
	s.bar("")
	s.bar("")
	if want := "\rhalf\rén  \r  \ra line\nanother\n\rend\r   \r"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

// TestProgressElsewhere: into a pipe goes a line a second, or an object.
func TestProgressElsewhere(t *testing.T) {
	for _, c := range []struct {
		name, want string
		json       bool
		ago        time.Duration // since the last line
		e          observe.Progress
	}{
		{name: "in time", ago: 900 * time.Millisecond, e: observe.Progress{Phase: "optimize", Done: 1, Total: 4, Unit: "files"}},
		{name: "with an estimate", ago: 2 * time.Second, e: observe.Progress{Phase: "optimize", Done: 1, Total: 4, Unit: "files"}, want: "optimize:  25 %, 1 of 4 files, about 30s left\n"},
		{name: "nearly done", ago: 2 * time.Second, e: observe.Progress{Phase: "optimize", Done: 4 << 10, Total: 4 << 10, Unit: "bytes"}, want: "optimize: 100 %, 4.0 kB of 4.0 kB\n"},
		{name: "without an end", ago: 2 * time.Second, e: observe.Progress{Phase: "list", Done: 7, Unit: "files"}, want: "list: 7 files\n"},
		{name: "for programs", json: true, ago: 2 * time.Second, e: observe.Progress{Phase: "list", Done: 7, Unit: "files"}, want: `{"done":7,"elapsedMs":10000,"event":"progress","leftMs":0,"phase":"list","total":0,"unit":"files"}` + "\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			now := time.Now()
			p := &progress{a: &app{errs: &shared{w: &out}, json: c.json}, began: now.Add(-10 * time.Second), last: now.Add(-c.ago)}
			p.at(now, c.e)
			p.at(now.Add(time.Millisecond), c.e)
			if out.String() != c.want {
				t.Errorf("%q, want %q", out.String(), c.want)
			}
		})
	}
}

// TestBarFitsTheScreen: a bar is one line of most terminals.
func TestBarFitsTheScreen(t *testing.T) {
	var out bytes.Buffer
	s := &shared{w: &out}
	now := time.Now()
	p := &progress{a: &app{errs: s}, bar: s, began: now.Add(-time.Hour), last: now.Add(-time.Second)}
	p.at(now, observe.Progress{Phase: strings.Repeat("long ", 20), Done: 5 << 30, Total: 9 << 30, Unit: "bytes"})
	text := strings.TrimPrefix(out.String(), "\r")
	if len(text) >= lineWidth || !strings.HasPrefix(text, "[#############           ] long") {
		t.Errorf("%q has %d letters", text, len(text))
	}
	p.clear()
	if !strings.HasSuffix(out.String(), "\r"+strings.Repeat(" ", len(text))+"\r") {
		t.Errorf("the bar stays: %q", out.String())
	}
}
