package heavy

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sluicelake/sluice"
)

// The test binary is its own worker: with the variable it writes until it is killed.
const workerTable = "SLUICE_CRASH_TABLE"

func TestMain(m *testing.M) {
	if url := os.Getenv(workerTable); url != "" {
		if err := work(context.Background(), url, os.Getenv("SLUICE_CRASH_NAME")); err != nil {
			fmt.Println("error", strings.ReplaceAll(err.Error(), "\n", " "))
			os.Exit(1)
		}
		return
	}
	if url := os.Getenv(stormTable); url != "" {
		if err := storm(context.Background(), url); err != nil {
			fmt.Println("error", strings.ReplaceAll(err.Error(), "\n", " "))
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// work says what it begins and what was acknowledged, a line each, in one write,
// so that what a kill leaves is whole.
func work(ctx context.Context, url, name string) error {
	t, err := sluice.Open(ctx, url)
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		id := fmt.Sprintf("%s-%d", name, i)
		verb := []string{"append", "append", "append", "merge", "merge", "merge", "delete", "delete", "optimize", "vacuum", "checkpoint"}[rand.IntN(11)]
		target := ""
		if verb == "delete" { // what the same process appended
			if i < 3 {
				continue
			}
			target = fmt.Sprintf("%s-%d", name, rand.IntN(i))
		}
		os.Stdout.WriteString(strings.TrimSpace("begin "+id+" "+verb+" "+target) + "\n")
		if err := once(ctx, t, id, verb, target); err != nil {
			return fmt.Errorf("%s %s: %w", verb, id, err)
		}
		os.Stdout.WriteString("done " + id + "\n")
	}
}

func once(ctx context.Context, t *sluice.Table, id, verb, target string) error {
	o := sluice.CommitOptions{UserMetadata: id}
	rows := func(text string) (sluice.Source, error) {
		return sluice.FromReader(ctx, strings.NewReader(text), sluice.SourceOptions{Format: "json"})
	}
	switch verb {
	case "append":
		src, err := rows(fmt.Sprintf("{\"op\":%q,\"n\":1}\n{\"op\":%q,\"n\":2}", id, id))
		if err != nil {
			return err
		}
		_, err = t.Append(ctx, src, sluice.AppendOptions{CommitOptions: o})
		return err
	case "merge": // counts
		src, err := rows(fmt.Sprintf("{\"op\":%q,\"n\":1}", fmt.Sprintf("counter %d", rand.IntN(3))))
		if err != nil {
			return err
		}
		_, err = t.Merge(src, "t.op = s.op").With(o).WhenMatched().Update(map[string]string{"n": "t.n + s.n"}).WhenNotMatched().InsertAll().Exec(ctx)
		return err
	case "delete":
		s := sluice.NewSession(sluice.SessionOptions{UserMetadata: id, Open: func(context.Context, string) (*sluice.Table, error) { return t, nil }})
		for _, err := range s.SQL(ctx, "DELETE FROM delta.`"+t.URL()+"` WHERE op = ?", target) {
			return err
		}
		return nil
	case "optimize":
		_, err := t.Optimize(ctx, sluice.OptimizeOptions{UserMetadata: id})
		return err
	case "vacuum":
		keep := 45 * time.Second // no statement of these takes as long
		_, err := t.Vacuum(ctx, sluice.VacuumOptions{Retain: &keep, NoRetentionCheck: true})
		return err
	}
	_, err := t.Checkpoint(ctx, sluice.CheckpointOptions{})
	return err
}
