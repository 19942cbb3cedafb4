package sluice

import (
	"context"

	"github.com/sluicelake/sluice/internal/verbs/doctor"
)

// Diagnosis is what Doctor found out about a place.
type Diagnosis = doctor.Report

// DoctorCheck is one thing that Doctor tried.
type DoctorCheck = doctor.Check

// DoctorStatus is how a check ended: "ok", "warning", "failed" or "skipped".
type DoctorStatus = doctor.Status

// Doctor examines a place for tables, whether or not one lies there: can it be
// listed and read, does it create objects exclusively, by which credentials (their
// names), how fast, with which clock, and are many writers safe. It writes small
// objects whose names begin with _sluice_doctor and removes them again. What does
// not work is in the diagnosis; the error says that the place could not even be
// addressed.
func Doctor(ctx context.Context, url string, opts ...Option) (*Diagnosis, error) {
	c := configure(opts)
	b, err := c.open(ctx, url)
	if err != nil {
		return nil, err
	}
	if c.bucket == nil {
		defer b.Close()
	}
	return doctor.Examine(ctx, c.env, b)
}
