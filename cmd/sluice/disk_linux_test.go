package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// smallDisk mounts a file system of some size in memory, where this process may.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("needs a file system of its own: mounting one in memory is for root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return dir
}

// writers are commands that write to a table.
func writers(table, source string) [][]string {
	return [][]string{
		{"append", table, "--source", source},
		{"append", table, "--source", source, "--overwrite"},
		{"merge", table, "--source", source, "--on", "t.user_id = s.user_id", "--when-matched", "UPDATE SET name = 'x'"},
		{"update", table, "--set", "name = 'x'", "--where", "user_id = '1'"},
		{"delete", table},
	}
}

// refuseAll expects every writing command to fail, with a message that says
// what is wrong and names the table, and to leave the table as it was.
func refuseAll(t *testing.T, table, source, kind string, says ...string) {
	t.Helper()
	before, err := treeHash(table)
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range writers(table, source) {
		code, out, errs := sluiceIn(t, append(args, "--json")...)
		if code != 1 {
			t.Errorf("sluice %s: status %d, want 1: %s", args[0], code, errs)
		}
		for _, text := range append(says, table) {
			if !strings.Contains(errs, text) {
				t.Errorf("sluice %s: the message lacks %q: %s", args[0], text, errs)
			}
		}
		if !strings.Contains(out, `"kind":"`+kind+`"`) {
			t.Errorf("sluice %s: want kind %s: %s", args[0], kind, out)
		}
		after, err := treeHash(table)
		if err != nil {
			t.Fatal(err)
		}
		if after != before {
			t.Errorf("sluice %s has changed the table:\n%s\nwas\n%s", args[0], after, before)
		}
	}
}

func TestDiskFull(t *testing.T) {
	disk := smallDisk(t, "1m")
	table, source := people(t, disk)
	fill := filepath.Join(disk, "fill")
	f, err := os.Create(fill)
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(block)
	}
	if err := f.Close(); err != nil {
		t.Logf("closing the file that fills the disk: %v", err)
	}
	refuseAll(t, table, source, "no-space", "no space left", "Nothing was committed")
	if got := strings.TrimSpace(mustRun(t, "count", table)); got != "2" {
		t.Errorf("%s rows, want 2", got)
	}
	if code, _, errs := sluiceIn(t, "create", filepath.Join(disk, "other"), "--schema", "a INT"); code != 1 || !strings.Contains(errs, "no space left") {
		t.Errorf("create: status %d: %s", code, errs)
	}
	if err := os.Remove(fill); err != nil {
		t.Fatal(err)
	}
	mustRun(t, "append", table, "--source", source) // with space again, all is well
	if got := strings.TrimSpace(mustRun(t, "count", table)); got != "4" {
		t.Errorf("%s rows, want 4", got)
	}
}

// A disk that fills up in the middle of a large write.
func TestDiskFillsUp(t *testing.T) {
	disk := smallDisk(t, "1m")
	table, _ := people(t, disk)
	before, err := treeHash(table)
	if err != nil {
		t.Fatal(err)
	}
	var rows strings.Builder
	rows.WriteString("user_id,name,city,country\n")
	for i := range 60_000 {
		id := strings.Repeat("x", i%7) + string(rune('a'+i%26)) + strings.Repeat(string(rune('A'+i%23)), i%5)
		rows.WriteString(id + "," + sha(i) + ",c,UK\n")
	}
	big := filepath.Join(t.TempDir(), "big.csv")
	if err := os.WriteFile(big, []byte(rows.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	code, _, errs := sluiceIn(t, "append", table, "--source", big)
	if code != 1 || !strings.Contains(errs, "no space left") {
		t.Errorf("status %d: %s", code, errs)
	}
	if after, err := treeHash(table); err != nil || after != before {
		t.Errorf("the table has changed (%v):\n%s\nwas\n%s", err, after, before)
	}
}

func TestReadOnlyDisk(t *testing.T) {
	disk := smallDisk(t, "1m")
	table, source := people(t, disk)
	if err := syscall.Mount("", disk, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Skipf("cannot make it read-only: %v", err)
	}
	refuseAll(t, table, source, "read-only", "read-only", "Nothing was committed")
	for _, args := range [][]string{{"cat"}, {"head"}, {"count"}, {"schema"}, {"detail"}, {"history"}, {"snapshot"}, {"files"}, {"log"}} {
		mustRun(t, append(args, table)...)
	}
	if code, _, errs := sluiceIn(t, "create", filepath.Join(disk, "other"), "--schema", "a INT"); code != 1 || !strings.Contains(errs, "read-only") {
		t.Errorf("create: status %d: %s", code, errs)
	}
}

func TestForbiddenDirectory(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may write anywhere; TestReadOnlyDisk stands in")
	}
	table, source := people(t, t.TempDir())
	for _, dir := range []string{table, filepath.Join(table, "_delta_log"), filepath.Join(table, "country=UK")} {
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
		defer os.Chmod(dir, 0o755)
	}
	refuseAll(t, table, source, "permission", "permission denied", "Nothing was committed")
}

// sha is text that does not compress.
func sha(i int) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte{byte(i), byte(i >> 8), byte(i >> 16)}))
}
