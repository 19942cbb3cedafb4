package local_test

import (
	"runtime"
	"testing"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/local"
	"github.com/sluicelake/sluice/storage/storetest"
)

func newStore(t testing.TB, dir string, opts ...local.Option) *local.Store {
	t.Helper()
	s, err := local.New(dir, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestConformance(t *testing.T) {
	for name, opts := range map[string][]local.Option{"durable": nil, "relaxed": {local.WithoutSync()}} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, storetest.Subject{
				New: func(t *testing.T) storage.Driver { return newStore(t, t.TempDir()+"/not yet/there", opts...) },
				Again: func(t *testing.T, d storage.Driver) storage.Driver {
					return newStore(t, d.(*local.Store).Path(), opts...)
				},
				PlainNames: runtime.GOOS == "windows",
			})
		})
	}
}
