package sluice

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluicelake/sluice/internal/inspect/races"
	"github.com/sluicelake/sluice/internal/table/conflict"
)

// Rules are those by which commits are judged.
type Rules = conflict.Mode

// The two sets of rules.
const (
	// PreciseRules are sluice's own.
	PreciseRules = conflict.Precise
	// ReferenceRules are delta-spark's, for the same recorded reads.
	ReferenceRules = conflict.Reference
)

// Judgement is the answer to a scenario. As JSON it is a line of the output of
// sluice explain --scenario.
type Judgement = conflict.Judgement

// ScenarioVerdict is how the transaction of a scenario ends: with a commit, or
// with an exception.
type ScenarioVerdict = conflict.ScenarioVerdict

// Answer is what one winner means for a transaction.
type Answer = conflict.Answer

// JudgeScenario plays a race that is given as one JSON object: the table's
// actions (table), what the transaction read (reads, readFiles) and commits
// (own), and the commits that were there first (winners). It touches no store.
func JudgeScenario(scenario []byte, by Rules) (*Judgement, error) {
	s, err := conflict.ParseScenario(scenario)
	if err != nil {
		return nil, err
	}
	return s.Judge(by)
}

// ErrorExplanation is what the text of an error says, what it means, and, when a
// table was asked, which commit won.
type ErrorExplanation = races.Explained

// FoundWinner is the winner of an error in a table's log.
type FoundWinner = races.Found

// Reading is what a committed statement must have read.
type Reading = races.Reading

// Story is what one version of a table did.
type Story = races.Story

// Collision is what becomes of two commits that race, by both sets of rules.
type Collision = races.Collision

// ErrNoConflictText is a text that tells of no conflict of Delta writers.
var ErrNoConflictText = races.ErrUnknown

// ExplainError reads the text of an error that another engine has shown, such as
// Spark's ConcurrentAppendException with its "Conflicting commit: {...}".
func ExplainError(text string) (*ErrorExplanation, error) { return races.Explain(text) }

// ExplainError also finds the winner in the table's log and says what it touched.
func (t *Table) ExplainError(ctx context.Context, text string) (*ErrorExplanation, error) {
	if err := t.use(); err != nil {
		return nil, err
	}
	x, err := races.Explain(text)
	if err != nil {
		return nil, err
	}
	if err := x.Find(ctx, t.config.env, t.log.Bucket()); err != nil {
		return nil, t.fail("explain an error with", err)
	}
	return x, nil
}

// ExplainVersions says whether two commits of the table exclude each other when
// they race: when the later one has read the version before the earlier one. The
// evidence comes from what both did and from what their commitInfo records.
func (t *Table) ExplainVersions(ctx context.Context, a, b int64) (*Collision, error) {
	if err := t.use(); err != nil {
		return nil, err
	}
	c, err := races.Versions(ctx, t.config.env, t.log.Bucket(), a, b)
	var gone *races.NoCommitError
	if errors.As(err, &gone) {
		return nil, t.noCommit(ctx, gone.Version)
	}
	if err != nil {
		return nil, t.fail(fmt.Sprintf("compare versions %d and %d of", min(a, b), max(a, b)), err)
	}
	return c, nil
}
