package conflict

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/sluicelake/sluice/action"
)

// Judgement is the answer to a scenario.
type Judgement struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	Mode string `json:"mode"`
	// Verdict is how the transaction ends.
	Verdict ScenarioVerdict `json:"verdict"`
	// Evidence is what decides: of the conflict, else of all winners.
	Evidence []Evidence `json:"evidence"`
	// Answers are what each winner was answered, up to the one that decides.
	Answers []Answer `json:"answers"`
}

// ScenarioVerdict is a commit with its version, or an exception.
type ScenarioVerdict struct {
	Commit            *int64            `json:"commit,omitempty"`
	IsolationLevel    string            `json:"isolationLevel,omitempty"`
	BlindAppend       *bool             `json:"isBlindAppend,omitempty"`
	InCommitTimestamp *int64            `json:"inCommitTimestamp,omitempty"`
	Actions           []json.RawMessage `json:"actions,omitzero"`

	Condition string `json:"condition,omitempty"`
	SQLState  string `json:"sqlstate,omitempty"`
	Exception string `json:"exception,omitempty"`
	Message   string `json:"message,omitempty"`
}

// Answer is what one winner means for a transaction.
type Answer struct {
	Winner    int64  `json:"winner"`
	Operation string `json:"operation"`
	// Answer is independent, repair, re-execute or conflict.
	Answer string `json:"answer"`
	// AsStatement is the answer if the same reads and actions were those of a
	// statement (MERGE, UPDATE, ...) and not of a list of actions. In reference
	// mode there is no difference, and it is "".
	AsStatement string     `json:"asStatement,omitempty"`
	Class       string     `json:"class,omitempty"`
	Evidence    []Evidence `json:"evidence"`
}

// Judge plays a scenario: one winner after the other, as the commit loop does.
func (s *Scenario) Judge(m Mode) (*Judgement, error) {
	f, t, err := s.start()
	if err != nil {
		return nil, s.fail(err)
	}
	r := &rebase{m: m, read: t.mark}
	out := &Judgement{ID: s.ID, Name: s.Name, Mode: m.String(), Evidence: []Evidence{}, Answers: []Answer{}}
	if err := f.alone(); err != nil {
		return out.refused(s, err)
	}
	if err := r.begin(f, s.Own); err != nil {
		return out.refused(s, err)
	}
	for i, list := range s.Winners {
		w := &Winner{Version: int64(i + 1)}
		if w.Actions, err = parseActions(list, fmt.Sprintf("winner %d", i+1)); err != nil {
			return nil, s.fail(err)
		}
		t.follow(w.Actions)
		v := Check(f, w, m)
		a := Answer{Winner: w.Version, Operation: w.Operation(), Answer: v.Kind.String(), Class: v.Class, Evidence: append([]Evidence{}, v.Evidence...)}
		if m == Precise {
			st := *f
			st.Repairable, st.Rebindable = true, true
			a.AsStatement = Check(&st, w, m).Kind.String()
		}
		out.Answers = append(out.Answers, a)
		if v.Kind == Conflict {
			out.Evidence = a.Evidence
			out.Verdict = refused(f, w, v)
			return out, nil
		}
		out.Evidence = append(out.Evidence, a.Evidence...)
		f.adopt(v, w)
		if err := r.behind(f, w); err != nil {
			return out.refused(s, err)
		}
	}
	version, blind := int64(len(s.Winners)+1), f.BlindAppend()
	acts, err := r.actions()
	if err != nil {
		return nil, s.fail(err)
	}
	out.Verdict = ScenarioVerdict{Commit: &version, IsolationLevel: string(f.Isolation), BlindAppend: &blind, InCommitTimestamp: r.ict, Actions: acts}
	return out, nil
}

// Refused is an error that a transaction gets whoever won: on its own, or for what
// a winner's commit leaves out.
type Refused struct{ Class, SQLState, Exception, Message string }

func (e *Refused) Error() string {
	if e.Class == "" {
		return e.Exception + ": " + e.Message
	}
	return "[" + e.Class + "] " + e.Message
}

// refused makes a refusal the verdict; other errors are those of the scenario.
func (j *Judgement) refused(s *Scenario, err error) (*Judgement, error) {
	var r *Refused
	if !errors.As(err, &r) {
		return nil, s.fail(err)
	}
	j.Verdict = ScenarioVerdict{Condition: r.Class, SQLState: r.SQLState, Exception: r.Exception, Message: r.Error()}
	return j, nil
}

// alone refuses what no transaction may do, whether there is a winner or not.
func (f *Facts) alone() error {
	if lost := lostNames(f.Protocol, lastOf[*action.Protocol](f.Actions)); len(lost) > 0 && f.Operation != dropFeature {
		return &Refused{Class: "DELTA_INVALID_PROTOCOL_DOWNGRADE", SQLState: "KD004", Exception: "org.apache.spark.sql.delta.ProtocolDowngradeException",
			Message: "the transaction drops " + strings.Join(lost, ", ") + " from the protocol: only " + dropFeature + " does that"}
	}
	if strings.EqualFold(f.Metadata.Configuration["delta.appendOnly"], "true") && supports(f.Protocol, "appendOnly") {
		for _, a := range f.Actions {
			if r, ok := a.(*action.Remove); ok && r.DataChange {
				return &Refused{Class: "DELTA_CANNOT_MODIFY_APPEND_ONLY", SQLState: "42809", Exception: "org.apache.spark.sql.delta.DeltaUnsupportedOperationException",
					Message: "the table is append-only, and the transaction removes rows"}
			}
		}
	}
	return nil
}

const dropFeature = "DROP FEATURE"

// adopt moves the facts behind a winner.
func (f *Facts) adopt(v Verdict, w *Winner) {
	f.Version = w.Version
	if v.Protocol != nil {
		f.Protocol = v.Protocol
	}
	if v.Metadata != nil {
		f.Metadata = v.Metadata
	}
}

// refused is the verdict of a conflict.
func refused(f *Facts, w *Winner, v Verdict) ScenarioVerdict {
	out := ScenarioVerdict{Condition: v.Class, Message: NewError("the table", f, 0, w, v).Error()}
	if e := Exceptions[ClassName(v.Class)]; e != "" {
		out.Exception, out.SQLState = ExceptionPackage+e, "2D521"
	} else {
		out.Exception, out.SQLState = others[v.Class].exception, others[v.Class].state
	}
	return out
}

// ExceptionPackage is where the reference's exceptions live.
const ExceptionPackage = "io.delta.exceptions."

// others are the classes that are no exceptions of that package.
var others = map[string]struct{ exception, state string }{
	ClassDropFeature:                       {"org.apache.spark.sql.delta.DeltaTableFeatureException", "40000"},
	ClassBackfill:                          {"org.apache.spark.sql.delta.DeltaIllegalStateException", "22KD0"},
	"DELTA_UNSUPPORTED_FEATURES_FOR_READ":  {"org.apache.spark.sql.delta.DeltaUnsupportedTableFeatureException", "56038"},
	"DELTA_UNSUPPORTED_FEATURES_FOR_WRITE": {"org.apache.spark.sql.delta.DeltaUnsupportedTableFeatureException", "56038"},
}
