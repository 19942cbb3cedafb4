package local_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sluicelake/sluice/storage"
)

func TestReadOnlyDirectory(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("permissions do not bind root")
	}
	dir := t.TempDir()
	os.Chmod(dir, 0o500)
	defer os.Chmod(dir, 0o700)
	b := bucket(t, dir)
	if err := b.PutIfAbsent(t.Context(), "k", nil); !errors.Is(err, storage.ErrPermission) {
		t.Errorf("PutIfAbsent: %v, want ErrPermission", err)
	}
	if _, err := b.Create(t.Context(), "d/k"); !errors.Is(err, storage.ErrPermission) {
		t.Errorf("Create: %v, want ErrPermission", err)
	}
}

// tmpfs mounts a file system in memory, if this process may.
func tmpfs(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("cannot mount a small file system: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

func TestFullDisk(t *testing.T) {
	ctx := t.Context()
	dir := tmpfs(t, "size=64k")
	b := bucket(t, dir)
	if err := b.PutIfAbsent(ctx, "small", []byte("fits")); err != nil {
		t.Fatal(err)
	}
	big := bytes.Repeat([]byte("x"), 1<<20)
	if err := b.PutIfAbsent(ctx, "big", big); !errors.Is(err, storage.ErrNoSpace) {
		t.Errorf("PutIfAbsent: %v, want ErrNoSpace", err)
	}
	w, err := b.Create(ctx, "stream")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(big); !errors.Is(err, storage.ErrNoSpace) {
		t.Errorf("Write: %v, want ErrNoSpace", err)
	}
	w.Abort()
	if got := strings.Join(entries(t, dir), " "); got != "small" {
		t.Errorf("the directory holds %s", got)
	}
	if err := b.PutIfAbsent(ctx, "again", []byte("fits")); err != nil {
		t.Errorf("after the failures: %v", err)
	}
}

func TestReadOnlyFileSystem(t *testing.T) {
	dir := tmpfs(t, "size=64k")
	b := bucket(t, dir)
	b.Put(t.Context(), "k", []byte("v"))
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Skip(err)
	}
	if err := b.PutIfAbsent(t.Context(), "n", nil); !errors.Is(err, storage.ErrReadOnly) {
		t.Errorf("PutIfAbsent: %v, want ErrReadOnly", err)
	}
	if err := b.Delete(t.Context(), "k"); !errors.Is(err, storage.ErrReadOnly) {
		t.Errorf("Delete: %v, want ErrReadOnly", err)
	}
}

func TestNamedPipeIsNoObject(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o666); err != nil {
		t.Skip(err)
	}
	b := bucket(t, dir)
	if _, _, err := b.Get(t.Context(), "pipe"); !errors.Is(err, storage.ErrNotExist) {
		t.Errorf("Get: %v, want ErrNotExist", err)
	}
	if got := keys(t, b); got != "" {
		t.Errorf("List = %s", got)
	}
}

// TestRaceOfProcesses: this test binary runs itself; the processes put the same
// keys, and the sum of their wins is the number of keys.
func TestRaceOfProcesses(t *testing.T) {
	const rounds, processes = 50, 4
	if dir := os.Getenv("SLUICE_LOCAL_RACE"); dir != "" {
		b := bucket(t, dir)
		for i := range rounds {
			data := fmt.Sprintf("process %d", os.Getpid())
			switch err := b.PutIfAbsent(context.Background(), fmt.Sprintf("_delta_log/%d", i), []byte(data)); {
			case err == nil:
				fmt.Printf("\nWON %d %s\n", i, data)
			case !errors.Is(err, storage.ErrExist):
				t.Error(err)
			}
		}
		return
	}
	dir := t.TempDir() + "/t"
	outs := make([]bytes.Buffer, processes)
	var cmds []*exec.Cmd
	for i := range processes {
		c := exec.Command(os.Args[0], "-test.run=^TestRaceOfProcesses$", "-test.v")
		c.Env = append(os.Environ(), "SLUICE_LOCAL_RACE="+dir)
		c.Stdout, c.Stderr = &outs[i], &outs[i]
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, c)
	}
	won := map[string]string{}
	for i, c := range cmds {
		if err := c.Wait(); err != nil {
			t.Errorf("process %d: %v\n%s", i, err, &outs[i])
		}
		for line := range strings.Lines(outs[i].String()) {
			if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "WON "); ok {
				key, who, _ := strings.Cut(rest, " ")
				if before, dup := won[key]; dup {
					t.Errorf("key %s was won by %s and %s", key, before, who)
				}
				won[key] = who
			}
		}
	}
	b := bucket(t, dir)
	for i := range rounds {
		got, _, err := b.Get(t.Context(), fmt.Sprintf("_delta_log/%d", i))
		if err != nil || string(got) != won[fmt.Sprint(i)] {
			t.Errorf("key %d holds %q, %v; won by %q", i, got, err, won[fmt.Sprint(i)])
		}
	}
	if n := len(entries(t, dir+"/_delta_log")); n != rounds {
		t.Errorf("%d names in the directory, want %d", n, rounds)
	}
}
