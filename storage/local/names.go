package local

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/sluicelake/sluice/storage"
)

// tempSuffix ends the name of every temporary file; it also begins with a dot.
const tempSuffix = ".sluice-tmp"

// tempName makes a name for a temporary file in the same directory.
func tempName() string {
	var id [10]byte
	rand.Read(id[:])
	return "." + hex.EncodeToString(id[:]) + tempSuffix
}

// isTemp tells the temporary files (of this or another process, running or
// crashed) from objects; they are never listed and cannot be named by a key.
func isTemp(name string) bool {
	return strings.HasPrefix(name, ".") && strings.HasSuffix(name, tempSuffix)
}

// fileName turns a key into a path below the root.
func fileName(key string) (string, error) {
	name := filepath.FromSlash(key)
	if !filepath.IsLocal(name) || isTemp(filepath.Base(name)) || (filepath.Separator == '\\' && strings.ContainsAny(key, `\:`)) {
		return "", fmt.Errorf("%w %q: it cannot be a file name here", storage.ErrInvalidKey, key)
	}
	return name, nil
}
