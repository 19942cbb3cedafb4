package action

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type rawJSON = json.RawMessage

// FuzzScan: no input panics, and what is read once is written and read back
// the same for ever.
func FuzzScan(f *testing.F) {
	for _, s := range []string{
		`{"add":{"path":"f","partitionValues":{"a":"1","b":null},"size":1,"modificationTime":2,"dataChange":true,"stats":"{\"numRecords\":1}"}}`,
		`{"remove":{"path":"p","dataChange":true,"deletionVector":{"storageType":"i","pathOrInlineDv":"x","sizeInBytes":1,"cardinality":1}}}`,
		`{"commitInfo":{"operation":"W","operationParameters":{"a":[1,"x"]}},"x":null}`,
		`{"metaData":{"id":"i","format":{"provider":"parquet"},"schemaString":"\ud83d\ude00","configuration":{"a":1}}}`,
		`{"protocol":{"minReaderVersion":"1","minWriterVersion":2.0,"readerFeatures":[]}}`,
		"{\"txn\":{\"appId\":\"a\",\"version\":1}}\n\n{\"n\":[{}]}", `{"add":{"path":"\u`, "{", "[[[[", "\xff",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = Scan(data, "", &Handler{})
		first, err := ParseCommit(data, "")
		if err != nil {
			return
		}
		lines, err := Marshal(first)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		for line := range bytes.Lines(lines) {
			if !json.Valid(line) {
				t.Fatalf("not JSON: %s", line)
			}
		}
		again, err := ParseCommit(lines, "")
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, lines)
		}
		second, err := Marshal(again)
		if err != nil || !bytes.Equal(lines, second) {
			t.Fatalf("%v\n%s", err, cmp.Diff(string(lines), string(second)))
		}
	})
}

// FuzzText: texts decode as encoding/json decodes them.
func FuzzText(f *testing.F) {
	f.Add([]byte(`"plain text of more than eight bytes"`))
	f.Add([]byte(`"a\"b\\c\/d\b\f\n\r\t\u00e9\ud83d\ude00\ud800"`))
	f.Fuzz(func(t *testing.T, data []byte) {
		l := lexer{b: data}
		got := l.text()
		if l.failed() || l.i != len(data) {
			return
		}
		var want string
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatalf("%q is taken for a text: %v", data, err)
		}
		if s := string(bytes.ToValidUTF8([]byte(got.String()), []byte("\uFFFD"))); s != string(bytes.ToValidUTF8([]byte(want), []byte("\uFFFD"))) && json.Valid(data) && bytes.Equal(bytes.ToValidUTF8(data, nil), data) {
			t.Fatalf("%q decodes to %q, want %q", data, s, want)
		}
	})
}
