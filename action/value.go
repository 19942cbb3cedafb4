package action

import (
	"strconv"
	"strings"
)

// The readers in this file are as lenient as the reference's JSON library:
// a number may stand in a string, and any scalar may stand for a string.

// scalarText consumes a string, number or boolean as text.
func (l *lexer) scalarText() Text {
	switch c := l.peek(); {
	case c == '"':
		return l.text()
	case c == '{' || c == '[':
		l.fail("a text is missing")
		return Text{}
	}
	return Text{raw: l.value()}
}

// statsText consumes statistics: text that holds JSON, or the JSON itself.
func (l *lexer) statsText() Text {
	if l.peek() == '"' {
		return l.text()
	}
	return Text{raw: l.value()}
}

// object consumes an object and returns its text.
func (l *lexer) object() []byte {
	if l.peek() != '{' {
		l.fail("an object is missing")
		return nil
	}
	return l.value()
}

// integer consumes an integer, also one written as text or with a fraction of zeros.
func (l *lexer) integer() int64 {
	var raw []byte
	if l.peek() == '"' {
		raw = l.text().Append(nil)
	} else {
		raw = l.number()
	}
	var n uint64
	b := raw
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 18 {
		return l.oddInteger(string(raw))
	}
	for _, c := range b {
		if c -= '0'; c > 9 {
			return l.oddInteger(string(raw))
		}
		n = n*10 + uint64(c)
	}
	if len(b) != len(raw) {
		return -int64(n)
	}
	return int64(n)
}

func (l *lexer) oddInteger(s string) int64 {
	if l.failed() {
		return 0
	}
	s = strings.TrimSpace(s)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && f == float64(int64(f)) && f > -1e18 && f < 1e18 {
		return int64(f)
	}
	l.fail("an integer is malformed or too large")
	return 0
}

func (l *lexer) int32() int32 {
	n := l.integer()
	if int64(int32(n)) != n {
		l.fail("an integer is too large")
	}
	return int32(n)
}

func (l *lexer) boolean() bool {
	switch l.peek() {
	case 't':
		return l.word("true")
	case 'f':
		l.word("false")
		return false
	case '"':
		switch strings.ToLower(strings.TrimSpace(l.text().String())) {
		case "true":
			return true
		case "false":
			return false
		}
	}
	l.fail("a boolean is missing")
	return false
}

// strings consumes an object of texts; a null value becomes "".
func (l *lexer) strings() map[string]string {
	m := map[string]string{}
	for ok := l.open('{', '}'); ok; ok = l.more('}') {
		k := l.key()
		if l.null() {
			m[k.String()] = ""
			continue
		}
		m[k.String()] = l.scalarText().String()
	}
	return m
}

// list consumes an array of texts.
func (l *lexer) list() []string {
	out := []string{}
	for ok := l.open('[', ']'); ok; ok = l.more(']') {
		out = append(out, l.scalarText().String())
	}
	return out
}

// whole runs read over a complete JSON text.
func whole(raw []byte, what string, read func(l *lexer)) error {
	if raw == nil {
		return nil
	}
	l := lexer{b: raw}
	read(&l)
	if !l.failed() {
		if l.peek(); l.i < len(l.b) {
			l.fail("text behind the end")
		}
	}
	if l.failed() {
		return &SyntaxError{File: what, Column: l.at + 1, Msg: l.msg}
	}
	return nil
}

// ParsePartitionValues reads the JSON object of partitionValues; nil stays nil.
func ParsePartitionValues(raw []byte) (PartitionValues, error) {
	var pv PartitionValues
	err := whole(raw, "partitionValues", func(l *lexer) {
		pv = PartitionValues{}
		for ok := l.open('{', '}'); ok; ok = l.more('}') {
			k := l.key().String()
			if l.null() {
				pv[k] = nil
				continue
			}
			pv[k] = ptr(l.scalarText().String())
		}
	})
	return pv, err
}

// WalkPartitionValues calls visit for each entry of a JSON object of
// partitionValues, without building a map. It stops when visit says false.
func WalkPartitionValues(raw []byte, visit func(name, value Text, null bool) bool) error {
	return whole(raw, "partitionValues", func(l *lexer) {
		for ok := l.open('{', '}'); ok; ok = l.more('}') {
			k := l.key()
			null := l.null()
			var v Text
			if !null {
				v = l.scalarText()
			}
			if l.failed() || !visit(k, v, null) {
				l.i = len(l.b)
				return
			}
		}
	})
}

// ParseStrings reads a JSON object of texts, such as tags; nil stays nil.
func ParseStrings(raw []byte) (m map[string]string, err error) {
	err = whole(raw, "tags", func(l *lexer) { m = l.strings() })
	return m, err
}

// ParseDeletionVector reads the JSON object of a deletionVector; nil stays nil.
func ParseDeletionVector(raw []byte) (dv *DeletionVector, err error) {
	if raw == nil {
		return nil, nil
	}
	err = whole(raw, "deletionVector", func(l *lexer) { dv = l.deletionVector() })
	return dv, err
}

func (l *lexer) deletionVector() *DeletionVector {
	dv := &DeletionVector{}
	for ok := l.open('{', '}'); ok; ok = l.more('}') {
		k := l.key()
		if l.null() {
			continue
		}
		switch {
		case k.Is("storageType"):
			dv.StorageType = l.scalarText().String()
		case k.Is("pathOrInlineDv"):
			dv.PathOrInlineDv = l.scalarText().String()
		case k.Is("offset"):
			dv.Offset = ptr(l.int32())
		case k.Is("sizeInBytes"):
			dv.SizeInBytes = l.int32()
		case k.Is("cardinality"):
			dv.Cardinality = l.integer()
		case k.Is("maxRowIndex"):
			dv.MaxRowIndex = ptr(l.integer())
		default:
			l.skip(0)
		}
	}
	if dv.StorageType == "" && !l.failed() {
		l.fail("a deletion vector has no storageType")
	}
	return dv
}

// WalkObject calls visit for each member of a JSON object until it says false.
func WalkObject(raw []byte, visit func(key Text, value []byte) bool) error {
	return whole(raw, "object", func(l *lexer) {
		for ok := l.open('{', '}'); ok; ok = l.more('}') {
			k := l.key()
			v := l.value()
			if l.failed() || !visit(k, v) {
				l.i = len(l.b)
				return
			}
		}
	})
}
