package s3

import (
	"context"
	"os"

	"github.com/sluicelake/sluice/storage"
	"github.com/sluicelake/sluice/storage/remote"
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
	return &Store{set: set, client: client}, nil
}
