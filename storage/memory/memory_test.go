package memory_test

import (
	"testing"
	"time"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
	"github.com/sluicelake/sluice/storage/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, storetest.Subject{
		New:   func(*testing.T) storage.Driver { return memory.New() },
		Again: func(_ *testing.T, d storage.Driver) storage.Driver { return d },
	})
}

func openURL(t *testing.T, url string) *storage.Bucket {
	t.Helper()
	b, err := storage.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPlaceConformance(t *testing.T) {
	n := 0
	storetest.Run(t, storetest.Subject{
		New: func(t *testing.T) storage.Driver {
			n++
			return openURL(t, "memory://conformance/"+string(rune('a'+n))+"/b c").Driver()
		},
	})
	memory.Forget("conformance")
}

func TestNamedStoresAreShared(t *testing.T) {
	defer memory.Forget("shared")
	ctx := t.Context()
	a, b := openURL(t, "memory://shared/lake/t"), openURL(t, "memory://shared")
	if err := a.Put(ctx, "k", []byte("v")); err != nil {
		t.Fatal(err)
	}
	if got, _, err := b.Get(ctx, "lake/t/k"); err != nil || string(got) != "v" {
		t.Errorf("another handle reads %q, %v", got, err)
	}
	if a.URL() != "memory://shared/lake/t" {
		t.Errorf("URL = %s", a.URL())
	}
	memory.Forget("shared")
	if _, err := openURL(t, "memory://shared").Stat(ctx, "lake/t/k"); err == nil {
		t.Error("a forgotten store still has its objects")
	}
}

func TestBadURLs(t *testing.T) {
	for _, url := range []string{"memory://x/a/../b", "memory://x?sync=false"} {
		if _, err := storage.Open(t.Context(), url); err == nil {
			t.Errorf("Open(%s) succeeded", url)
		}
	}
}

func TestClock(t *testing.T) {
	at := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	s := memory.New(memory.WithClock(func() time.Time { return at }))
	if err := s.Put(t.Context(), "k", nil); err != nil {
		t.Fatal(err)
	}
	if o, _ := s.Stat(t.Context(), "k"); !o.ModTime.Equal(at) {
		t.Errorf("ModTime = %v", o.ModTime)
	}
}
