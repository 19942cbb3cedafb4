package conflict

import (
	"encoding/json"
	"fmt"
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
	f, r, err := s.start()
	if err != nil {
		return nil, s.fail(err)
	}
	out := &Judgement{ID: s.ID, Name: s.Name, Mode: m.String(), Evidence: []Evidence{}, Answers: []Answer{}}
	for i, list := range s.Winners {
		w := &Winner{Version: int64(i + 1)}
		if w.Actions, err = parseActions(list, fmt.Sprintf("winner %d", i+1)); err != nil {
			return nil, s.fail(err)
		}
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
		r.behind(f, w)
	}
	version, blind := int64(len(s.Winners)+1), f.BlindAppend()
	acts, err := r.actions(version, m)
	if err != nil {
		return nil, s.fail(err)
	}
	out.Verdict = ScenarioVerdict{Commit: &version, IsolationLevel: string(f.Isolation), BlindAppend: &blind, InCommitTimestamp: r.ict, Actions: acts}
	return out, nil
}

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
	out := ScenarioVerdict{Condition: v.Class, SQLState: SQLState(v.Class), Message: NewError("the table", f, 0, w, v).Error()}
	if e := Exceptions[ClassName(v.Class)]; e != "" {
		out.Exception = ExceptionPackage + e
	}
	return out
}

// ExceptionPackage is where the reference's exceptions live.
const ExceptionPackage = "io.delta.exceptions."

// SQLState is the SQLSTATE of a conflict class.
func SQLState(class string) string {
	if _, ok := Exceptions[ClassName(class)]; ok {
		return "2D521"
	}
	return ""
}
