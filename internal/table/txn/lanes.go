package txn

import (
	"runtime"
	"sync"
	"weak"
)

// lanes holds one lane for each table of this process, by canonical address:
// handles opened separately share it. It lives as long as one of them, so that a
// process that opens many tables does not keep what it knew of each.
var lanes struct {
	mu sync.Mutex
	of map[string]weak.Pointer[lane]
}

func laneOf(url string) *lane {
	lanes.mu.Lock()
	defer lanes.mu.Unlock()
	if l := lanes.of[url].Value(); l != nil {
		return l
	}
	if lanes.of == nil {
		lanes.of = map[string]weak.Pointer[lane]{}
	}
	l := &lane{upkeep: make(chan struct{}, 1)}
	lanes.of[url] = weak.Make(l)
	runtime.AddCleanup(l, forgetLane, url)
	return l
}

func forgetLane(url string) {
	lanes.mu.Lock()
	defer lanes.mu.Unlock()
	if lanes.of[url].Value() == nil { // nobody has opened the table again
		delete(lanes.of, url)
	}
}
