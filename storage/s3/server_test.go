package s3

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/sluicelake/sluice/internal/proof/servers"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/storetest"
)

// bench is a running server and a bucket in it.
type world struct {
	server *servers.S3
	places atomic.Int32
}

const bucket = "sluice-test"

func start(t *testing.T) *world {
	w := &world{server: servers.StartS3(t)}
	w.server.MakeBucket(t, bucket)
	return w
}

func (w *world) open(t *testing.T, location string, more []storage.Option) storage.Driver {
	t.Helper()
	b, err := storage.Open(t.Context(), location, append(w.server.Options(), more...)...)
	if err != nil {
		t.Fatal(err)
	}
	return b.Driver()
}

func (w *world) place() string { return fmt.Sprintf("s3://%s/place %d/t", bucket, w.places.Add(1)) }

// The suite that every driver passes, with the race of 32 writers on one key.
func TestSuite(t *testing.T) {
	w := start(t)
	storetest.Run(t, storetest.Subject{
		New:     func(t *testing.T) storage.Driver { return w.open(t, w.place(), nil) },
		Again:   func(t *testing.T, d storage.Driver) storage.Driver { return w.open(t, d.URL(), nil) },
		Writers: 32, Rounds: 8, PlainNames: true,
	})
}
