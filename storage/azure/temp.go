package azure

import (
	"path"
	"strings"

	"github.com/google/uuid"
)

// tempSuffix ends the name of every temporary file; it also begins with a dot,
// so readers of tables pass it over.
const tempSuffix = ".sluice-tmp"

// tempFor makes a name in the directory of a path. Renaming within a directory needs
// no other directory to exist.
func tempFor(p string) string {
	dir, _ := path.Split(p)
	return dir + "." + uuid.NewString() + tempSuffix
}

// isTemp tells the temporary files (of this or another process, running or crashed)
// from objects; they are never listed and cannot be named by a key.
func isTemp(name string) bool {
	return strings.HasPrefix(name, ".") && strings.HasSuffix(name, tempSuffix)
}

func temporary(p string) bool { return isTemp(path.Base(p)) }
