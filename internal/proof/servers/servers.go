// Package servers starts the programs that tests talk to as if they were a cloud:
// each is found by an environment variable, listens on a free port of this
// machine, and ends with the test.
package servers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Variables that name the programs.
const (
	VersityGW = "SLUICE_VERSITYGW" // the program versitygw: S3
	Moto      = "SLUICE_MOTO"      // the program moto_server: DynamoDB
	FakeGCS   = "SLUICE_FAKE_GCS"  // the program fake-gcs-server
	Azurite   = "SLUICE_AZURITE"   // the program azurite-blob: Azure Blob Storage
)

// program is how one is started.
type program struct {
	variable string
	args     func(host, port string) []string
	env      []string
	dir      string
	port     string                // "": any that is free
	ready    func(url string) bool // nil: when anything speaks HTTP
}

// start runs the program until the test ends and returns its base URL; without
// the variable the test is skipped.
func start(t testing.TB, p program) string {
	t.Helper()
	path := os.Getenv(p.variable)
	if path == "" {
		t.Skipf("%s is not set: it names the program that this test talks to", p.variable)
	}
	var err error
	for range 3 { // the port may be taken in between
		var url string
		if url, err = attempt(t, p, path); err == nil {
			return url
		}
	}
	t.Fatal(err)
	return ""
}

func attempt(t testing.TB, p program, path string) (string, error) {
	port, err := freePort()
	if err != nil {
		return "", err
	}
	if p.port != "" {
		port = p.port
	}
	cmd := exec.Command(path, p.args("127.0.0.1", port)...)
	cmd.Env, cmd.Dir, cmd.SysProcAttr = append(os.Environ(), p.env...), p.dir, adopt()
	log := &tail{}
	cmd.Stdout, cmd.Stderr = log, log
	started, ended := make(chan error, 1), make(chan error, 1)
	go func() {
		runtime.LockOSThread() // a program that is adopted ends with the thread that started it
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		if started <- err; err == nil {
			ended <- cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return "", fmt.Errorf("%s: %w", p.variable, err)
	}
	stop := func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
	}
	url := "http://127.0.0.1:" + port
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		select {
		case err := <-ended:
			return "", fmt.Errorf("%s ended at once: %v: %s", filepath.Base(path), err, log)
		default:
		}
		ready := answers
		if p.ready != nil {
			ready = p.ready
		}
		if ready(url) {
			t.Cleanup(stop)
			return url, nil
		}
	}
	stop()
	return "", fmt.Errorf("%s does not answer: %s", filepath.Base(path), log)
}

// answers reports whether anything speaks HTTP there.
func answers(url string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return false
	}
	return resp.Body.Close() == nil
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}

// tail keeps the end of what a program prints.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (l *tail) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	if n := len(l.text) - 4096; n > 0 {
		l.text = l.text[n:]
	}
	return len(p), nil
}

func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.TrimSpace(string(l.text))
}
