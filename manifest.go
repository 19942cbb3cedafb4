package sluice

import (
	"context"

	"github.com/sluicelake/sluice/internal/verbs/manifest"
)

// ManifestResult counts what GenerateManifest wrote.
type ManifestResult = manifest.Result

// GenerateManifest writes _symlink_format_manifest: lists of the data files of
// this version, for engines that read such lists in place of the log. Tables with
// deletion vectors or mapped columns are refused.
func (s *Snapshot) GenerateManifest(ctx context.Context) (*ManifestResult, error) {
	if err := s.t.use(); err != nil {
		return nil, err
	}
	res, err := manifest.Generate(ctx, s.s)
	if err != nil {
		return nil, s.t.fail("generate the manifest of", err)
	}
	return &res, nil
}
