package session

import (
	"context"
	"slices"
	"strings"

	"github.com/sluicelake/sluice/storage"
)

// Folder is a catalog: the tables in a folder, by the names of their own folders.
type Folder struct{ b *storage.Bucket }

// NewFolder makes the tables at the root of a bucket a catalog.
func NewFolder(b *storage.Bucket) *Folder { return &Folder{b} }

// address is where a table of a name lies or would lie.
func (f *Folder) address(name string) string { return strings.TrimSuffix(f.b.URL(), "/") + "/" + name }

// usable tells names that can be those of folders.
func usable(name string) bool {
	return storage.CheckKey(name) == nil && !strings.ContainsAny(name, "/\\%?#") && !strings.HasPrefix(name, "_") && !strings.HasPrefix(name, ".")
}

// holds reports whether a folder has the log of a table.
func (f *Folder) holds(ctx context.Context, name string) (bool, error) {
	for _, err := range f.b.List(ctx, name+"/_delta_log/", "") {
		return err == nil, err
	}
	return false, nil
}

// find is the folder of a table, whose name may differ in case.
func (f *Folder) find(ctx context.Context, name string) (string, bool, error) {
	if !usable(name) {
		return "", false, nil
	}
	if ok, err := f.holds(ctx, name); ok || err != nil {
		return name, ok, err
	}
	all, err := f.tables(ctx)
	if i := slices.IndexFunc(all, func(other string) bool { return strings.EqualFold(other, name) }); i >= 0 {
		return all[i], true, nil
	}
	return "", false, err
}

// tables are the names of all tables. It asks for one object of each folder, and
// jumps to the next one: what a table holds is not listed.
func (f *Folder) tables(ctx context.Context) ([]string, error) {
	var out []string
	for after, more := "", true; more; {
		more = false
		for o, err := range f.b.List(ctx, "", after) {
			if err != nil {
				return nil, err
			}
			name, _, folder := strings.Cut(o.Key, "/")
			if !folder {
				after, more = o.Key, true
				break
			}
			if usable(name) {
				ok, err := f.holds(ctx, name)
				if err != nil {
					return nil, err
				}
				if ok {
					out = append(out, name)
				}
			}
			after, more = name+"0", true // the first text behind those that begin with name/
			break
		}
	}
	slices.Sort(out)
	return out, nil
}

// SetCatalog has names that the session does not know looked up in a folder.
func (s *Session) SetCatalog(f *Folder) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.folder = f
}

// Discover gives all tables of the catalog their names in the session.
func (s *Session) Discover(ctx context.Context) error {
	s.mu.Lock()
	f := s.folder
	s.mu.Unlock()
	if f == nil {
		return nil
	}
	names, err := f.tables(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		s.learn(name, f.address(name))
	}
	return nil
}

// learn is AddTable for a name that means nothing yet.
func (s *Session) learn(name, address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	low := strings.ToLower(name)
	if _, known := s.tables[low]; !known {
		s.tables[low] = table{name, address}
	}
}

// Names are the tables and views of the session, sorted.
func (s *Session) Names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, t := range s.tables {
		out = append(out, t.name)
	}
	for _, v := range s.views {
		out = append(out, v.name)
	}
	slices.Sort(out)
	return out
}

// located is address for a table that should be there: the catalog is asked too.
func (x *execution) located(ctx context.Context, name []string) (string, bool, error) {
	at, ok := x.address(name)
	short := bare(name)
	if ok || x.folder == nil || len(short) != 1 {
		return at, ok, nil
	}
	if _, view := x.views[strings.ToLower(short[0])]; view {
		return "", false, nil
	}
	found, ok, err := x.folder.find(ctx, short[0])
	if !ok || err != nil {
		return "", false, err
	}
	at = x.folder.address(found)
	x.s.learn(found, at)
	return at, true, nil
}
