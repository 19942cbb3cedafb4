package s3

import (
	"context"
	"os"
	"slices"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/remote"
	"github.com/sluicelake/sluice/storage/s3/dynamo"
)

func init() {
	for _, scheme := range []string{"s3", "s3a", "s3n"} {
		storage.Register(scheme, open)
	}
}

func open(_ context.Context, location string, cfg storage.Config) (storage.Driver, error) {
	set, v, err := readSettings(location, cfg)
	if err != nil {
		return nil, err
	}
	var common []storage.Option
	for _, n := range remote.Options {
		if x, ok := v[n]; ok {
			common = append(common, storage.With(n, x))
		}
	}
	if bundle := os.Getenv("AWS_CA_BUNDLE"); bundle != "" && v["ca-file"] == "" {
		common = append(common, storage.With("ca-file", bundle))
	}
	client, err := remote.NewClient(storage.NewConfig(common...))
	if err != nil {
		return nil, err
	}
	return protect(&Store{set: set, client: client}), nil
}

// protect puts what keeps writers apart around a store.
func protect(s *Store) storage.Driver {
	switch s.set.logStore {
	case "":
		return dynamo.NewGuard(s)
	case "dynamodb":
		schemes := []string{s.set.address.scheme}
		if s.set.dynamo.scheme != "" {
			schemes = []string{s.set.dynamo.scheme}
		}
		for _, other := range []string{"s3a", "s3", "s3n"} {
			if !slices.Contains(schemes, other) {
				schemes = append(schemes, other)
			}
		}
		return dynamo.New(s, &entries{s: s}, dynamo.Options{Path: s.set.address.hadoopPath, Schemes: schemes, Fixed: s.set.dynamo.scheme != "",
			TTL: s.set.dynamo.ttl, Mixed: s.set.mixed})
	}
	return s
}
