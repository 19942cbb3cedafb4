package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluicelake/sluice/storage"
)

// write creates an object, tries to create it again and reads it back. It gives
// the object's key when all that went well.
func (d *doctor) write(ctx context.Context) string {
	key := d.key("probe")
	d.before = d.e.Now()
	elapsed, err := d.took(func() error { return d.b.PutIfAbsent(ctx, key, []byte("first")) })
	d.after = d.e.Now()
	if err != nil && !errors.Is(err, storage.ErrOutcomeUnknown) {
		d.left = nil // nothing was written
	}
	switch {
	case errors.Is(err, storage.ErrReadOnly):
		d.add(Check{Name: "put-if-absent", Status: Skipped, Text: "the store is read-only here"})
		return ""
	case err != nil:
		d.add(Check{Name: "put-if-absent", Status: Failed, Text: why(err), Advice: advice(err, "write")})
		return ""
	}
	again := d.b.PutIfAbsent(ctx, key, []byte("second"))
	data, _, read := d.b.Get(ctx, key)
	c := Check{Name: "put-if-absent", Status: OK, Text: "an object is created once, and not replaced", Elapsed: elapsed}
	switch {
	case again == nil:
		c.Status, c.Text = Failed, "the store took a second put-if-absent of the same key: it ignores the condition"
		c.Advice = "nobody may write tables here at the same time as another; take a store with conditional puts"
	case !errors.Is(again, storage.ErrExist):
		c.Status, c.Text, c.Advice = Failed, why(again), advice(again, "write")
	case read != nil:
		c.Status, c.Text, c.Advice = Failed, why(read), advice(read, "read")
	case string(data) != "first":
		c.Status, c.Text = Failed, fmt.Sprintf("the object holds %q, %q was written", data, "first")
	}
	d.add(c)
	if c.Status != OK {
		return ""
	}
	return key
}

// racers are as many writers as want one key.
const racers = 8

func (d *doctor) race(ctx context.Context) {
	key := d.key("race")
	var won, unclear atomic.Int32
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range racers {
		wg.Go(func() {
			<-start
			switch err := d.b.PutIfAbsent(ctx, key, fmt.Append(nil, i)); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, storage.ErrExist):
				unclear.Add(1)
			}
		})
	}
	close(start)
	wg.Wait()
	c := Check{Name: "race", Status: OK, Text: fmt.Sprintf("of %d writers of one key, one won", racers)}
	switch {
	case won.Load() > 1:
		c.Status, c.Text = Failed, fmt.Sprintf("of %d writers of one key, %d believe that they won", racers, won.Load())
		c.Advice = "commits would overwrite each other: let one process write, or take another store"
	case unclear.Load() > 0:
		c.Status, c.Text = Warning, fmt.Sprintf("of %d writers of one key, %d could not learn how it ended", racers, unclear.Load())
	}
	d.raced = c.Status == OK
	d.add(c)
}

// grain is how exact the times of objects are, and mostSkew what may pass: times
// of commits order time travel.
const (
	grain    = 2 * time.Second
	mostSkew = 10 * time.Second
)

// clock compares the store's time of an object with ours, before and after it was put.
func (d *doctor) clock(ctx context.Context, key string) {
	o, err := d.b.Stat(ctx, key)
	if err != nil || o.ModTime.IsZero() {
		d.add(Check{Name: "clock", Status: Skipped, Text: "the store gives no times"})
		return
	}
	switch {
	case o.ModTime.Before(d.before.Add(-grain)):
		d.r.Skew = o.ModTime.Sub(d.before)
	case o.ModTime.After(d.after.Add(grain)):
		d.r.Skew = o.ModTime.Sub(d.after)
	}
	c := Check{Name: "clock", Status: OK, Text: "the store's clock and this machine's agree"}
	if s := d.r.Skew.Round(time.Second); s.Abs() > 0 {
		c.Text = fmt.Sprintf("the store's clock is %s %s", s.Abs(), map[bool]string{true: "ahead", false: "behind"}[s > 0])
		if s.Abs() > mostSkew {
			c.Status, c.Advice = Warning, "set this machine's clock: time travel by timestamp and the retention of files go by it, and stores refuse signatures that are minutes off"
		}
	}
	d.add(c)
}

// cleanTime bounds the removal of probes when the caller has gone.
const cleanTime = 30 * time.Second

// cleanUp removes what was written, also when the context has ended.
func (d *doctor) cleanUp(ctx context.Context) {
	if len(d.left) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanTime)
	defer cancel()
	for _, key := range d.left {
		err := d.b.Delete(ctx, key)
		if err == nil {
			if _, stat := d.b.Stat(ctx, key); stat == nil {
				err = errors.New("it is still there after it was deleted")
			}
		}
		if err != nil {
			d.add(Check{Name: "clean-up", Status: Failed, Text: fmt.Sprintf("%s cannot be removed: %s", key, why(err)), Advice: advice(err, "delete") + "; remove the object by hand"})
			return
		}
	}
	d.add(Check{Name: "clean-up", Status: OK, Text: plural(len(d.left), "object") + " of the examination removed"})
}

// logStore looks for the traces of another protection.
func (d *doctor) logStore(ctx context.Context) {
	if !d.r.Table {
		return
	}
	if s := d.b.Describe()["put-if-absent"]; strings.Contains(s, "S3DynamoDBLogStore") {
		d.add(Check{Name: "log-store", Status: OK, Text: "commits go through " + s + "; its entries can be read, writing them was not tried"})
		return
	}
	for o, err := range d.b.List(ctx, logDir+".tmp/", "") {
		if err == nil {
			d.add(Check{Name: "log-store", Status: Failed, Text: o.Key + " shows that a writer commits, or has committed, through entries in DynamoDB (S3DynamoDBLogStore)",
				Advice: "give the option log-store=dynamodb, with dynamodb-table and dynamodb-region as in Spark; if no writer does so any more, remove " + logDir + ".tmp"})
		}
		return
	}
}
