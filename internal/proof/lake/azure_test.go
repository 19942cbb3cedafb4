package lake

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluicelake/sluice/internal/proof/servers"
	"github.com/sluicelake/sluice/storage"
	_ "github.com/sluicelake/sluice/storage/azure"
	"github.com/sluicelake/sluice/storage/azure/emulator"
)

// people are the sources of the two writers, as they lie on the lake.
var people = map[string]string{
	"UK":  `[{"user_id":"1","name":"Ada","city":"Leeds","country":"UK"},{"user_id":"2","name":"Ben","city":"York","country":"UK"}]`,
	"USA": `[{"user_id":"1","name":"Cal","city":"Dallas","country":"USA"},{"user_id":"3","name":"Dot","city":"Chicago","country":"USA"},{"user_id":"4","name":"Eve","city":"Dallas","country":"USA"}]`,
}

// The report's job: a service principal whose secret lies in a key vault, a table
// on the lake, JSON files beside it, and two processes that merge at the same time.
// Both commit, and none of the secrets shows in anything that the processes say.
func TestReportOnAzure(t *testing.T) {
	command := build(t)
	const operator = "PLANTED-operator-secret"
	c, err := emulator.Start("lake", "writer", operator)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	principal := "PLANTED-principal-secret"
	c.Vault.Set("writer", principal)
	c.Directory.Add(emulator.ClientID, principal)
	for _, place := range []struct {
		name, root string
		azurite    bool
	}{
		{"abfss, dfs endpoint with a hierarchical namespace", "abfss://lake@lakeaccount.dfs.core.windows.net", false},
		{"wasbs, blob endpoint", "wasbs://lake@lakeaccount.blob.core.windows.net", true},
		{"https, blob endpoint", "https://lakeaccount.blob.core.windows.net/lake", true},
	} {
		t.Run(place.name, func(t *testing.T) {
			dir := t.TempDir()
			trusted := filepath.Join(dir, "trusted.pem")
			options := c.Options("writer", "env:LAKE_OPERATOR", trusted)
			pem := c.Certificate
			if place.azurite {
				id := emulator.NewIdentity()
				options["endpoint"] = servers.StartAzurite(t, "lake", id)
				pem = slices.Concat(pem, id.PEM)
			}
			if err := os.WriteFile(trusted, pem, 0o600); err != nil {
				t.Fatal(err)
			}
			t.Setenv("LAKE_OPERATOR", operator)
			j := job{t: t, command: command, dir: dir, options: options, table: place.root + "/warehouse/people", raw: place.root + "/raw"}
			j.run()
			j.refused()
			for _, secret := range []string{"PLANTED", "eyJ"} { // the beginning of each token
				if i := strings.Index(j.said.String(), secret); i >= 0 {
					t.Errorf("a secret shows: ...%s...", j.said.String()[max(0, i-300):i+20])
				}
			}
		})
	}
}

// job runs the report with the command.
type job struct {
	t       *testing.T
	command string
	dir     string
	options map[string]string
	table   string
	raw     string

	mu   sync.Mutex
	said bytes.Buffer // by all processes, at debug level
}

func (j *job) run() {
	t := j.t
	var opts []storage.Option
	for k, v := range j.options {
		opts = append(opts, storage.With(k, v))
	}
	b, err := storage.Open(t.Context(), j.raw, opts...)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for country, text := range people {
		if err := b.Put(t.Context(), country+".json", []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	j.must("create", j.table, "--schema", "user_id STRING, name STRING, city STRING, country STRING", "--partition-by", "country,city")
	var wg sync.WaitGroup
	for country := range people {
		wg.Go(func() {
			j.must("merge", j.table, "--source", j.raw+"/"+country+".json", "--on", "t.user_id = s.user_id AND t.city = s.city AND t.country = '"+country+"'",
				"--when-matched", "UPDATE SET *", "--when-not-matched", "INSERT *", "--when-not-matched-by-source", "AND t.country = '"+country+"' THEN DELETE",
				"--hold", filepath.Join(j.dir, country))
		})
	}
	j.release()
	wg.Wait()
	if got := strings.TrimSpace(j.must("count", j.table)); got != "5" {
		t.Errorf("%s rows, want 5", got)
	}
	for _, want := range []string{"Ada", "Ben", "Cal", "Dot", "Eve"} {
		if rows := j.must("cat", j.table); strings.Count(rows, want) != 1 {
			t.Errorf("%s is not there once:\n%s", want, rows)
		}
	}
	if history := j.must("history", j.table); strings.Count(history, "MERGE") != 2 {
		t.Errorf("the history does not show two merges:\n%s", history)
	}
}

// refused: a wrong secret is refused with its origin, and the vault is asked in vain for another.
func (j *job) refused() {
	t := j.t
	for option, want := range map[string]string{"client-secret=env:LAKE_OPERATOR": "env:LAKE_OPERATOR", "client-secret=keyvault://vault/none": "keyvault://vault/none"} {
		if out, err := j.sluice("count", j.table, "--option", option); err == nil || !strings.Contains(out, want) {
			t.Errorf("with %s: %v\n%s", option, err, out)
		}
	}
}

// release lets the writers publish when all of them are prepared against version 0.
func (j *job) release() {
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		ready, err := filepath.Glob(filepath.Join(j.dir, "*.ready"))
		if err != nil {
			j.t.Fatal(err)
		}
		if len(ready) == len(people) {
			break
		}
		if time.Now().After(deadline) {
			j.t.Error("the writers are not ready within a minute")
			break
		}
	}
	for country := range people {
		if err := os.WriteFile(filepath.Join(j.dir, country+".go"), nil, 0o600); err != nil {
			j.t.Fatal(err)
		}
	}
}

func (j *job) must(args ...string) string {
	out, err := j.sluice(args...)
	if err != nil {
		j.t.Errorf("sluice %s: %v\n%s", args[0], err, out)
	}
	return out
}

// sluice runs one process; options in args go before the job's.
func (j *job) sluice(args ...string) (string, error) {
	all := slices.Clone(args)
	for _, k := range slices.Sorted(maps.Keys(j.options)) {
		if !slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, k+"=") }) {
			all = append(all, "--option", k+"="+j.options[k])
		}
	}
	cmd := exec.CommandContext(j.t.Context(), j.command, append(all, "--debug", "--trace", "--verbose")...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.Env = append(os.Environ(), "AZURE_SDK_GO_LOGGING=all")
	err := cmd.Run()
	j.mu.Lock()
	defer j.mu.Unlock()
	fmt.Fprintf(&j.said, "%s%s", out.Bytes(), errs.Bytes())
	if err != nil {
		return out.String() + errs.String(), err
	}
	return out.String(), nil
}

// build makes the command.
func build(t *testing.T) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "sluice.exe")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", out, "./cmd/sluice")
	cmd.Dir = "../../.."
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the command: %v\n%s", err, text)
	}
	return out
}
