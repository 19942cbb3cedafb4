// Package clones remembers, beside a table's log, which shallow clones read its
// files, so that VACUUM keeps them.
//
// Each clone has one small JSON file in _delta_log/_sluice_clones. Other engines
// read past it as they read past everything in that folder that is no file of the
// log: they neither enter their clones nor spare these files (docs/decisions).
package clones

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/sluicelake/sluice/internal/base/address"
	"github.com/sluicelake/sluice/internal/format/deltalog"
	"github.com/sluicelake/sluice/storage"
)

// Dir is the folder of the entries below a table's root.
const Dir = deltalog.Dir + "/_sluice_clones"

// Entry says that a table at Clone has files of this table.
type Entry struct {
	Clone   string `json:"clone"`         // address of the clone's root
	TableID string `json:"tableId"`       // of the clone
	Source  int64  `json:"sourceVersion"` // the version that was cloned
	Created int64  `json:"createdTime"`   // in milliseconds
	// Pending says that the clone's first commit was not seen yet. One that was cut
	// short before it leaves such an entry, and no table at its address.
	Pending bool `json:"pending,omitempty"`
}

// Key is where the entry of a clone lies; there is one for each address.
func Key(clone string) string {
	sum := xxh3.HashString128(strings.TrimRight(address.Plain(clone), "/")).Bytes()
	return fmt.Sprintf("%s/%x.json", Dir, sum)
}

// Register enters a clone at the table whose files it names, in place of an entry
// that the address has. It has to be called before the clone's first commit, with
// Pending, and once more after it; a clone of a clone is entered at each table whose
// files it names.
func Register(ctx context.Context, source *storage.Bucket, e Entry) error {
	if e.Created == 0 {
		return errors.New("an entry of a clone needs the time")
	}
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if err := source.Put(ctx, Key(e.Clone), append(data, '\n')); err != nil {
		return fmt.Errorf("entering the clone %s at its source, so that VACUUM keeps its files: %w", e.Clone, err)
	}
	return nil
}

// Forget takes a clone's entry away, when the clone is dropped or made
// independent. One that is not there is no error.
func Forget(ctx context.Context, source *storage.Bucket, clone string) error {
	return source.Delete(ctx, Key(clone))
}

// At is when the clone was made.
func (e Entry) At() time.Time { return time.UnixMilli(e.Created).UTC() }

// List reads the entries of a table, in order of the clones' addresses.
func List(ctx context.Context, source *storage.Bucket) ([]Entry, error) {
	var out []Entry
	for obj, err := range source.List(ctx, Dir+"/", "") {
		if errors.Is(err, storage.ErrNotExist) {
			break
		}
		if err != nil {
			return nil, err
		}
		if !strings.HasSuffix(obj.Key, ".json") {
			continue
		}
		data, _, err := source.Get(ctx, obj.Key)
		if errors.Is(err, storage.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		var e Entry
		if err := json.Unmarshal(data, &e); err != nil || e.Clone == "" {
			return nil, fmt.Errorf("%s/%s is no entry of a clone (%v): remove it by hand when no clone needs the files of this table", source.URL(), obj.Key, err)
		}
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b Entry) int { return strings.Compare(a.Clone, b.Clone) })
	return out, nil
}
