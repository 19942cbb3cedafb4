package action

import (
	"bytes"
	"unicode/utf8"
)

// Handler receives the actions of a commit file in their order. A nil function
// skips its actions: their JSON is checked, nothing of it is decoded.
// An error from a function ends the scan and is returned as it is.
type Handler struct {
	Add    func(*File) error // valid during the call only
	Remove func(*File) error // valid during the call only

	Metadata           func(*Metadata) error
	Protocol           func(*Protocol) error
	Txn                func(*Txn) error
	CDC                func(*AddCDC) error
	CommitInfo         func(*CommitInfo) error
	DomainMetadata     func(*DomainMetadata) error
	CheckpointMetadata func(*CheckpointMetadata) error
	Sidecar            func(*Sidecar) error
	Unknown            func(*Unknown) error
}

// Scan reads the lines of a commit file: one JSON object a line, blank lines
// and a byte order mark in front ignored. An object names its action by its key (PROTOCOL.md, Actions); keys
// whose value is null do not count, and keys that are not known may stand beside
// the action. file is used in errors only.
func Scan(data []byte, file string, h *Handler) error { return ScanFrom(data, file, 1, h) }

// byteOrderMark is what some editors put in front of a text.
var byteOrderMark = []byte("\ufeff")

// ScanFrom is Scan for a piece of a file whose first line has the given number.
func ScanFrom(data []byte, file string, line int, h *Handler) error {
	var f File
	var l lexer // escapes: one for all lines
	if line == 1 {
		data = bytes.TrimPrefix(data, byteOrderMark)
	}
	for ; len(data) > 0; line++ {
		text := data
		if n := bytes.IndexByte(data, '\n'); n >= 0 {
			text, data = data[:n], data[n+1:]
		} else {
			data = nil
		}
		l = lexer{b: text}
		if l.peek() == 0 && l.i == len(text) {
			continue
		}
		if !utf8.Valid(text) {
			for l.i < len(text) {
				r, n := utf8.DecodeRune(text[l.i:])
				if r == utf8.RuneError && n == 1 {
					break
				}
				l.i += n
			}
			l.fail("text is not UTF-8")
		}
		f.Line = line
		err := l.line(&f, h)
		if l.failed() {
			return &SyntaxError{File: file, Line: line, Column: l.at + 1, Msg: l.msg}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// line reads one line. Its own failures are kept in l; the error is a callback's.
func (l *lexer) line(f *File, h *Handler) (err error) {
	var run func() error
	var unknown []func() error
	for ok := l.open('{', '}'); ok; ok = l.more('}') {
		key := l.key()
		if l.null() || l.failed() {
			continue
		}
		if key.escaped {
			key = Plain(key.Append(nil))
		}
		if run != nil && known(key.raw) {
			l.fail("a line holds two actions")
			return nil
		}
		switch string(key.raw) {
		case "add":
			run = skipped
			if h.Add == nil {
				l.object()
			} else if l.fileLine(f, false); unknown == nil && !l.failed() && l.endsHere() {
				return h.Add(f) // the common line: nothing but the action
			} else {
				run = func() error { return h.Add(f) }
			}
		case "remove":
			run = skipped
			if h.Remove == nil {
				l.object()
			} else {
				l.fileLine(f, true)
				run = func() error { return h.Remove(f) }
			}
		case "metaData":
			run = decoded(l, h.Metadata, (*lexer).metadata)
		case "protocol":
			run = decoded(l, h.Protocol, (*lexer).protocol)
		case "txn":
			run = decoded(l, h.Txn, (*lexer).txn)
		case "cdc":
			run = decoded(l, h.CDC, (*lexer).cdc)
		case "commitInfo":
			run = decoded(l, h.CommitInfo, (*lexer).commitInfo)
		case "domainMetadata":
			run = decoded(l, h.DomainMetadata, (*lexer).domainMetadata)
		case "checkpointMetadata":
			run = decoded(l, h.CheckpointMetadata, (*lexer).checkpointMetadata)
		case "sidecar":
			run = decoded(l, h.Sidecar, (*lexer).sidecar)
		default:
			name := key.String()
			unknown = append(unknown, decoded(l, h.Unknown, func(l *lexer) *Unknown {
				return &Unknown{Name: name, Raw: append([]byte(nil), l.value()...)}
			}))
		}
	}
	if !l.failed() {
		if l.peek(); l.i < len(l.b) {
			l.fail("text behind the end of the line's object")
		}
	}
	if l.failed() {
		return nil
	}
	if run != nil {
		err = run()
	}
	for _, u := range unknown {
		if err == nil {
			err = u()
		}
	}
	return err
}

func known(key []byte) bool {
	switch string(key) {
	case "add", "remove", "metaData", "protocol", "txn", "cdc", "commitInfo", "domainMetadata", "checkpointMetadata", "sidecar":
		return true
	}
	return false
}

func (l *lexer) fileLine(f *File, remove bool) {
	l.file(f, remove)
	l.need(!f.Path.Empty(), "a file action has no path")
}

// endsHere reports whether only the closing bracket of the line is left, and
// consumes it.
func (l *lexer) endsHere() bool {
	if l.i == len(l.b)-1 && l.b[l.i] == '}' {
		l.i++
		return true
	}
	return false
}

func skipped() error { return nil }

func decoded[T any](l *lexer, to func(*T) error, read func(*lexer) *T) func() error {
	if to == nil {
		l.skip(0)
		return skipped
	}
	v := read(l)
	return func() error { return to(v) }
}
