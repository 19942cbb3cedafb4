package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/sluicelake/sluice/storage/azure/emulator"
)

// demoLake is Azure for the length of a demonstration: the report's job with its
// sign-in, its vault and its lake, without a network.
type demoLake struct {
	a     *app
	cloud *emulator.Cloud
}

const (
	demoContainer = "lake"
	demoSecret    = "people-writer"
)

// startLake starts the services, puts the JSON files on the lake, and sets the options
// with which the writers reach it. What signs in to the vault is in a file of
// the scratch folder, so that processes can share it and no command line shows it.
func (a *app) startLake(ctx context.Context, scratch string, people []population) (*demoLake, error) {
	operator := rand.Text()
	cloud, err := emulator.Start(demoContainer, demoSecret, operator)
	if err != nil {
		return nil, fmt.Errorf("--azure: %w", err)
	}
	l := &demoLake{a: a, cloud: cloud}
	trusted, key := filepath.Join(scratch, "trusted.pem"), filepath.Join(scratch, "operator")
	if err := l.prepare(ctx, trusted, key, operator, people); err != nil {
		l.close()
		return nil, fmt.Errorf("--azure: %w", err)
	}
	return l, nil
}

func (l *demoLake) prepare(ctx context.Context, trusted, key, operator string, people []population) error {
	if err := os.WriteFile(trusted, l.cloud.Certificate, 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(key, []byte(operator), 0o600); err != nil {
		return err
	}
	options := l.cloud.Options(demoSecret, "file:"+key, trusted)
	for _, name := range slices.Sorted(maps.Keys(options)) {
		l.a.options = append(l.a.options, name+"="+options[name])
	}
	raw, err := l.a.bucket(ctx, l.place("raw"))
	if err != nil {
		return err
	}
	defer raw.Close()
	for i := range people {
		data, err := os.ReadFile(people[i].file)
		if err != nil {
			return err
		}
		name := filepath.Base(people[i].file)
		if err := raw.Put(ctx, name, data); err != nil {
			return err
		}
		people[i].file = l.place("raw/" + name)
	}
	return nil
}

// place is the URL of a path of the lake.
func (l *demoLake) place(path string) string {
	return "abfss://" + demoContainer + "@" + emulator.Account + ".dfs.core.windows.net/" + path
}

// introduce says what is real about it.
func (l *demoLake) introduce() {
	l.a.printf("Azure is played by this program, over TLS on 127.0.0.1; the client is the real one.")
	l.a.printf("   lake      %s (hierarchical namespace, dfs endpoint)", l.place("..."))
	l.a.printf("   sign-in   service principal %s; its secret is keyvault://vault/%s", emulator.ClientID, demoSecret)
	l.a.printf("   commits   a temporary file renamed with If-None-Match: *, as Spark's AzureLogStore does it")
	l.a.printf("   sources   %s", l.place("raw/*.json"))
	l.a.printf("")
}

func (l *demoLake) close() { l.cloud.Close() }
