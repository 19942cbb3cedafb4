package azure

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/remote"
)

// settleTime limits what is done after a caller's context has ended.
const settleTime = 10 * time.Second

// put writes a temporary file and renames it. Renaming is one step of the namespace:
// with If-None-Match: * it fails when the name is taken, without it it replaces.
func (d *dfs) put(ctx context.Context, path string, data []byte, ifAbsent bool) error {
	if ifAbsent {
		if err := d.hierarchical(ctx); err != nil {
			return err
		}
	}
	temp := tempFor(path)
	if err := d.write(ctx, temp, data); err != nil {
		d.sweep(ctx, temp)
		return err
	}
	if !ifAbsent {
		err := d.replace(ctx, temp, path, int64(len(data)))
		if err != nil {
			d.sweep(ctx, temp)
		}
		return err
	}
	err := d.s.client.Policy.Once(ctx, func(ctx context.Context) error {
		return exists(d.attempt(ctx, func(ctx context.Context) error { return d.rename(ctx, temp, path, true) }))
	})
	switch {
	case err == nil:
	case isCode(err, "SourcePathNotFound"):
		return d.taken(ctx, path, data, err)
	case errors.Is(err, storage.ErrOutcomeUnknown):
		return d.settle(ctx, temp, path, data, err)
	default:
		d.sweep(ctx, temp)
	}
	return err
}

// settle finds out whether a rename happened whose answer was lost, by removing its
// source: when that succeeds, the rename has not happened and cannot happen any more;
// when the source is gone, the rename took it, or somebody else removed it.
func (d *dfs) settle(ctx context.Context, temp, path string, data []byte, lost error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	sent := 0
	err := d.s.client.Policy.Repeat(ctx, func(ctx context.Context) error {
		sent++
		return d.attempt(ctx, func(ctx context.Context) error { return d.remove(ctx, temp) })
	})
	switch {
	case err == nil:
		var cause interface{ Unwrap() []error }
		if errors.As(lost, &cause) {
			for _, e := range cause.Unwrap() {
				if !errors.Is(e, storage.ErrOutcomeUnknown) {
					lost = e
				}
			}
		}
		return fmt.Errorf("the rename did not happen: %w", lost)
	case sent == 1 && isCode(err, "PathNotFound", "BlobNotFound"):
		return d.taken(ctx, path, data, lost)
	}
	return lost
}

// taken finds out what became of a temporary file that is gone: a request that was
// carried out twice is answered the second time as if its source had never been. The
// name has what was written if the rename took it. Without a source it cannot
// happen any more.
func (d *dfs) taken(ctx context.Context, path string, data []byte, lost error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	var there []byte
	err := d.s.client.Policy.Repeat(ctx, func(ctx context.Context) error {
		return d.attempt(ctx, func(ctx context.Context) (err error) {
			there, _, err = d.read(ctx, path, 0, whole)
			return err
		})
	})
	switch {
	case err == nil && bytes.Equal(there, data):
		return nil
	case err == nil:
		return storage.ErrExist
	case errors.Is(err, storage.ErrNotExist):
		return remote.NotSent(errors.New("the rename did not happen: somebody removed its temporary file"))
	case errors.Is(lost, storage.ErrOutcomeUnknown):
		return lost
	}
	return fmt.Errorf("%w: %w", storage.ErrOutcomeUnknown, err)
}

// sweep removes a temporary file that is not needed; one that stays is in nobody's way.
func (d *dfs) sweep(ctx context.Context, temp string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	_ = d.attempt(ctx, func(ctx context.Context) error { return d.remove(ctx, temp) })
}

func (d *dfs) attempt(ctx context.Context, send func(ctx context.Context) error) error {
	return d.s.once(ctx, d.conn, send)
}

// rename gives a file another name.
func (d *dfs) rename(ctx context.Context, from, to string, ifAbsent bool) error {
	source := "/" + d.s.set.address.container + "/" + escape(from)
	if d.sas != "" {
		source += "?" + d.sas
	}
	header := map[string]string{"x-ms-rename-source": source}
	if ifAbsent {
		header["If-None-Match"] = "*"
	}
	_, err := d.do(ctx, request{method: http.MethodPut, path: to, header: header}, http.StatusCreated)
	return err
}

// replace renames over what may be there. When the source is gone, the request was
// carried out before if the name has a file of the size.
func (d *dfs) replace(ctx context.Context, from, to string, size int64) error {
	return d.s.client.Policy.Repeat(ctx, func(ctx context.Context) error {
		err := d.attempt(ctx, func(ctx context.Context) error { return d.rename(ctx, from, to, false) })
		if !isCode(err, "SourcePathNotFound", "PathNotFound") {
			return err
		}
		var there storage.Object
		look := d.attempt(ctx, func(ctx context.Context) (err error) {
			there, err = d.stat(ctx, to)
			return err
		})
		switch {
		case look == nil && there.Size == size:
			return nil
		case look == nil, errors.Is(look, storage.ErrNotExist):
			return err
		}
		return look
	})
}

