package diskcache

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/sluicelake/sluice/storage"
)

// file is an immutable file of the store.
type file struct {
	id     [sha256.Size]byte // of its address, and of its version where the name alone does not tell it
	log    bool              // a file of the log
	listed *storage.Object   // what it must be; nil for a name that is never used twice
}

var uuid = regexp.MustCompile(`[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`)

// settled is how old a listed file must be: a store's times may be whole seconds,
// and its clock another than ours, so that a younger file could be replaced by one
// of the same size and time.
const settled = 2 * time.Minute

// file says whether a key names an immutable file, and which. (PROTOCOL.md: data
// files, deletion vectors, sidecars and V2 checkpoints carry a UUID. A classic
// checkpoint does not; two writers may write it one after the other.)
func (s *Store) file(key string) (file, bool) {
	base := path.Base(key)
	named := uuid.MatchString(base)
	dir, inLog := logFolder(key)
	switch {
	case !inLog:
		if !named || !(strings.HasSuffix(base, ".parquet") || strings.HasSuffix(base, ".bin")) {
			return file{}, false
		}
	case dir == "_sidecars":
		if !named || !strings.HasSuffix(base, ".parquet") {
			return file{}, false
		}
	case dir != "" || !isCheckpoint(base):
		return file{}, false
	}
	version := ""
	f := file{log: inLog}
	if !named {
		s.mu.Lock()
		o, ok := s.listed[key]
		s.mu.Unlock()
		if !ok || o.ModTime.IsZero() || s.now().Sub(o.ModTime) < settled {
			return file{}, false
		}
		f.listed, version = &o, fmt.Sprintf("%d %d", o.Size, o.ModTime.UnixNano())
	}
	f.id = sha256.Sum256([]byte(strings.Join([]string{"sluice cache 1", s.scope, s.next.URL(), key, version}, "\n")))
	return f, true
}

// logFolder says whether a key lies in the log of a table, and in which folder of it.
func logFolder(key string) (dir string, ok bool) {
	const log = "_delta_log/"
	i := strings.LastIndex("/"+key, "/"+log)
	if i < 0 {
		return "", false
	}
	dir, _, nested := strings.Cut(key[i+len(log):], "/")
	if !nested {
		dir = ""
	}
	return dir, true
}

func isCheckpoint(base string) bool {
	return strings.Contains(base, ".checkpoint.") && (strings.HasSuffix(base, ".parquet") || strings.HasSuffix(base, ".json"))
}

// is reports whether an object is the version of the file that was listed.
func (f file) is(o storage.Object) bool {
	return f.listed == nil || o.Size == f.listed.Size && o.ModTime.Equal(f.listed.ModTime)
}

// most is the longest read of the file that is kept.
func (f file) most(limit int64) int64 {
	if f.log {
		return limit / 4
	}
	return min(limit/16, 8<<20)
}

func (f file) whole() string         { return f.entry("whole") }
func (f file) block(n int64) string  { return f.entry(fmt.Sprintf("block %d", n)) }
func (f file) entry(s string) string { return hex.EncodeToString(sum(f.id[:], []byte(s))) }

func sum(parts ...[]byte) []byte {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}
