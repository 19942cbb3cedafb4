package main

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
)

// machineMemory is the memory that this process may use: that of the machine,
// or of its control group where that is less. 0 is unknown.
func machineMemory() int64 { return memoryUnder(os.DirFS("/")) }

func memoryUnder(root fs.FS) int64 {
	limit := int64(0)
	lower := func(n int64, err error) {
		if err == nil && n > 0 && (limit == 0 || n < limit) {
			limit = n
		}
	}
	if text, err := fs.ReadFile(root, "proc/meminfo"); err == nil {
		lower(memTotal(text))
	}
	groups, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return limit
	}
	for line := range strings.Lines(string(groups)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		mount, file := "", ""
		switch {
		case parts[0] == "0" && parts[1] == "":
			mount, file = "sys/fs/cgroup", "memory.max"
		case strings.Contains(","+parts[1]+",", ",memory,"):
			mount, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		default:
			continue
		}
		// The group and those above it; inside a container the path may be
		// that of the host, and only the mount itself be there.
		for dir := strings.Trim(parts[2], "/"); ; dir = path.Dir(dir) {
			if text, err := fs.ReadFile(root, path.Join(mount, dir, file)); err == nil {
				lower(strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)) // "max" is no number
			}
			if dir == "." || dir == "" {
				break
			}
		}
	}
	return limit
}

// memTotal reads the line "MemTotal: 16384 kB" of /proc/meminfo.
func memTotal(text []byte) (int64, error) {
	_, rest, _ := bytes.Cut(text, []byte("MemTotal:"))
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		return 0, strconv.ErrSyntax
	}
	n, err := strconv.ParseInt(string(fields[0]), 10, 64)
	return n << 10, err
}
