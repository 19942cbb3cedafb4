package inflight

import (
	"slices"
	"testing"
)

func TestReserve(t *testing.T) {
	const url = "memory://reserve"
	mine, release := Reserve(url, []string{"b", "a", "a"})
	if !slices.Equal(mine, []string{"a", "b"}) {
		t.Errorf("%v", mine)
	}
	others, free := Reserve(url, []string{"a", "c"})
	if !slices.Equal(others, []string{"c"}) {
		t.Errorf("somebody else's were given away: %v", others)
	}
	if nothing, done := Reserve(url, []string{"a", "b", "c"}); len(nothing) > 0 {
		t.Errorf("%v", nothing)
	} else {
		done()
	}
	release()
	if again, done := Reserve(url, []string{"a", "b", "c"}); !slices.Equal(again, []string{"a", "b"}) {
		t.Errorf("what was released is not free: %v", again)
	} else {
		done()
	}
	free()
	if elsewhere, done := Reserve(url+"2", []string{"a"}); len(elsewhere) != 1 {
		t.Errorf("%v", elsewhere)
	} else {
		done()
	}
	if len(reserved.tables) > 0 {
		t.Errorf("%v", reserved.tables)
	}
}
