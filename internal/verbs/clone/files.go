package clone

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/base/address"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/internal/rows/scan"
	"github.com/sluicelake/sluice/internal/table/inflight"
	"github.com/sluicelake/sluice/internal/table/txn"
	"github.com/sluicelake/sluice/observe"
	"github.com/sluicelake/sluice/storage"
)

// files are the adds of the clone.
func (w *work) files(ctx context.Context, _ *txn.Txn, res *Result) ([]*action.Add, error) {
	src := w.spec.Source
	files := src.Files()
	res.Files, res.Bytes = int64(files.Len()), src.SizeInBytes()
	if w.spec.Deep {
		return w.copied(ctx, res)
	}
	root := strings.TrimRight(address.Decode(src.Bucket().URL()), "/")
	out := make([]*action.Add, 0, files.Len())
	for i := range files.All() {
		a, err := named(files.Add(i), root)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// escaped spells an address, given without escapes, as Spark spells it: when it marks
// rows as deleted it looks for a file in this very spelling.
func escaped(root string) string {
	scheme, rest, ok := strings.Cut(root, "://")
	if !ok {
		return quoted(root)
	}
	host, p, _ := strings.Cut(rest, "/")
	if scheme == "file" && host == "" {
		return "file:/" + quoted(p)
	}
	return scheme + "://" + host + "/" + quoted(p)
}

// quoted escapes what a path may not have in an address by the rules of Java, which
// leave letters of all scripts alone.
func quoted(path string) string {
	var b strings.Builder
	for i, n := 0, 0; i < len(path); i += n {
		var r rune
		r, n = utf8.DecodeRuneInString(path[i:])
		plain := 'a' <= r|0x20 && r|0x20 <= 'z' || '0' <= r && r <= '9' || strings.ContainsRune("_-!.~'()*,;:$&+=@/", r)
		if r >= utf8.RuneSelf {
			plain = r != utf8.RuneError && !unicode.IsControl(r) && !unicode.In(r, unicode.Z)
		}
		if plain {
			b.WriteString(path[i : i+n])
			continue
		}
		for _, c := range []byte(path[i : i+n]) {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// bare is an add of another table with row ids that the clone gives.
func bare(a *action.Add) *action.Add {
	out := *a
	out.DataChange = true
	out.BaseRowID, out.DefaultRowCommitVersion = nil, nil
	return &out
}

// named is the add of a shallow clone: its addresses are absolute.
func named(a *action.Add, root string) (*action.Add, error) {
	out := bare(a)
	if !address.Absolute(a.Path) {
		out.Path = escaped(root + "/" + address.Decode(a.Path))
	}
	d := a.DeletionVector
	if d == nil || d.StorageType != dv.UUID {
		return out, nil
	}
	at, err := dv.Locate(d, "")
	if err != nil {
		return nil, err
	}
	v := *d
	v.StorageType, v.PathOrInlineDv = dv.Absolute, escaped(root+"/"+at.Key)
	out.DeletionVector = &v
	return out, nil
}

// copyJob is a file of the source and where its copy goes.
type copyJob struct {
	add  *action.Add // in the clone
	from string      // path in the source's log
	key  string      // in the clone
	// vector is the file of the deletion vector, "" for none.
	vector, vectorKey string
}

// copyOf decides the keys of a copy. A file that the source names by an absolute
// address gets a name that depends on the address.
func copyOf(a *action.Add) (copyJob, error) {
	c := copyJob{add: bare(a), from: a.Path}
	if address.Absolute(a.Path) {
		plain := address.Plain(a.Path)
		c.key = "copy-" + named5(plain) + path.Ext(plain)
		c.add.Path = c.key
	} else {
		var ok bool
		if c.key, ok = address.Key(address.Decode(a.Path)); !ok {
			return c, fmt.Errorf("the log names the file %q, which is no file of a table", a.Path)
		}
	}
	d := a.DeletionVector
	if d == nil || d.StorageType == dv.Inline {
		return c, nil
	}
	at, err := dv.Locate(d, "")
	var outside *dv.OutsideError
	switch {
	case errors.As(err, &outside):
		id := uuid.NewSHA1(uuid.NameSpaceURL, []byte(address.Plain(outside.Path)))
		v := *d
		v.StorageType, v.PathOrInlineDv = dv.UUID, dv.EncodeZ85(id[:])
		c.add.DeletionVector, c.vector, c.vectorKey = &v, outside.Path, dv.FileName(id)
	case err != nil:
		return c, err
	default:
		c.vector, c.vectorKey = quoted(at.Key), at.Key
	}
	return c, nil
}

func named5(text string) string { return uuid.NewSHA1(uuid.NameSpaceURL, []byte(text)).String() }

// copied copies the files, several at a time.
func (w *work) copied(ctx context.Context, res *Result) ([]*action.Add, error) {
	files := w.spec.Source.Files()
	jobs := make([]copyJob, 0, files.Len())
	for i := range files.All() {
		c, err := copyOf(files.Add(i))
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, c)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		wg      sync.WaitGroup
		mu      sync.Mutex
		next    = make(chan copyJob)
		vectors = &onceEach{done: map[string]*sync.Once{}}
		p       = observe.Progress{Table: w.Log.Bucket().URL(), Phase: "copying", Total: res.Bytes, Unit: "bytes"}
		tell    = w.Log.Env().Listener.Progress
	)
	for range min(max(w.Log.Env().Workers, 1)*2, max(len(jobs), 1)) {
		wg.Go(func() {
			for c := range next {
				was, err := w.copy(ctx, c, vectors)
				mu.Lock()
				switch {
				case err != nil:
					cancel(err)
				case was:
					res.AlreadyThere++
				default:
					res.Copied++
					res.BytesCopied += c.add.Size
				}
				if p.Done += c.add.Size; err == nil && tell != nil {
					tell(p)
				}
				mu.Unlock()
			}
		})
	}
	out := make([]*action.Add, 0, len(jobs))
feed:
	for _, c := range jobs {
		out = append(out, c.add)
		select {
		case next <- c:
		case <-ctx.Done():
			break feed
		}
	}
	close(next)
	wg.Wait()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%w (%d of %d files are copied; running it again goes on from there)", context.Cause(ctx), res.Copied+res.AlreadyThere, res.Files)
	}
	return out, nil
}

// onceEach runs what is asked for a key once.
type onceEach struct {
	mu   sync.Mutex
	done map[string]*sync.Once
	errs sync.Map
}

func (o *onceEach) do(key string, f func() error) error {
	o.mu.Lock()
	once := o.done[key]
	if once == nil {
		once = &sync.Once{}
		o.done[key] = once
	}
	o.mu.Unlock()
	once.Do(func() {
		if err := f(); err != nil {
			o.errs.Store(key, err)
		}
	})
	if err, ok := o.errs.Load(key); ok {
		return err.(error)
	}
	return nil
}

// copy makes one data file, and the file of its vector, be in the clone.
func (w *work) copy(ctx context.Context, c copyJob, vectors *onceEach) (was bool, err error) {
	src := scan.SourceOf(w.spec.Source)
	if was, err = w.copyObject(ctx, src, c.from, c.key, c.add.Size); err != nil || c.vector == "" {
		return was, err
	}
	return was, vectors.do(c.vectorKey, func() error {
		_, err := w.copyObject(ctx, src, c.vector, c.vectorKey, -1)
		return err
	})
}

// copyObject copies one object unless it is there with the same size; size is -1
// when only the source knows.
func (w *work) copyObject(ctx context.Context, src scan.Source, from, key string, size int64) (was bool, err error) {
	b, at, err := src.Find(ctx, from)
	if err != nil {
		return false, err
	}
	to := w.Log.Bucket()
	inflight.Wrote(to.URL(), key)
	obj, err := b.Stat(ctx, at)
	if err != nil {
		return false, fmt.Errorf("copying %s of %s: %w", from, b.URL(), err)
	}
	if size >= 0 && obj.Size != size {
		return false, fmt.Errorf("copying %s of %s: the file has %d bytes, and the log says %d", from, b.URL(), obj.Size, size)
	}
	if there, err := to.Stat(ctx, key); err == nil && there.Size == obj.Size {
		if same, err := sameEnd(ctx, b, at, to, key, obj.Size); err != nil || same {
			return same, err
		}
	} else if err != nil && !errors.Is(err, storage.ErrNotExist) {
		return false, err
	}
	return false, stream(ctx, b, at, obj.Size, to, key)
}

// sameEnd compares the ends of two objects of one size: the footer of a Parquet
// file, which says where everything in it lies, or the checksum of a vector.
func sameEnd(ctx context.Context, a *storage.Bucket, aKey string, b *storage.Bucket, bKey string, size int64) (bool, error) {
	n := min(size, 64<<10)
	x, err := a.GetRange(ctx, aKey, size-n, n)
	if err != nil {
		return false, err
	}
	y, err := b.GetRange(ctx, bKey, size-n, n)
	return bytes.Equal(x, y), err
}

// chunk is how much of a file is in memory while it is copied.
const chunk = 8 << 20

// stream copies an object piece by piece.
func stream(ctx context.Context, b *storage.Bucket, from string, size int64, to *storage.Bucket, key string) error {
	out, err := to.Create(ctx, key)
	if err != nil {
		return err
	}
	for at := int64(0); at < size; at += chunk {
		data, err := b.GetRange(ctx, from, at, min(chunk, size-at))
		if err == nil && int64(len(data)) < min(chunk, size-at) {
			err = io.ErrUnexpectedEOF
		}
		if err == nil {
			_, err = out.Write(data)
		}
		if err != nil {
			return errors.Join(fmt.Errorf("copying %s to %s: %w", from, to.URL(), err), out.Abort())
		}
	}
	return out.Commit()
}
