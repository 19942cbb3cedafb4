package main

import (
	"testing"
	"testing/fstest"
)

func TestMemoryOfMachineAndControlGroup(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	meminfo := file("MemTotal:       16384 kB\nMemFree: 1 kB\n")
	for name, c := range map[string]struct {
		fs   fstest.MapFS
		want int64
	}{
		"nothing is known":             {fstest.MapFS{}, 0},
		"the machine":                  {fstest.MapFS{"proc/meminfo": meminfo}, 16 << 20},
		"a group without a limit":      {fstest.MapFS{"proc/meminfo": meminfo, "proc/self/cgroup": file("0::/a\n"), "sys/fs/cgroup/a/memory.max": file("max\n")}, 16 << 20},
		"a group with one":             {fstest.MapFS{"proc/meminfo": meminfo, "proc/self/cgroup": file("0::/a/b\n"), "sys/fs/cgroup/a/b/memory.max": file("max\n"), "sys/fs/cgroup/a/memory.max": file("1048576\n")}, 1 << 20},
		"a container":                  {fstest.MapFS{"proc/meminfo": meminfo, "proc/self/cgroup": file("0::/host/path\n"), "sys/fs/cgroup/memory.max": file("2097152\n")}, 2 << 20},
		"version 1":                    {fstest.MapFS{"proc/meminfo": meminfo, "proc/self/cgroup": file("5:cpu,memory:/x\n"), "sys/fs/cgroup/memory/x/memory.limit_in_bytes": file("3145728\n")}, 3 << 20},
		"version 1 without a limit":    {fstest.MapFS{"proc/meminfo": meminfo, "proc/self/cgroup": file("5:memory:/\n"), "sys/fs/cgroup/memory/memory.limit_in_bytes": file("9223372036854771712\n")}, 16 << 20},
		"text that is not understood":  {fstest.MapFS{"proc/meminfo": file("MemTotal:\n"), "proc/self/cgroup": file("what\n")}, 0},
		"a limit beyond the machine's": {fstest.MapFS{"proc/meminfo": meminfo, "proc/self/cgroup": file("0::/\n"), "sys/fs/cgroup/memory.max": file("99999999999\n")}, 16 << 20},
	} {
		if got := memoryUnder(c.fs); got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}
