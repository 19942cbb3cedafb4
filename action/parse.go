package action

// ParseCommit decodes every action of a commit file.
func ParseCommit(data []byte, file string) ([]Action, error) {
	var out []Action
	err := Scan(data, file, Collect(func(a Action) error {
		out = append(out, a)
		return nil
	}, file))
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Collect returns a handler that decodes every action and hands it to each.
// file is used in errors only.
func Collect(each func(Action) error, file string) *Handler {
	located := func(f *File, err error) error {
		if s, ok := err.(*SyntaxError); ok {
			return &SyntaxError{File: file, Line: f.Line, Column: s.Column, Msg: s.File + ": " + s.Msg}
		}
		return err
	}
	return &Handler{
		Add: func(f *File) error {
			a, err := f.Add()
			if err != nil {
				return located(f, err)
			}
			return each(a)
		},
		Remove: func(f *File) error {
			r, err := f.Remove()
			if err != nil {
				return located(f, err)
			}
			return each(r)
		},
		Metadata:           func(a *Metadata) error { return each(a) },
		Protocol:           func(a *Protocol) error { return each(a) },
		Txn:                func(a *Txn) error { return each(a) },
		CDC:                func(a *AddCDC) error { return each(a) },
		CommitInfo:         func(a *CommitInfo) error { return each(a) },
		DomainMetadata:     func(a *DomainMetadata) error { return each(a) },
		CheckpointMetadata: func(a *CheckpointMetadata) error { return each(a) },
		Sidecar:            func(a *Sidecar) error { return each(a) },
		Unknown:            func(a *Unknown) error { return each(a) },
	}
}
