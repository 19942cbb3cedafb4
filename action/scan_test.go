package action

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func text(s string) *string { return &s }

func TestParseOddLines(t *testing.T) {
	add := func(change func(a *Add)) *Add {
		a := &Add{Path: "f", PartitionValues: PartitionValues{}, Size: 1, ModificationTime: 2, DataChange: true}
		if change != nil {
			change(a)
		}
		return a
	}
	for _, c := range []struct {
		name, line string
		want       []Action
	}{
		{"plain", `{"add":{"path":"f","partitionValues":{},"size":1,"modificationTime":2,"dataChange":true}}`, []Action{add(nil)}},
		{"white space", " { \"add\" :\t{ \"path\" : \"f\" , \"partitionValues\" : { } ,\"size\": 1 ,\"modificationTime\":2, \"dataChange\": true } } \r", []Action{add(nil)}},
		{"keys in any order", `{"add":{"dataChange":true,"modificationTime":2,"size":1,"path":"f"}}`, []Action{add(nil)}},
		{"numbers as texts", `{"add":{"path":"f","size":"1","modificationTime":" 2 ","dataChange":"true"}}`, []Action{add(nil)}},
		{"numbers with a fraction", `{"add":{"path":"f","size":1.0,"modificationTime":2e0,"dataChange":true}}`, []Action{add(nil)}},
		{"nulls for optional fields", `{"add":{"path":"f","partitionValues":null,"size":1,"modificationTime":2,"dataChange":true,"stats":null,"tags":null,"deletionVector":null,"baseRowId":null}}`, []Action{add(nil)}},
		{"the last of equal keys counts", `{"add":{"path":"g","path":"f","size":7,"size":1,"modificationTime":2,"dataChange":true}}`, []Action{add(nil)}},
		{"escapes in keys and values", `{"a\u0064d":{"p\u0061th":"a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00","size":1,"modificationTime":2,"dataChange":true}}`,
			[]Action{add(func(a *Add) { a.Path = "a\"\\/\b\f\n\r\té😀" })}},
		{"a lone surrogate", `{"add":{"path":"\ud800x","size":1,"modificationTime":2,"dataChange":true}}`, []Action{add(func(a *Add) { a.Path = "\uFFFDx" })}},
		{"statistics as an object", `{"add":{"path":"f","size":1,"modificationTime":2,"dataChange":true,"stats":{"numRecords":3}}}`,
			[]Action{add(func(a *Add) { a.Stats = `{"numRecords":3}` })}},
		{"partition values of other types", `{"add":{"path":"f","partitionValues":{"a":1,"b":true,"c":null,"d":""},"size":1,"modificationTime":2,"dataChange":true}}`,
			[]Action{add(func(a *Add) {
				a.PartitionValues = PartitionValues{"a": text("1"), "b": text("true"), "c": nil, "d": text("")}
			})}},
		{"unknown fields are kept", `{"add":{"path":"f","size":1,"modificationTime":2,"dataChange":true,"later":{"x":[1, 2]}}}`,
			[]Action{add(func(a *Add) { a.Extra = Extra{"later": []byte(`{"x":[1, 2]}`)} })}},
		{"an unknown action", `{"novelty":{"a":1}}`, []Action{&Unknown{Name: "novelty", Raw: []byte(`{"a":1}`)}}},
		{"an unknown key beside an action", `{"add":{"path":"f","size":1,"modificationTime":2,"dataChange":true},"z":[1]}`, []Action{add(nil), &Unknown{Name: "z", Raw: []byte(`[1]`)}}},
		{"null actions do not count", `{"remove":null,"add":{"path":"f","size":1,"modificationTime":2,"dataChange":true},"txn":null}`, []Action{add(nil)}},
		{"an empty object", `{}`, nil},
		{"blank lines", "\n \n\r\n", nil},
		{"provenance of foreign writers", `{"commitInfo":{"operation":"WRITE","operationParameters":{"mode":"Append","n":1,"list":["a"],"partitionBy":"[]"},"operationMetrics":{"numFiles":1},"tags":"none","userMetadata":{"a":1}}}`,
			[]Action{&CommitInfo{Operation: "WRITE",
				OperationParameters: map[string]rawJSON{"mode": rawJSON(`"Append"`), "n": rawJSON(`1`), "list": rawJSON(`["a"]`), "partitionBy": rawJSON(`"[]"`)},
				OperationMetrics:    map[string]string{"numFiles": "1"}, Extra: Extra{"tags": rawJSON(`"none"`), "userMetadata": rawJSON(`{"a":1}`)}}}},
		{"a deletion vector", `{"remove":{"path":"f","dataChange":false,"deletionTimestamp":9,"deletionVector":{"storageType":"u","pathOrInlineDv":"ab","offset":1,"sizeInBytes":3,"cardinality":2}}}`,
			[]Action{&Remove{Path: "f", DeletionTimestamp: ptr(int64(9)), DeletionVector: &DeletionVector{StorageType: "u", PathOrInlineDv: "ab", Offset: ptr(int32(1)), SizeInBytes: 3, Cardinality: 2}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseCommit([]byte(c.line), "0.json")
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("(-want +have)\n%s", d)
			}
		})
	}
}

