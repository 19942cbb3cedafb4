package snapshot

import (
	"errors"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/storage"
)

// A piece is one file that replay reads: a commit, or a log compaction file
// that says what several commits say together (PROTOCOL.md, Log Compaction Files).
type piece struct {
	from, to  int64
	object    storage.Object
	compacted bool
}

// requestCost is what fetching a file costs, in bytes that could be read instead.
const requestCost = 64 << 10

// pieces chooses the files from which the versions from..to are cheapest to
// replay. Commits are there for all of them; compactions may overlap in any way.
func (d *logDirectory) pieces(from, to int64) []piece {
	n := to - from + 1
	if n <= 0 {
		return nil
	}
	starting := map[int64][]piece{}
	for _, c := range d.compacted {
		if c.from >= from && c.to <= to && c.from < c.to {
			starting[c.from] = append(starting[c.from], c)
		}
	}
	commit := func(v int64) piece { return piece{from: v, to: v, object: d.commits[v]} }
	if len(starting) == 0 {
		out := make([]piece, 0, n)
		for v := from; v <= to; v++ {
			out = append(out, commit(v))
		}
		return out
	}
	cost := make([]int64, n+1) // of everything from a version on
	first := make([]piece, n)  // the file with which that begins
	for i := n - 1; i >= 0; i-- {
		for _, p := range append(starting[from+i], commit(from+i)) {
			if c := p.object.Size + requestCost + cost[p.to-from+1]; cost[i] == 0 || c < cost[i] {
				cost[i], first[i] = c, p
			}
		}
	}
	var out []piece
	for i := int64(0); i < n; i = first[i].to - from + 1 {
		out = append(out, first[i])
	}
	return out
}

// compactionError is a compaction file that cannot be used: the commits serve.
type compactionError struct{ err error }

func (e *compactionError) Error() string { return e.err.Error() }
func (e *compactionError) Unwrap() error { return e.err }

func isCompactionError(err error) bool {
	var c *compactionError
	return errors.As(err, &c)
}

// compaction reads a log compaction file.
func (r *reader) compaction(p piece) {
	r.tasks = append(r.tasks, &task{version: -1, work: func(t *task) error {
		var err error
		if t.batches, err = r.readFile(p.object); err == nil || r.ctx.Err() != nil {
			return err
		}
		var syntax *action.SyntaxError
		if errors.As(err, &syntax) || errors.Is(err, errEmptyCommit) || errors.Is(err, storage.ErrNotExist) {
			return &compactionError{err}
		}
		return err
	}})
}
