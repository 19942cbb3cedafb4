package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sluicelake/sluice/internal/base/env"
	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/memory"
)

// careless is a store whose put-if-absent replaces.
type careless struct{ storage.Driver }

func (c careless) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	return c.Driver.Put(ctx, key, data)
}

func (c careless) Describe() map[string]string { return nil }

// refusing fails one kind of call.
type refusing struct {
	storage.Driver
	put, del error
}

func (r refusing) Describe() map[string]string { return nil }

func (r refusing) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	if r.put != nil {
		return r.put
	}
	return r.Driver.PutIfAbsent(ctx, key, data)
}

func (r refusing) Delete(ctx context.Context, key string) error {
	if r.del != nil {
		return r.del
	}
	return r.Driver.Delete(ctx, key)
}

func TestExamine(t *testing.T) {
	denied := fmt.Errorf("%w: not for you", storage.ErrPermission)
	late := func() time.Time { return time.Now().Add(-time.Minute) }
	table := memory.New()
	for _, k := range []string{"_delta_log/00000000000000000000.json", "_delta_log/.tmp/00000000000000000000.json.x"} {
		if err := table.Put(t.Context(), k, []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name                     string
		d                        storage.Driver
		checks                   string
		readable, writable, safe bool
	}{
		{"good", refusing{Driver: memory.New()}, "list ok, put-if-absent ok, read ok, race ok, clock ok, clean-up ok", true, true, true},
		{"memory", memory.New(), "list ok, put-if-absent ok, read ok, race ok, clock ok, clean-up ok, store warning", true, true, false},
		{"condition ignored", careless{memory.New()}, "list ok, put-if-absent failed, read skipped, clean-up ok", true, false, false},
		{"may not write", refusing{Driver: memory.New(), put: denied}, "list ok, put-if-absent failed, read skipped", true, false, false},
		{"read-only", refusing{Driver: memory.New(), put: storage.ErrReadOnly}, "list ok, put-if-absent skipped, read skipped", true, false, false},
		{"may not delete", refusing{Driver: memory.New(), del: denied}, "list ok, put-if-absent ok, read ok, race ok, clock ok, clean-up failed", true, false, false},
		{"unknown outcome", refusing{Driver: memory.New(), put: storage.ErrOutcomeUnknown}, "list ok, put-if-absent failed, read skipped, clean-up ok", true, false, false},
		{"clock", refusing{Driver: memory.New(memory.WithClock(late))}, "list ok, put-if-absent ok, read ok, race ok, clock warning, clean-up ok", true, true, true},
		{"table beside entries", refusing{Driver: table}, "list ok, put-if-absent ok, read ok, race ok, clock ok, clean-up ok, log-store failed", true, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := storage.NewBucket(c.d)
			r, err := Examine(t.Context(), env.New(), b)
			if err != nil {
				t.Fatal(err)
			}
			var checks []string
			for _, x := range r.Checks {
				checks = append(checks, x.Name+" "+string(x.Status))
				if (x.Status == Failed || x.Status == Warning) && x.Advice == "" {
					t.Errorf("%s: no advice", x.Name)
				}
			}
			if got := strings.Join(checks, ", "); got != c.checks || r.Readable != c.readable || r.Writable != c.writable || r.Safe != c.safe {
				t.Errorf("%s; readable %v, writable %v, safe %v\nwant %s; %v, %v, %v", got, r.Readable, r.Writable, r.Safe, c.checks, c.readable, c.writable, c.safe)
			}
			if r.Table != (c.d == storage.Driver(refusing{Driver: table})) {
				t.Errorf("table %v", r.Table)
			}
			if c.name == "clock" && (r.Skew > -50*time.Second || r.Skew < -70*time.Second) {
				t.Errorf("skew %v", r.Skew)
			}
			for o := range b.List(t.Context(), probeDir, "") {
				if c.name != "may not delete" {
					t.Errorf("%s was left behind", o.Key)
				}
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Examine(ctx, env.New(), storage.NewBucket(memory.New())); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
