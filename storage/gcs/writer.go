package gcs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/remote"
)

// Create streams an object: by one put when it fits into a chunk, else by a
// resumable upload, which shows nothing before its last chunk.
func (s *Store) Create(ctx context.Context, key string) (storage.Writer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return &writer{ctx: ctx, s: s, key: key}, nil
}

// writer holds two chunks in memory: one fills up while the other is sent.
type writer struct {
	ctx     context.Context
	s       *Store
	key     string
	buf     []byte
	ended   bool
	session string // the address of the upload: a secret, whoever has it may write
	offset  int64  // bytes handed over to be sent
	sending chan error
}

var errEnded = errors.New("the writer has ended")

// Write takes bytes and sends a chunk when more than one is there, because the
// last chunk has to say that it is the last.
func (w *writer) Write(p []byte) (n int, err error) {
	if w.ended {
		return 0, errEnded
	}
	for len(p) > 0 {
		if len(w.buf) == w.s.set.chunk {
			if err := w.send(); err != nil {
				return n, err
			}
		}
		if w.buf == nil {
			w.buf = make([]byte, 0, min(w.s.set.chunk, max(1<<16, len(p))))
		}
		take := min(len(p), w.s.set.chunk-len(w.buf))
		w.buf = append(w.buf, p[:take]...)
		p, n = p[take:], n+take
	}
	return n, nil
}

// wait ends the chunk on its way.
func (w *writer) wait() error {
	if w.sending == nil {
		return nil
	}
	err := <-w.sending
	w.sending = nil
	return err
}

// send hands the buffer to a goroutine; chunks of one upload go one after another.
func (w *writer) send() error {
	if err := w.wait(); err != nil {
		return err
	}
	if w.session == "" {
		if err := w.begin(); err != nil {
			return err
		}
	}
	data, offset := w.buf, w.offset
	w.buf, w.offset = nil, offset+int64(len(data))
	done := make(chan error, 1)
	w.sending = done
	go func() { done <- w.chunk(data, offset, -1) }()
	return nil
}

func (w *writer) begin() error {
	_, h, err := w.s.repeat(w.ctx, request{method: http.MethodPost, url: w.s.set.endpoint + "/upload/storage/v1/b/" + url.PathEscape(w.s.set.bucket) + "/o",
		query: url.Values{"uploadType": {"resumable"}, "name": {w.s.root() + w.key}}, header: map[string]string{"X-Upload-Content-Type": "application/octet-stream"}})
	if err != nil {
		return err
	}
	if w.session = h.Get("Location"); w.session == "" {
		return fmt.Errorf("%w: the store gives no address for the upload", storage.ErrUnsupported)
	}
	return nil
}

// chunk sends bytes from an offset; total is the object's size with the last
// chunk, else -1. Behind a failure the store is asked how much it has
// ("Resumable uploads", checking the status).
func (w *writer) chunk(data []byte, offset, total int64) error {
	end := offset + int64(len(data))
	from := offset
	ask := false
	return w.s.client.Policy.Repeat(w.ctx, func(ctx context.Context) error {
		size := "*"
		if total >= 0 {
			size = strconv.FormatInt(total, 10)
		}
		if ask {
			have, done, err := w.status(ctx, size)
			if done || err != nil {
				return err
			}
			if have < offset || have > end {
				return fmt.Errorf("the store lost a part of the upload: it has %d bytes, %d were sent", have, offset)
			}
			if from = have; from == end && total < 0 {
				return nil
			}
		}
		ask = true
		span := fmt.Sprintf("bytes %d-%d/%s", from, end-1, size)
		if from == end {
			span = "bytes */" + size
		}
		_, h, err := w.s.do(ctx, request{method: http.MethodPut, url: w.session, header: map[string]string{"Content-Range": span}, body: data[from-offset:],
			ok: []int{http.StatusCreated, http.StatusPermanentRedirect}})
		if err != nil {
			return err
		}
		if incomplete := strings.HasPrefix(h.Get(statusHeader), "308"); incomplete && (total >= 0 || received(h) < end) {
			return remote.Again(fmt.Errorf("the store kept %d of %d bytes of the upload", received(h), end))
		}
		return nil
	})
}

// status asks how many bytes the store has; done means that the object is whole.
func (w *writer) status(ctx context.Context, size string) (have int64, done bool, err error) {
	_, h, err := w.s.do(ctx, request{method: http.MethodPut, url: w.session, header: map[string]string{"Content-Range": "bytes */" + size},
		ok: []int{http.StatusCreated, http.StatusPermanentRedirect}})
	if err != nil {
		return 0, false, err
	}
	if strings.HasPrefix(h.Get(statusHeader), "308") {
		return received(h), false, nil
	}
	return 0, true, nil
}

// received reads how many bytes the store has from the answer 308.
func received(h http.Header) int64 {
	_, last, ok := strings.Cut(strings.TrimPrefix(h.Get("Range"), "bytes="), "-")
	n, err := strconv.ParseInt(last, 10, 64)
	if !ok || err != nil {
		return 0
	}
	return n + 1
}

// Commit makes the object appear.
func (w *writer) Commit() error {
	if w.ended {
		return errEnded
	}
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if err := w.wait(); err != nil {
		return err
	}
	var err error
	if w.session == "" {
		err = w.s.Put(w.ctx, w.key, w.buf)
	} else {
		err = w.chunk(w.buf, w.offset, w.offset+int64(len(w.buf)))
	}
	w.ended = err == nil
	return err
}

// dropTime bounds the request that ends an upload that was given up; the store
// forgets it after a week otherwise.
const dropTime = 20 * time.Second

// Abort ends the upload.
func (w *writer) Abort() error {
	if w.ended {
		return nil
	}
	w.ended, w.buf = true, nil
	_ = w.wait()
	if w.session == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), dropTime)
	defer cancel()
	// 499 is how the service confirms.
	_, _, err := w.s.do(ctx, request{method: http.MethodDelete, url: w.session, ok: []int{http.StatusNoContent, 499}})
	if errors.Is(err, storage.ErrNotExist) || isStatus(err, http.StatusMethodNotAllowed) || isStatus(err, http.StatusGone) {
		return nil
	}
	return err
}
