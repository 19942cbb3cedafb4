// Package doctor examines a place for tables: can one list, read, and create an
// object exclusively there, how fast, by which credentials, with which clock, and
// are many writers safe. The one idea: it tries, with objects of its own that it
// removes, instead of believing.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/remote"
)

// Status is how a check ended.
type Status string

// The statuses. Skipped is what could not be tried for a reason that is no fault.
const (
	OK      Status = "ok"
	Warning Status = "warning"
	Failed  Status = "failed"
	Skipped Status = "skipped"
)

// Check is one thing that was tried.
type Check struct {
	Name    string // store, list, read, put-if-absent, race, clean-up, clock, log-store
	Status  Status
	Text    string        // what was found
	Advice  string        // what to do; "" when nothing is to be done
	Elapsed time.Duration // of one request, the middle one of several; 0 where that says nothing
}

// Report is the diagnosis of a place.
type Report struct {
	URL      string
	Store    map[string]string // what the driver tells: store, credential, put-if-absent, ...
	Table    bool              // a table lies there
	Readable bool              // listing and reading work
	Writable bool              // creating and deleting work
	Safe     bool              // many writers, also on several machines, are kept apart
	Skew     time.Duration     // the store's clock less ours, as far as it is beyond the clock's grain
	Checks   []Check
}

const (
	logDir   = "_delta_log/"
	probeDir = "_sluice_doctor-" // how names begin that Delta's tools pass over
)

// Examine tries everything. The error is that of a context that has ended; what
// fails is in the report.
func Examine(ctx context.Context, e *env.Env, b *storage.Bucket) (*Report, error) {
	d := &doctor{e: e, b: b, r: &Report{URL: b.URL()}, prefix: probeDir + e.NewID() + "-"}
	found := d.list(ctx)
	probe := d.write(ctx)
	if found == "" {
		found = probe
	}
	d.read(ctx, found)
	if probe != "" {
		d.race(ctx)
		d.clock(ctx, probe)
	}
	d.cleanUp(ctx)
	d.logStore(ctx)
	d.r.Store = b.Describe() // now that the credentials have been used
	d.judge()
	return d.r, ctx.Err()
}

type doctor struct {
	e             *env.Env
	b             *storage.Bucket
	r             *Report
	prefix        string    // of our own objects
	left          []string  // our own objects
	raced         bool      // a race of writers had one winner
	before, after time.Time // of putting the probe
}

func (d *doctor) add(c Check) { d.r.Checks = append(d.r.Checks, c) }

// took measures one call.
func (d *doctor) took(f func() error) (time.Duration, error) {
	start := d.e.Now()
	err := f()
	return d.e.Now().Sub(start), err
}

// why is an error without the place and the key, which are told already.
func why(err error) string {
	var e *storage.Error
	if errors.As(err, &e) {
		err = e.Err
	}
	return err.Error()
}

// list looks for a log, or for anything at all, and gives the key of what it found.
func (d *doctor) list(ctx context.Context) (found string) {
	first := func(prefix string) error {
		for o, err := range d.b.List(ctx, prefix, "") {
			if err != nil {
				return err
			}
			found = o.Key
			break
		}
		return nil
	}
	elapsed, err := d.took(func() error { return first(logDir) })
	if d.r.Table = found != ""; err == nil && found == "" {
		err = first("")
	}
	if err == nil { // the first request also connected and signed in
		again := found
		elapsed, err = d.took(func() error { return first(logDir) })
		found = again
	}
	c := Check{Name: "list", Status: OK, Text: "there is no table here", Elapsed: elapsed}
	switch {
	case errors.Is(err, storage.ErrUnsupported) && found == "":
		c.Status, c.Text = Skipped, "the place cannot be listed, and there is no log of a table: "+why(err)
	case err != nil:
		c.Status, c.Text, c.Advice = Failed, why(err), advice(err, "list")
	case d.r.Table:
		c.Text = "a table lies here"
	case found != "":
		c.Text = "there are files here, and no table"
	}
	d.add(c)
	return found
}

// read reads what the listing showed, or what was just written.
func (d *doctor) read(ctx context.Context, key string) {
	if key == "" {
		d.add(Check{Name: "read", Status: Skipped, Text: "there is nothing to read"})
		return
	}
	times, err := d.middle(func() error {
		_, err := d.b.GetRange(ctx, key, 0, 1)
		return err
	})
	c := Check{Name: "read", Status: OK, Text: "objects can be read", Elapsed: times}
	if err != nil {
		c.Status, c.Text, c.Advice = Failed, why(err), advice(err, "read")
	}
	d.add(c)
}

// middle calls several times and gives the middle time.
func (d *doctor) middle(f func() error) (time.Duration, error) {
	var times [3]time.Duration
	for i := range times {
		var err error
		if times[i], err = d.took(f); err != nil {
			return 0, err
		}
	}
	return max(min(times[0], times[1]), min(max(times[0], times[1]), times[2])), nil
}

// judge sums up.
func (d *doctor) judge() {
	status := map[string]Status{}
	for _, c := range d.r.Checks {
		status[c.Name] = c.Status
	}
	d.r.Readable = status["list"] != Failed && status["read"] != Failed && (status["list"] == OK || status["read"] == OK)
	d.r.Writable = status["put-if-absent"] == OK && status["clean-up"] == OK
	warning := d.r.Store["warning"]
	d.r.Safe = d.r.Writable && d.raced && warning == "" && status["log-store"] != Failed
	if warning != "" {
		d.add(Check{Name: "store", Status: Warning, Text: warning, Advice: "keep tables that several machines write in an object store (s3://, abfss://, gs://), or let one machine write"})
	}
}

// advice says what usually helps.
func advice(err error, what string) string {
	switch {
	case errors.Is(err, storage.ErrPermission):
		return "check the credential, named above, and what it is allowed to do: " + needs[what]
	case errors.Is(err, storage.ErrNotExist), missing(err):
		return "check the names of the account, bucket or container in the URL"
	case errors.Is(err, context.DeadlineExceeded):
		return "the store does not answer in time: check endpoint, proxy and firewall, or give a longer --timeout"
	case strings.Contains(err.Error(), "certificate"):
		return "the store's certificate is not trusted: give its authority by the option ca-file"
	}
	return "check the endpoint and the network"
}

// missing reports whether the store says that the container itself is not there.
func missing(err error) bool {
	var r *remote.Reply
	return errors.As(err, &r) && r.Status == http.StatusNotFound
}

// needs are the permissions behind what is tried.
var needs = map[string]string{
	"list":   "s3:ListBucket, Storage Blob Data Reader, storage.objects.list",
	"read":   "s3:GetObject, Storage Blob Data Reader, storage.objects.get",
	"write":  "s3:PutObject, Storage Blob Data Contributor, storage.objects.create",
	"delete": "s3:DeleteObject, Storage Blob Data Contributor, storage.objects.delete",
}

func (d *doctor) key(name string) string {
	key := d.prefix + name
	d.left = append(d.left, key)
	return key
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
