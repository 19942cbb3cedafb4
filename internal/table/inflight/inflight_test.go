package inflight

import (
	"runtime"
	"testing"
	"time"
)

func TestWatchSeesWhatIsUnderWay(t *testing.T) {
	const url = "memory://inflight-1"
	early, late := time.UnixMilli(1000), time.UnixMilli(5000)
	Wrote(url, "nobody")
	one, two := Begin(url, late), Begin(url, early)
	Wrote(url, "a")
	w := Watching(url)
	if at, ok := w.Oldest(); !ok || !at.Equal(early) {
		t.Errorf("the oldest began at %v, %v", at, ok)
	}
	one.End()
	two.End()
	two.End()
	Wrote(url, "b")
	for key, want := range map[string]bool{"a": true, "b": true, "nobody": false, "c": false} {
		if w.Holds(key) != want {
			t.Errorf("%s: held is %v", key, !want)
		}
	}
	w.Close()
	w = Watching(url)
	defer w.Close()
	if _, ok := w.Oldest(); ok || w.Holds("a") {
		t.Error("what is over is remembered")
	}
	var none *Turn
	none.End()
}

func TestForgottenTransactionsDoNotCount(t *testing.T) {
	const url = "memory://inflight-2"
	func() { Begin(url, time.UnixMilli(1)) }()
	for range 10 {
		runtime.GC()
		w := Watching(url)
		_, ok := w.Oldest()
		w.Close()
		if !ok {
			return
		}
	}
	t.Error("a transaction that nobody holds is taken for one under way")
}
