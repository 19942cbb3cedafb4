package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// historyLines is how many lines of the history are kept.
const historyLines = 1000

// history is the file of earlier statements, one a line. Other users cannot
// read it, and what seems to hold secrets does not go there.
type history struct {
	items []string // of earlier runs
	file  *os.File // nil: nothing is kept
	err   error    // why
}

// stateFolder is where programs keep what they remember of a user.
func stateFolder() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "sluice"), nil
	}
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		dir, err := os.UserConfigDir()
		return filepath.Join(dir, "sluice"), err
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".local", "state", "sluice"), err
}

// openHistory reads the history and shortens it.
func openHistory() *history {
	h := &history{}
	dir, err := stateFolder()
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		h.err = err
		return h
	}
	path := filepath.Join(dir, "history")
	data, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		h.err = err
		return h
	}
	if text := strings.TrimSpace(string(data)); text != "" {
		h.items = strings.Split(text, "\n")
	}
	mode := os.O_APPEND
	if len(h.items) > 2*historyLines {
		h.items, mode = h.items[len(h.items)-historyLines:], os.O_TRUNC
	}
	if h.file, h.err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|mode, 0o600); h.err != nil {
		return h
	}
	_ = h.file.Chmod(0o600) // one that was made by other means; Windows has no such mode
	if mode == os.O_TRUNC {
		_, h.err = fmt.Fprintln(h.file, strings.Join(h.items, "\n"))
	}
	return h
}

// add keeps a statement.
func (h *history) add(text string) {
	if h.file == nil || secret(text) {
		return
	}
	if _, err := fmt.Fprintln(h.file, strings.Join(historyItems(text), "\n")); err != nil {
		_ = h.file.Close()
		h.file = nil
	}
}

func (h *history) close() {
	if h.file != nil {
		_ = h.file.Close()
	}
}

// historyItems is a statement as lines of the history: one, unless a comment ends
// with its line.
func historyItems(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, " \t\r\n"); line != "" {
			lines = append(lines, line)
		}
	}
	if strings.Contains(text, "--") {
		return lines
	}
	return []string{strings.Join(lines, " ")}
}

var secretNames = regexp.MustCompile(`(?i)secret|passw|token|credential|signature|[?&]sig=|private|(account|access|shared|api|encryption)[._-]?key|\bsas\b|://[^/\s]*:[^/\s]*@`)

// secret reports whether a statement has names that secrets have.
func secret(text string) bool { return secretNames.MatchString(text) }