func TestSyntaxErrors(t *testing.T) {
	good := `{"txn":{"appId":"a","version":1}}` + "\n"
	for _, c := range []struct{ name, line, want string }{
		{"cut off", `{"add":{"path":"f","size":1`, "missing"},
		{"cut off in a text", `{"add":{"path":"f`, "does not end"},
		{"no object", `[1]`, "'{' is missing"},
		{"text behind", `{"txn":{"appId":"a","version":1}} x`, "text behind the end"},
		{"two objects", `{"txn":{"appId":"a","version":1}}{}`, "text behind the end"},
		{"two actions", `{"txn":{"appId":"a","version":1},"protocol":{"minReaderVersion":1,"minWriterVersion":2}}`, "two actions"},
		{"bad escape", `{"add":{"path":"\x"}}`, "malformed escape"},
		{"short unicode escape", `{"add":{"path":"\u12"}}`, "malformed escape"},
		{"control character", "{\"add\":{\"path\":\"a\tb\"}}", "control character"},
		{"no path", `{"add":{"size":1}}`, "no path"},
		{"size is an object", `{"add":{"path":"f","size":{}}}`, "number is malformed"},
		{"leading zero", `{"add":{"path":"f","size":01}}`, "number is malformed"},
		{"too large", `{"add":{"path":"f","size":99999999999999999999}}`, "too large"},
		{"comma at the end", `{"add":{"path":"f",}}`, "string is missing"},
		{"no comma", `{"add":{"path":"f" "size":1}}`, "comma"},
		{"not UTF-8", "{\"add\":{\"path\":\"\xff\"}}", "UTF-8"},
		{"a bare word", `{"add":{"path":nil}}`, "malformed"},
		{"protocol without numbers", `{"protocol":{}}`, "lacks"},
		{"nesting bomb", `{"x":` + strings.Repeat("[", 100_000), "too deep"},
		{"object bomb", strings.Repeat(`{"x":`, 100_000), "too deep"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseCommit([]byte(good+c.line+"\n"), "7.json")
			var s *SyntaxError
			if !errors.As(err, &s) {
				t.Fatalf("error %v, want a SyntaxError", err)
			}
			if s.File != "7.json" || s.Line != 2 || s.Column < 1 || !strings.Contains(s.Msg, c.want) {
				t.Errorf("error %v, want line 2 and %q", err, c.want)
			}
			if err := Scan([]byte(good+c.line+"\n"), "7.json", &Handler{}); err == nil && c.name != "no path" && c.name != "protocol without numbers" &&
				!strings.Contains(c.want, "too large") && c.name != "size is an object" {
				t.Error("a scan that skips everything takes it for JSON")
			}
		})
	}
}

