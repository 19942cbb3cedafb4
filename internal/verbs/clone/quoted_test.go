package clone

import (
	"testing"

	"github.com/sluicelake/sluice/internal/base/address"
)

// TestQuoted: addresses are spelled as by java.net.URI, and mean the same file.
func TestQuoted(t *testing.T) {
	for in, want := range map[string]string{
		"file:///a b/p=ü%2Fx/1%25": "file:/a%20b/p=ü%252Fx/1%2525",
		"s3://b/k#?[é]":            "s3://b/k%23%3F%5Bé%5D",
		"file:///'()!*~^`{|}":      "file:/'()!*~%5E%60%7B%7C%7D",
		"/x\u00a0y\x01\xff":        "/x%C2%A0y%01%FF",
		"file:///a/日本/x+y":         "file:/a/日本/x+y",
	} {
		got := escaped(in)
		if got != want {
			t.Errorf("%q is spelled %q, want %q", in, got, want)
		}
		if back := address.Plain(got); back != address.Plain(escaped(address.Plain(got))) || len(in) > 7 && in[:7] == "file://" && back != in[7:] {
			t.Errorf("%q means %q", got, back)
		}
	}
}
