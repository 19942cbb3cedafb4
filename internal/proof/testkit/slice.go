package testkit

import (
	"fmt"
	"os"
	"testing"
)

// Slice lets a long test be run in parts: SLUICE_SLICE=k/n takes the k-th of n, and
// all is taken without it. The answer says which cases, counted from 0, are in it.
func Slice(t *testing.T) func(i int) bool {
	t.Helper()
	text := os.Getenv("SLUICE_SLICE")
	if text == "" {
		return func(int) bool { return true }
	}
	var k, n int
	if _, err := fmt.Sscanf(text, "%d/%d", &k, &n); err != nil || k < 1 || k > n {
		t.Fatalf("SLUICE_SLICE=%q: want k/n, such as 2/8", text)
	}
	return func(i int) bool { return i%n == k-1 }
}
