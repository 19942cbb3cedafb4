package local

import (
	"os"
	"path/filepath"
)

// Describe names the file system below, and warns where its locks and links may
// not hold between machines.
func (s *Store) Describe() map[string]string {
	name, shared := fileSystem(existing(s.path))
	d := map[string]string{"store": "a directory of this machine", "put-if-absent": "a link that must be the first (link, or rename without replacing)",
		"credential": "the user of this process"}
	if name != "" {
		d["file-system"] = name
	}
	if shared {
		d["warning"] = "the directory lies on a network or user-space file system (" + name + "): writers of one machine are safe; those of several are only if it makes links exclusive between machines"
	}
	return d
}

// existing is the nearest folder that is there.
func existing(path string) string {
	for !isDir(path) {
		up := filepath.Dir(path)
		if up == path {
			break
		}
		path = up
	}
	return path
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
