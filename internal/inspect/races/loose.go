package races

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// winnerOf finds the commit that the text quotes behind "Conflicting commit:".
func winnerOf(text string) *Commit {
	const mark = "conflicting commit:"
	i := strings.Index(strings.ToLower(text), mark)
	if i < 0 {
		if i = strings.Index(text, `{"timestamp"`); i < 0 {
			return nil
		}
	} else {
		i += len(mark)
	}
	if i > len(text) { // a letter that changes its length in lower case
		return nil
	}
	open := strings.IndexByte(text[i:], '{')
	if open < 0 || strings.TrimSpace(text[i:i+open]) != "" {
		return nil
	}
	l := &loose{text: unwrapped(text[i+open:])}
	fields := l.object()
	if len(fields) == 0 {
		return nil
	}
	return commitOf(fields)
}

// unwrapped takes the line breaks of logs out.
func unwrapped(s string) string {
	return strings.NewReplacer("\r", "", "\n", " ").Replace(s)
}

// commitOf takes the fields of commitInfo that are known.
func commitOf(f map[string]string) *Commit {
	c := &Commit{Operation: f["operation"], Isolation: f["isolationLevel"], User: f["userName"], Engine: f["engineInfo"], TxnID: f["txnId"]}
	if n, err := strconv.ParseInt(f["timestamp"], 10, 64); err == nil {
		t := time.UnixMilli(n).UTC()
		c.Time = &t
	}
	if n, err := strconv.ParseInt(f["readVersion"], 10, 64); err == nil {
		c.ReadVersion = &n
	}
	if b, err := strconv.ParseBool(f["isBlindAppend"]); err == nil {
		c.BlindAppend = &b
	}
	c.Parameters, c.Metrics = nested(f["operationParameters"]), nested(f["operationMetrics"])
	return c
}

func nested(text string) map[string]string {
	if !strings.HasPrefix(text, "{") {
		return nil
	}
	l := &loose{text: text}
	if f := l.object(); len(f) > 0 {
		return f
	}
	return nil
}

// loose reads objects that are almost JSON: a value that is neither a text nor an
// object ends at the comma before the next key. Values come as text; those of
// objects and lists as they are written.
type loose struct {
	text string
	pos  int
}

func (l *loose) blank() {
	for l.pos < len(l.text) && strings.IndexByte(" \t\r\n,", l.text[l.pos]) >= 0 {
		l.pos++
	}
}

// object reads from { to its }, or to the end of what is there.
func (l *loose) object() map[string]string {
	if l.pos >= len(l.text) || l.text[l.pos] != '{' {
		return nil
	}
	l.pos++
	out := map[string]string{}
	for {
		l.blank()
		if l.pos >= len(l.text) || l.text[l.pos] != '"' {
			return out
		}
		key, ok := l.quoted()
		if !ok {
			return out
		}
		l.blank()
		if l.pos >= len(l.text) || l.text[l.pos] != ':' {
			return out
		}
		l.pos++
		for l.pos < len(l.text) && l.text[l.pos] == ' ' {
			l.pos++
		}
		if l.pos >= len(l.text) {
			return out
		}
		out[key] = l.value()
	}
}

// quoted reads a JSON text.
func (l *loose) quoted() (string, bool) {
	begin := l.pos
	for l.pos++; l.pos < len(l.text); l.pos++ {
		switch l.text[l.pos] {
		case '\\':
			l.pos++
		case '"':
			l.pos++
			raw := l.text[begin:l.pos]
			var s string
			if json.Unmarshal([]byte(raw), &s) != nil {
				s = strings.Trim(raw, `"`)
			}
			return s, true
		}
	}
	l.pos = len(l.text)
	return l.text[begin:], false
}

// value reads a text, or what stands there up to the end of the value.
func (l *loose) value() string {
	if l.text[l.pos] == '"' {
		begin := l.pos
		s, _ := l.quoted()
		if l.ends(l.pos) {
			return s
		}
		l.pos = begin // two texts side by side: a value without quotes that begins with one
	}
	begin, depth := l.pos, 0
	for l.pos < len(l.text) {
		switch c := l.text[l.pos]; {
		case c == '"':
			l.quoted()
			continue
		case c == '(' || c == '[' || c == '{':
			depth++
		case c == ')' || c == ']' || c == '}':
			if depth == 0 && c == '}' {
				return strings.TrimSpace(l.text[begin:l.pos])
			}
			depth = max(depth-1, 0)
		case c == ',' && depth == 0 && l.ends(l.pos):
			return strings.TrimSpace(l.text[begin:l.pos])
		}
		l.pos++
	}
	return strings.TrimSpace(l.text[begin:])
}

// ends reports whether a value may end here: the object ends, or a key follows.
func (l *loose) ends(pos int) bool {
	rest := strings.TrimLeft(l.text[pos:], " \t")
	if rest == "" || rest[0] == '}' {
		return true
	}
	if rest[0] != ',' {
		return false
	}
	rest = strings.TrimLeft(rest[1:], " \t")
	if !strings.HasPrefix(rest, `"`) {
		return false
	}
	end := strings.IndexByte(rest[1:], '"')
	return end >= 0 && strings.HasPrefix(strings.TrimLeft(rest[end+2:], " \t"), ":")
}
