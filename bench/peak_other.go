//go:build !unix

package main

import (
	"os"
	"time"
)

// peakMB is not known on this system.
func peakMB(*os.ProcessState) float64 { return 0 }

// cpuTime is not known on this system.
func cpuTime() time.Duration { return 0 }
