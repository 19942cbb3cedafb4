package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluicelake/sluice"
)

func (a *app) doctor() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor URL",
		Short: "Examine a store: access, credentials, speed, many writers",
		Long: `Examine the place where a table lies or shall lie: can it be listed and read, does it create objects exclusively, which credentials were used (their names, never their values), how long requests take, whether the clocks agree, and whether many writers are safe there.

Small objects whose names begin with _sluice_doctor are written and removed again. The exit status is 1 when something does not work.`,
		Example: "  sluice doctor s3://bucket/tables/orders\n  sluice doctor abfss://lake@account.dfs.core.windows.net/orders --json",
		Args:    exactArgs("URL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts, err := a.tableOptions(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			d, err := sluice.Doctor(cmd.Context(), args[0], opts...)
			if err != nil {
				return err
			}
			if a.json {
				err = a.object(diagnosisObject(d))
			} else {
				a.printDiagnosis(d)
			}
			if err == nil && slices.ContainsFunc(d.Checks, func(c sluice.DoctorCheck) bool { return c.Status == "failed" }) {
				return told{}
			}
			return err
		},
	}
}

func diagnosisObject(d *sluice.Diagnosis) map[string]any {
	checks := []map[string]any{}
	for _, c := range d.Checks {
		o := map[string]any{"name": c.Name, "status": string(c.Status), "text": c.Text, "advice": nullable(c.Advice), "milliseconds": nil}
		if c.Elapsed > 0 {
			o["milliseconds"] = milliseconds(c.Elapsed)
		}
		checks = append(checks, o)
	}
	return map[string]any{"url": d.URL, "store": object(d.Store), "table": d.Table, "readable": d.Readable, "writable": d.Writable,
		"safeForManyWriters": d.Safe, "clockSkewSeconds": d.Skew.Seconds(), "checks": checks}
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Round(10*time.Microsecond).Microseconds()) / 1000
}

func (a *app) printDiagnosis(d *sluice.Diagnosis) {
	a.printf("%-14s %s", "place", visible(d.URL))
	first := []string{"store", "endpoint", "credential", "put-if-absent"}
	for _, k := range append(first, sorted(d.Store)...) {
		if v, ok := d.Store[k]; ok && k != "warning" {
			a.printf("%-14s %s", k, visible(v))
			delete(d.Store, k)
		}
	}
	a.printf("")
	for _, c := range d.Checks {
		took := ""
		if c.Elapsed > 0 {
			took = fmt.Sprintf(" (%g ms)", milliseconds(c.Elapsed))
		}
		a.prose("%-8s %s: %s%s", c.Status, c.Name, visible(c.Text), took)
		if c.Advice != "" {
			a.printf("%s", wrapped("Advice: "+c.Advice, "         ", "         "))
		}
	}
	a.printf("")
	a.prose("%s", verdict(d))
}

func verdict(d *sluice.Diagnosis) string {
	switch {
	case !d.Readable && !d.Writable:
		return "Tables can be neither read nor written here."
	case !d.Writable && d.Table:
		return "The table can be read here, not written."
	case !d.Writable:
		return "Tables cannot be written here."
	case d.Safe:
		return "Many writers are safe here: commits exclude each other."
	}
	return "Tables can be written here, and many writers are not safe: see above."
}
