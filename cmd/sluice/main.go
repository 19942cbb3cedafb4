// Command sluice works on Delta tables from a terminal or a script: create,
// write, merge, read and explain them. Results go to standard output, everything
// else to standard error; the exit status is 0 when it is done, 1 when it was
// refused or failed, 2 for wrong usage, 3 when it is unknown whether a commit
// landed, and 130 when it was interrupted.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // session time zones do not depend on the machine
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
