package main

import (
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluicelake/sluice"
)

// atFlags select a version.
type atFlags struct {
	version int64
	at      string
}

func (v *atFlags) add(cmd *cobra.Command) {
	cmd.Flags().Int64Var(&v.version, "version", -1, "read this version")
	cmd.Flags().Lookup("version").DefValue = "0" // not shown: the default is the newest version
	cmd.Flags().StringVar(&v.at, "at", "", "read the newest version that is not younger than this `TIMESTAMP`")
}

func (v *atFlags) resolve(cmd *cobra.Command) ([]sluice.At, error) {
	given := cmd.Flags().Changed("version")
	switch {
	case given && v.at != "":
		return nil, usagef("--version and --at exclude each other")
	case given && v.version < 0:
		return nil, usagef("--version %d: versions start at 0", v.version)
	case given:
		return []sluice.At{sluice.Version(v.version)}, nil
	case v.at != "":
		t, err := parseTime(v.at)
		if err != nil {
			return nil, err
		}
		return []sluice.At{sluice.Time(t)}, nil
	}
	return nil, nil
}

// parseTime reads a timestamp; without a zone it is UTC. A number is
// milliseconds since the epoch.
func parseTime(s string) (time.Time, error) {
	if ms, err := strconv.ParseInt(s, 10, 64); err == nil && len(s) > 8 {
		return time.UnixMilli(ms), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00",
		"2006-01-02 15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usagef("%q is no timestamp: write 2026-01-31, 2026-01-31T12:00:00Z or milliseconds", s)
}
