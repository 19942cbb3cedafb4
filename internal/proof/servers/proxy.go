package servers

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"
)

// Fault is what a proxy does to one request.
type Fault string

// The faults. The first three do not reach the server, the others do.
const (
	None        Fault = ""
	ResetBefore Fault = "connection reset before the request arrives"
	Busy        Fault = "503 instead of the request"
	TooMany     Fault = "429 instead of the request"
	Broken      Fault = "500 after the request was carried out"
	ReplyLost   Fault = "connection reset after the request was carried out"
	Truncated   Fault = "body cut in the middle"
	Slow        Fault = "body in small pieces"
	Twice       Fault = "request sent twice, the second answer returned"
)

// Faults are all of them.
var Faults = []Fault{ResetBefore, Busy, TooMany, Broken, ReplyLost, Truncated, Slow, Twice}

// Proxy stands between a client and a server and does harm.
type Proxy struct {
	URL    string
	target string
	plan   func(*http.Request) Fault

	mu   sync.Mutex
	done map[Fault]int
}

// StartProxy starts a proxy before a server (its base URL), which asks plan what
// to do to each request. Requests are signed for the server's address, so the Host
// header is passed on as the client sent it.
func StartProxy(t testing.TB, target string, plan func(*http.Request) Fault) *Proxy {
	p := &Proxy{target: target, plan: plan, done: map[Fault]int{}}
	srv := httptest.NewServer(p)
	t.Cleanup(srv.Close)
	p.URL = srv.URL
	return p
}

// Done counts the faults that happened.
func (p *Proxy) Done() map[Fault]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := map[Fault]int{}
	for f, n := range p.done {
		out[f] = n
	}
	return out
}

// ServeHTTP passes a request on, or harms it.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	fault := p.plan(r)
	p.mu.Lock()
	p.done[fault]++
	p.mu.Unlock()
	switch fault {
	case ResetBefore:
		cut(w)
		return
	case Busy, TooMany:
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(map[Fault]int{Busy: http.StatusServiceUnavailable, TooMany: http.StatusTooManyRequests}[fault])
		return
	case Twice:
		if resp, _, err := p.forward(r, body); err == nil {
			resp.Body.Close()
		}
	}
	resp, data, err := p.forward(r, body)
	switch {
	case err != nil:
		cut(w)
		return
	case fault == Broken:
		w.WriteHeader(http.StatusInternalServerError)
		return
	case fault == ReplyLost:
		cut(w)
		return
	}
	for k, v := range resp.Header {
		w.Header()[k] = v
	}
	if r.Method != http.MethodHead {
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	}
	w.WriteHeader(resp.StatusCode)
	switch fault {
	case Truncated:
		if len(data) > 0 {
			_, _ = w.Write(data[:len(data)/2])
			if f, ok := w.(http.Flusher); ok {
				f.Flush()
			}
			cut(w)
		}
	case Slow:
		for piece := range bytes.SplitAfterSeq(data, []byte(">")) {
			_, _ = w.Write(piece)
			if f, ok := w.(http.Flusher); ok {
				f.Flush()
			}
			time.Sleep(time.Millisecond)
		}
	default:
		_, _ = w.Write(data)
	}
}

// forward sends a request to the server.
func (p *Proxy) forward(r *http.Request, body []byte) (*http.Response, []byte, error) {
	req, err := http.NewRequestWithContext(r.Context(), r.Method, p.target+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	req.Header, req.Host = r.Header.Clone(), r.Host
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return resp, data, err
}

// cut resets the connection.
func cut(w http.ResponseWriter) {
	if h, ok := w.(http.Hijacker); ok {
		if conn, _, err := h.Hijack(); err == nil {
			if c, ok := conn.(*net.TCPConn); ok {
				_ = c.SetLinger(0)
			}
			_ = conn.Close()
			return
		}
	}
	panic(http.ErrAbortHandler)
}