// TestLines pins the exact form of lines, field by field in the reference's order.
func TestLines(t *testing.T) {
	for _, line := range []string{
		`{"commitInfo":{"inCommitTimestamp":5,"timestamp":4,"userId":"1","userName":"u","operation":"MERGE","operationParameters":{"matchedPredicates":"[]","predicate":"[\"(a = b)\"]"},"job":{"id":1},"notebook":{"id":2},"clusterId":"c","readVersion":3,"isolationLevel":"Serializable","isBlindAppend":false,"dataChange":true,"operationMetrics":{"numFiles":"1"},"userMetadata":"m","tags":{"t":"v"},"engineInfo":"e","txnId":"id"}}`,
		`{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors"],"writerFeatures":["appendOnly","deletionVectors"]}}`,
		`{"protocol":{"minReaderVersion":1,"minWriterVersion":7,"writerFeatures":[]}}`,
		`{"metaData":{"id":"i","name":"n","description":"d","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[]}","partitionColumns":["a"],"configuration":{"k":"v"},"createdTime":1}}`,
		`{"add":{"path":"a=1/x%20y.parquet","partitionValues":{"a":"1","b":null},"size":1,"modificationTime":2,"dataChange":true,"stats":"{\"numRecords\":1}","tags":{"k":"v"},"deletionVector":{"storageType":"u","pathOrInlineDv":"ab^-aqEH.-t@S}K{vb[*k^","offset":4,"sizeInBytes":40,"cardinality":6,"maxRowIndex":9},"baseRowId":0,"defaultRowCommitVersion":1,"clusteringProvider":"liquid"}}`,
		`{"remove":{"path":"p","deletionTimestamp":1,"dataChange":true,"extendedFileMetadata":true,"partitionValues":{},"size":2,"tags":{},"deletionVector":{"storageType":"i","pathOrInlineDv":"x","sizeInBytes":1,"cardinality":1},"baseRowId":1,"defaultRowCommitVersion":2,"stats":"{}"}}`,
		`{"txn":{"appId":"a","version":1,"lastUpdated":2}}`,
		`{"cdc":{"path":"_change_data/c","partitionValues":{},"size":1,"tags":{"k":"v"},"dataChange":false}}`,
		`{"domainMetadata":{"domain":"d","configuration":"{\"a\":1}","removed":false}}`,
		`{"checkpointMetadata":{"version":1,"tags":{"k":"v"}}}`,
		`{"sidecar":{"path":"s.parquet","sizeInBytes":1,"modificationTime":2,"tags":{}}}`,
		`{"novelty":{"a":[1,2,{"b":null}]}}`,
		`{"txn":{"appId":"\u0001\u001F<>&é\n\"\\/","version":-1,"zulu":1}}`,
	} {
		acts, err := ParseCommit([]byte(line), "")
		if err != nil || len(acts) != 1 {
			t.Errorf("%s: %v, %d actions", line, err, len(acts))
			continue
		}
		got, err := Append(nil, acts[0])
		if err != nil || string(got) != line {
			t.Errorf("written as\n%s, %v\nwant\n%s", got, err, line)
		}
	}
}

func TestAppendRefusesRawText(t *testing.T) {
	for _, a := range []Action{
		&Unknown{Name: "x", Raw: []byte(`{"a":1}}`)},
		&Unknown{Name: "x"},
		&Txn{AppID: "a", Extra: Extra{"e": rawJSON("{")}},
		&CommitInfo{OperationParameters: map[string]rawJSON{"p": rawJSON("word")}},
	} {
		if line, err := Append(nil, a); err == nil {
			t.Errorf("%T is written as %s, want an error", a, line)
		}
	}
	line, err := Append(nil, &Unknown{Name: "x", Raw: []byte("{\n\"a\": 1}")})
	if err != nil || strings.Contains(string(line), "\n") {
		t.Errorf("%s, %v: want one line", line, err)
	}
}

func TestHandlerErrorEndsTheScan(t *testing.T) {
	stop := errors.New("stop")
	n := 0
	err := Scan([]byte(strings.Repeat(`{"add":{"path":"f","size":1}}`+"\n", 5)), "", &Handler{Add: func(f *File) error {
		if n++; n == 2 {
			return stop
		}
		return nil
	}})
	if err != stop || n != 2 {
		t.Errorf("%v after %d calls", err, n)
	}
}
