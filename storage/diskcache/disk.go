package diskcache

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// disk is the folder: entries of bytes under names that are sums, in 256 folders.
// Nothing that fails here fails a read of the store.
type disk struct {
	root  *os.Root
	limit int64

	mu    sync.Mutex
	added int64 // bytes since the folder was last looked through; negative: never was
}

// openDisk makes or opens the folder. One that others may write to is refused:
// they could put any bytes there.
func openDisk(dir string, limit int64) (*disk, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the folder of the cache: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("the folder of the cache: %w", err)
	}
	info, err := root.Stat(".")
	if err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0 {
		err = fmt.Errorf("others may write to it (mode %v): chmod 700 %s", info.Mode().Perm(), dir)
	}
	if err != nil {
		return nil, fmt.Errorf("the folder of the cache %s: %w", dir, err)
	}
	return &disk{root: root, limit: limit, added: -1}, nil
}

// An entry is the mark, the sum of all that follows and of the entry's name, a
// time (8 bytes, 0 for none), and the bytes.
const (
	mark   = "sluice1\n"
	header = len(mark) + 32 + 8
)

func place(name string) string { return filepath.Join(name[:2], name[2:]) }

// read verifies an entry and marks it as used. What is damaged is removed.
func (d *disk) read(name string) (data []byte, mod time.Time, ok bool) {
	at := place(name)
	text, err := d.root.ReadFile(at)
	if err != nil {
		return nil, time.Time{}, false
	}
	if len(text) < header || string(text[:len(mark)]) != mark || !bytes.Equal(text[len(mark):len(mark)+32], sum([]byte(name), text[len(mark)+32:])) {
		_ = d.root.Remove(at)
		return nil, time.Time{}, false
	}
	if ns := int64(binary.BigEndian.Uint64(text[len(mark)+32:])); ns != 0 {
		mod = time.Unix(0, ns).UTC()
	}
	if info, err := d.root.Stat(at); err == nil && time.Since(info.ModTime()) > time.Minute {
		_ = d.root.Chtimes(at, time.Time{}, time.Now())
	}
	return text[header:len(text):len(text)], mod, true
}

// temporary ends the names of entries that are being written.
const temporary = ".tmp"

// write keeps bytes under a name, whole or not at all.
func (d *disk) write(name string, data []byte, mod time.Time) {
	if int64(len(data)) > d.limit/4 {
		return
	}
	text := make([]byte, header, header+len(data))
	copy(text, mark)
	if !mod.IsZero() {
		binary.BigEndian.PutUint64(text[len(mark)+32:], uint64(mod.UnixNano()))
	}
	text = append(text, data...)
	copy(text[len(mark):], sum([]byte(name), text[len(mark)+32:]))
	d.room(int64(len(text)))
	if err := d.root.Mkdir(name[:2], 0o700); err != nil && !os.IsExist(err) {
		return
	}
	var id [8]byte
	rand.Read(id[:])
	temp := filepath.Join(name[:2], hex.EncodeToString(id[:])+temporary)
	err := d.root.WriteFile(temp, text, 0o600)
	if err == nil {
		err = d.root.Rename(temp, place(name))
	}
	if err != nil {
		_ = d.root.Remove(temp)
	}
}

// room looks through the folder before what was added since the last time can
// have made it too large. Other processes add as well, so the folder may be
// larger than its limit by what each of them adds between two looks: a sixteenth.
func (d *disk) room(more int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.added >= 0 && d.added+more <= d.limit/16 {
		d.added += more
		return
	}
	d.evict(d.limit - d.limit/16 - more)
	d.added = more
}

type entry struct {
	path string
	size int64
	used time.Time
}

// abandoned is the age of a temporary file whose writer has ended.
const abandoned = time.Hour

// evict removes what was used longest ago until at most so many bytes are left.
func (d *disk) evict(most int64) {
	var all []entry
	var total int64
	_ = fs.WalkDir(d.root.FS(), ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil // what cannot be seen does not count
		}
		info, err := e.Info()
		if err != nil {
			return nil
		}
		if strings.HasSuffix(path, temporary) && time.Since(info.ModTime()) > abandoned {
			_ = d.root.Remove(path)
			return nil
		}
		all = append(all, entry{path, info.Size(), info.ModTime()})
		total += info.Size()
		return nil
	})
	slices.SortFunc(all, func(a, b entry) int { return a.used.Compare(b.used) })
	for _, e := range all {
		if total <= most {
			return
		}
		if d.root.Remove(e.path) == nil {
			total -= e.size
		}
	}
}
