//go:build !linux

package local

import "strings"

// fileSystem cannot name the file system here; it tells the shares of Windows by
// their paths.
func fileSystem(dir string) (name string, shared bool) {
	if strings.HasPrefix(dir, `\\`) {
		return "smb", true
	}
	return "", false
}
