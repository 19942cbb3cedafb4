package deltalog

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
)

// The sample, its canonical form and its checksum are those of PROTOCOL.md, JSON checksum.
func TestCanonicalForm(t *testing.T) {
	sample := `{"k0":"'v 0'", "checksum": "adsaskfljadfkjadfkj", "k1":{"k2": 2, "k3": ["v3", [1, 2], {"k4": "v4", "k5": ["v5", "v6", "v7"]}]}}`
	want := `"k0"="%27v%200%27","k1"+"k2"=2,"k1"+"k3"+0="v3","k1"+"k3"+1+0=1,"k1"+"k3"+1+1=2,"k1"+"k3"+2+"k4"="v4","k1"+"k3"+2+"k5"+0="v5","k1"+"k3"+2+"k5"+1="v6","k1"+"k3"+2+"k5"+2="v7"`
	got, err := canonicalJSON([]byte(sample))
	if err != nil || got != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
	if sum, _ := jsonChecksum([]byte(sample)); sum != "6a92d155a59bf2eecbd4b4ec7fd1f875" {
		t.Errorf("checksum %s", sum)
	}
	if got, _ := canonicalJSON([]byte(`{"a": 10, "b": {"y": null, "x": "https://delta.io"} }`)); got != `"a"=10,"b"+"x"="https%3A%2F%2Fdelta.io","b"+"y"=null` {
		t.Errorf("got %s", got)
	}
	for _, bad := range []string{"", "[]", "null", `{"a":1,"a":2}`, `{"a":1} x`, `{"a":`, strings.Repeat(`{"a":`, 1000)} {
		if got, err := canonicalJSON([]byte(bad)); err == nil {
			t.Errorf("%.20s gives %s", bad, got)
		}
	}
}

func TestLastCheckpointRoundTrip(t *testing.T) {
	b := storage.NewBucket(memory.New())
	if _, err := ReadLastCheckpoint(t.Context(), b); !errors.Is(err, storage.ErrNotExist) {
		t.Errorf("no hint: %v", err)
	}
	parts, bytes, adds := 3, int64(1234), int64(7)
	want := LastCheckpoint{Version: 10, Size: 9, Parts: &parts, SizeInBytes: &bytes, NumOfAddFiles: &adds, Tags: map[string]string{"k": "<v>"}}
	if err := WriteLastCheckpoint(t.Context(), b, want); err != nil {
		t.Fatal(err)
	}
	got, err := ReadLastCheckpoint(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if got.Checksum == "" {
		t.Error("no checksum was written")
	}
	got.Checksum = ""
	if d := cmp.Diff(&want, got); d != "" {
		t.Error(d)
	}
}

func TestLastCheckpointOfOthers(t *testing.T) {
	// As delta-spark writes it, with fields that this version does not name.
	h, err := ParseLastCheckpoint([]byte(`{"version":2,"size":8,"sizeInBytes":15900,"numOfAddFiles":1,"futureField":{"x":[1.5e3,true]},"checkpointSchema":{"type":"struct","fields":[]}}`))
	if err != nil || h.Version != 2 || h.Size != 8 || *h.NumOfAddFiles != 1 || len(h.CheckpointSchema) == 0 {
		t.Errorf("got %+v, %v", h, err)
	}
	for text, want := range map[string]string{
		"": "end of JSON", "{": "end of JSON", `{"size":3}`: "version is missing", `{"version":-1}`: "negative", `{"version":"x"}`: "cannot unmarshal",
		`{"version":1,"parts":0}`: "parts is 0", `{"version":1,"size":2,"checksum":"00"}`: "its checksum is 00", `{"version":1.5}`: "cannot unmarshal",
		`{"version":1,"version":2,"checksum":"x"}`: "twice", "\x00\x00": "invalid character",
	} {
		b := storage.NewBucket(memory.New())
		b.Put(t.Context(), LastCheckpointPath, []byte(text))
		_, err := ReadLastCheckpoint(t.Context(), b)
		var hint *HintError
		if !errors.As(err, &hint) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want a HintError with %q", text, err, want)
		}
	}
}

func FuzzLastCheckpoint(f *testing.F) {
	f.Add([]byte(`{"version":2,"size":8,"parts":1,"tags":{"a":"b"},"checksum":""}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := ParseLastCheckpoint(data)
		if err != nil {
			return
		}
		out, err := h.Encode()
		if err != nil {
			return
		}
		if again, err := ParseLastCheckpoint(out); err != nil || again.Version != h.Version {
			t.Errorf("%s is written %s, which is read %+v, %v", data, out, again, err)
		}
	})
}
