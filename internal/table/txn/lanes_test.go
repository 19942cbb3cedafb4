package txn

import (
	"runtime"
	"testing"
	"time"
)

// A lane is shared while a handle lives, and forgotten behind the last one.
func TestLanesAreForgotten(t *testing.T) {
	const url = "memory://lanes-test"
	a, b := laneOf(url), laneOf(url)
	if a != b {
		t.Fatal("two handles on one table have a lane each")
	}
	runtime.KeepAlive(a)
	a, b = nil, nil
	for range 1000 {
		runtime.GC()
		lanes.mu.Lock()
		_, there := lanes.of[url]
		lanes.mu.Unlock()
		if !there {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Error("a lane that nobody uses is still known")
}
