package txn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

// queued waits until n writers stand in line.
func queued(t *testing.T, l *lane, n int) {
	t.Helper()
	for range 2000 {
		l.mu.Lock()
		now := len(l.waiting)
		l.mu.Unlock()
		if now == n {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("%d writers do not stand in line", n)
}

func TestLaneIsFirstComeFirstServed(t *testing.T) {
	l := &lane{}
	leave, err := l.enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var order, want []int
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			leave, err := l.enter(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			order = append(order, i)
			mu.Unlock()
			leave()
		})
		want = append(want, i)
		queued(t, l, i+1)
	}
	leave()
	all.Wait()
	if !slices.Equal(order, want) {
		t.Errorf("served in the order %v", order)
	}
	if l.busy || len(l.waiting) > 0 {
		t.Error("the lane is not free afterwards")
	}
}

func TestLaneForgetsWhoGivesUp(t *testing.T) {
	l := &lane{}
	leave, _ := l.enter(t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	gaveUp, served := make(chan error), make(chan error)
	go func() { _, err := l.enter(ctx); gaveUp <- err }()
	queued(t, l, 1)
	go func() {
		leave, err := l.enter(t.Context())
		if err == nil {
			leave()
		}
		served <- err
	}()
	queued(t, l, 2)
	cancel()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Errorf("gave up with %v", err)
	}
	leave()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// TestLaneHoldsOne lets many writers come and give up at random moments; one at
// a time is inside, and in the end the lane is free.
func TestLaneHoldsOne(t *testing.T) {
	l := &lane{}
	var inside, peak int
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%7)*time.Millisecond)
			defer cancel()
			leave, err := l.enter(ctx)
			if err != nil {
				return
			}
			mu.Lock()
			inside++
			peak = max(peak, inside)
			mu.Unlock()
			time.Sleep(50 * time.Microsecond)
			mu.Lock()
			inside--
			mu.Unlock()
			leave()
		})
	}
	all.Wait()
	if peak > 1 || l.busy || len(l.waiting) > 0 {
		t.Errorf("%d at a time, busy %t, %d waiting", peak, l.busy, len(l.waiting))
	}
}

func TestLaneRemembersAFew(t *testing.T) {
	l := &lane{}
	for v := range int64(3 * keepRecent) {
		l.remember(recent{table: "t", version: v})
	}
	l.remember(recent{table: "t", version: 1000, data: make([]byte, keepBytes+1)})
	if len(l.commits) > keepRecent {
		t.Errorf("%d commits are kept", len(l.commits))
	}
	for version, want := range map[int64]bool{3*keepRecent - 1: true, 0: false, 1000: false} {
		if _, ok := l.recall("t", version); ok != want {
			t.Error(fmt.Sprintf("version %d recalled: %t", version, ok))
		}
	}
	if _, ok := l.recall("another table", 3*keepRecent-1); ok {
		t.Error("another table's commit was recalled")
	}
}
