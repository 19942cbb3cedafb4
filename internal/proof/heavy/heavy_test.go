// Package heavy runs the real command as many processes: every variant of the
// demo over and over, and appends from eight processes at once. It runs where
// SLUICE_HEAVY is set; SLUICE_ROUNDS is the number of rounds (200).
package heavy

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func binary(t *testing.T, pkg string) string {
	t.Helper()
	if os.Getenv("SLUICE_HEAVY") == "" {
		t.Skip("SLUICE_HEAVY is not set: this takes minutes")
	}
	out := filepath.Join(t.TempDir(), "command")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", out, pkg)
	cmd.Dir = "../../.."
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, text)
	}
	return out
}

func rounds() string {
	if n := os.Getenv("SLUICE_ROUNDS"); n != "" {
		return n
	}
	return "200"
}

// TestDemoRounds lets the command hold each round against a serial order itself;
// it fails when one differs.
func TestDemoRounds(t *testing.T) {
	bin := binary(t, "./cmd/sluice")
	for _, writers := range []string{"2", "4", "8"} {
		for _, processes := range []bool{false, true} {
			for _, vectors := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s writers, processes %t, deletion vectors %t", writers, processes, vectors), func(t *testing.T) {
					args := []string{"demo", "--variant", "all", "--rounds", rounds(), "--writers", writers,
						fmt.Sprintf("--processes=%t", processes), fmt.Sprintf("--deletion-vectors=%t", vectors)}
					start := time.Now()
					cmd := exec.CommandContext(t.Context(), bin, args...)
					cmd.Dir = t.TempDir()
					text, err := cmd.CombinedOutput()
					lines := strings.Split(strings.TrimSpace(string(text)), "\n")
					if err != nil {
						t.Fatalf("%v: %v\n%s", args, err, text)
					}
					t.Logf("%.1f s: %s", time.Since(start).Seconds(), lines[len(lines)-1])
				})
			}
		}
	}
}

// TestAppendsFromProcesses checks 8 x 200 appends; the workload counts rows and
// versions itself.
func TestAppendsFromProcesses(t *testing.T) {
	bin := binary(t, "./bench")
	for _, workload := range []string{"append-8-processes", "append-8-goroutines"} {
		dir := t.TempDir()
		cmd := exec.CommandContext(t.Context(), bin, "-n", "1", "-dir", dir, "-run", "^"+workload+"$")
		cmd.Dir = dir
		text, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", workload, err, text)
		}
		t.Logf("%s", strings.TrimSpace(string(text)))
	}
}
