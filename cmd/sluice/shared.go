package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode/utf8"
)

// shared is a stream that several goroutines write to, whole lines at a time. On a
// screen a bar may stand on its last line.
type shared struct {
	mu   sync.Mutex
	w    io.Writer
	wide int // letters of the bar that stands on the last line; 0: none
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wipe()
	return s.w.Write(p)
}

// bar puts a text in the place of the bar that stands; "" takes it away. Whatever
// else is written takes the bar away first, so that lines stay whole.
func (s *shared) bar(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if text == "" {
		s.wipe()
		return
	}
	n := utf8.RuneCountInString(text)
	fmt.Fprintf(s.w, "\r%s%s", text, strings.Repeat(" ", max(0, s.wide-n)))
	s.wide = n
}

func (s *shared) wipe() {
	if s.wide > 0 {
		fmt.Fprintf(s.w, "\r%s\r", strings.Repeat(" ", s.wide))
		s.wide = 0
	}
}
