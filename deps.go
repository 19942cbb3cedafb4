// Package sluice is a Delta Lake engine in pure Go.
package sluice

import (
	_ "github.com/RoaringBitmap/roaring/v2/roaring64"
	_ "github.com/anishathalye/porcupine"
	_ "github.com/apache/arrow-go/v18/parquet/pqarrow"
	_ "github.com/google/go-cmp/cmp"
	_ "github.com/google/uuid"
	_ "github.com/klauspost/compress/zstd"
	_ "github.com/rogpeppe/go-internal/testscript"
	_ "github.com/spf13/cobra"
	_ "github.com/zeebo/xxh3"
	_ "go.uber.org/goleak"
	_ "golang.org/x/sys/unix"
	_ "golang.org/x/term"
	_ "pgregory.net/rapid"
)
