package dv

import (
	"bytes"
	"math"
	"reflect"
	"testing"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
)

func survey(t testing.TB, file []byte, ranges int) (found []Entry, lost [][2]int64) {
	t.Helper()
	err := Survey(bytes.NewReader(file), int64(len(file)), ranges, func(e Entry) bool {
		found = append(found, e)
		return true
	}, func(from, to int64, _ string) { lost = append(lost, [2]int64{from, to}) })
	if err != nil {
		t.Fatal(err)
	}
	return found, lost
}

func threeVectors(t testing.TB) (file []byte, offsets []int64) {
	t.Helper()
	long := roaring64.New()
	long.AddRange(10, 1<<33)
	file = []byte{fileVersion}
	for _, r := range []*roaring64.Bitmap{roaring64.BitmapOf(1, 2, 3, 9), long, roaring64.BitmapOf(0, math.MaxInt64-1)} {
		data, err := Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		offsets = append(offsets, int64(len(file)))
		file = appendFrame(file, data)
	}
	return file, offsets
}

func TestSurvey(t *testing.T) {
	file, at := threeVectors(t)
	found, lost := survey(t, file, 10)
	if len(found) != 3 || lost != nil {
		t.Fatalf("%+v, lost %v", found, lost)
	}
	for i, want := range [][][2]uint64{{{1, 3}, {9, 9}}, {{10, 1<<33 - 1}}, {{0, 0}, {math.MaxInt64 - 1, math.MaxInt64 - 1}}} {
		if e := found[i]; !reflect.DeepEqual(e.Ranges, want) || !e.ChecksumOK || e.Problem != "" || e.Offset != at[i] {
			t.Errorf("vector %d: %+v, want ranges %v at %d", i, e, want, at[i])
		}
	}
	if found, _ = survey(t, file, 1); !found[0].More || found[1].More {
		t.Errorf("one range each: %+v", found)
	}
	if e, err := EntryAt(bytes.NewReader(file), int64(len(file)), at[1], found[1].Size, 3); err != nil || e.Cardinality != 1<<33-10 {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := EntryAt(bytes.NewReader(file), int64(len(file)), at[1], found[1].Size+1, 3); err == nil {
		t.Error("a wrong size is not refused")
	}
}

// What follows a damaged vector is still found.
func TestSurveyGoesOnBehindDamage(t *testing.T) {
	good, at := threeVectors(t)
	for name, c := range map[string]struct {
		damage func(b []byte) []byte
		found  int
		lost   [][2]int64
		bad    int // vectors with a problem
	}{
		"flipped bit":  {func(b []byte) []byte { b[at[0]+9] ^= 1; return b }, 3, nil, 1},
		"claimed size": {func(b []byte) []byte { b[at[0]] = 0x7f; return b }, 2, [][2]int64{{at[0], at[1]}}, 0},
		"magic":        {func(b []byte) []byte { b[at[1]+4] ^= 4; return b }, 2, [][2]int64{{at[1], at[2]}}, 0},
		"cut":          {func(b []byte) []byte { return b[:at[2]+6] }, 2, [][2]int64{{at[2], at[2] + 6}}, 0},
		"version":      {func(b []byte) []byte { b[0] = 9; return b }, 3, [][2]int64{{0, 1}}, 0},
		"empty":        {func([]byte) []byte { return nil }, 0, [][2]int64{{0, 0}}, 0},
	} {
		found, lost := survey(t, c.damage(bytes.Clone(good)), 5)
		bad := 0
		for _, e := range found {
			if e.Problem != "" {
				bad++
			}
		}
		if len(found) != c.found || !reflect.DeepEqual(lost, c.lost) || bad != c.bad {
			t.Errorf("%s: %d found, %d of them bad, lost %v; want %d, %d, %v", name, len(found), bad, lost, c.found, c.bad, c.lost)
		}
	}
}

func FuzzSurvey(f *testing.F) {
	file, _ := threeVectors(f)
	f.Add(file)
	f.Add(file[:20])
	f.Fuzz(func(t *testing.T, b []byte) { survey(t, b, 20) })
}