// write makes a file with these bytes. It begins anew when part of it fails.
func (d *dfs) write(ctx context.Context, path string, data []byte) error {
	return d.s.client.Policy.Repeat(ctx, func(ctx context.Context) error {
		if err := d.attempt(ctx, func(ctx context.Context) error { return d.create(ctx, path) }); err != nil || len(data) == 0 {
			return err
		}
		for at := 0; at < len(data); at += d.s.set.blockSize {
			end := min(at+d.s.set.blockSize, len(data))
			err := d.attempt(ctx, func(ctx context.Context) error {
				return d.append(ctx, path, int64(at), data[at:end], end == len(data))
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// create makes an empty file, and the directories above it.
func (d *dfs) create(ctx context.Context, path string) error {
	_, err := d.do(ctx, request{method: http.MethodPut, path: path, query: url.Values{"resource": {"file"}}}, http.StatusCreated)
	return err
}

// append sends bytes for a position; they belong to the file when they are flushed.
func (d *dfs) append(ctx context.Context, path string, offset int64, data []byte, flush bool) error {
	q := url.Values{"action": {"append"}, "position": {strconv.FormatInt(offset, 10)}}
	if flush {
		q.Set("flush", "true")
	}
	_, err := d.do(ctx, request{method: http.MethodPatch, path: path, query: q, body: data}, http.StatusOK, http.StatusAccepted)
	return err
}

func (d *dfs) flush(ctx context.Context, path string, size int64) error {
	q := url.Values{"action": {"flush"}, "position": {strconv.FormatInt(size, 10)}}
	_, err := d.do(ctx, request{method: http.MethodPatch, path: path, query: q, header: map[string]string{"Content-Length": "0"}}, http.StatusOK)
	return err
}

// appendUpload is a temporary file whose parts are sent in parallel, renamed at the end.
type appendUpload struct {
	d          *dfs
	path, temp string

	mu    sync.Mutex
	begun bool
}

func (d *dfs) upload(path string) upload { return &appendUpload{d: d, path: path, temp: tempFor(path)} }

func (u *appendUpload) all(ctx context.Context, data []byte) error {
	return u.d.put(ctx, u.path, data, false)
}

func (u *appendUpload) begin(ctx context.Context) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.begun {
		return nil
	}
	err := u.d.s.client.Policy.Repeat(ctx, func(ctx context.Context) error {
		return u.d.attempt(ctx, func(ctx context.Context) error { return u.d.create(ctx, u.temp) })
	})
	u.begun = err == nil
	return err
}

func (u *appendUpload) block(ctx context.Context, _ int, offset int64, data []byte) error {
	if err := u.begin(ctx); err != nil {
		return err
	}
	return u.d.s.client.Policy.Repeat(ctx, func(ctx context.Context) error {
		return u.d.attempt(ctx, func(ctx context.Context) error { return u.d.append(ctx, u.temp, offset, data, false) })
	})
}

func (u *appendUpload) finish(ctx context.Context, _ int, size int64) error {
	err := u.d.s.client.Policy.Repeat(ctx, func(ctx context.Context) error {
		return u.d.attempt(ctx, func(ctx context.Context) error { return u.d.flush(ctx, u.temp, size) })
	})
	if err != nil {
		return err
	}
	return u.d.replace(ctx, u.temp, u.path, size)
}

func (u *appendUpload) drop(ctx context.Context) { u.d.sweep(ctx, u.temp) }

// flatness remembers whether the account has a hierarchical namespace.
type flatness struct {
	mu    sync.Mutex
	known bool
	err   error
}

// hierarchical refuses accounts without a hierarchical namespace, where a rename
// is a copy and a removal. Who may not ask is believed.
func (d *dfs) hierarchical(ctx context.Context) error {
	d.flat.mu.Lock()
	defer d.flat.mu.Unlock()
	if d.flat.known {
		return d.flat.err
	}
	var h http.Header
	err := d.s.client.Policy.Repeat(ctx, func(ctx context.Context) error {
		return d.attempt(ctx, func(ctx context.Context) (err error) {
			h, err = d.do(ctx, request{method: http.MethodHead, query: url.Values{"resource": {"filesystem"}}}, http.StatusOK)
			return err
		})
	})
	switch {
	case err != nil && !isStatus(err, http.StatusForbidden):
		return err
	case err == nil && h.Get("x-ms-namespace-enabled") == "false":
		d.flat.err = fmt.Errorf("%w: the account %s has no hierarchical namespace, so a rename is not atomic on its dfs endpoint; "+
			"use its blob endpoint: the option api=blob", storage.ErrUnsupported, d.s.set.address.account)
	}
	d.flat.known = true
	return d.flat.err
}
