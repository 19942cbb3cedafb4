package action

import "fmt"

// SyntaxError says where a commit file is not what the protocol describes.
type SyntaxError struct {
	File   string // name as the caller gave it
	Line   int    // from 1; 0 when the text is not a line of a file
	Column int    // byte within the line, from 1
	Msg    string
}

func (e *SyntaxError) Error() string {
	where := e.File
	if where == "" {
		where = "action"
	}
	if e.Line > 0 {
		where = fmt.Sprintf("%s: line %d", where, e.Line)
	}
	return fmt.Sprintf("%s, column %d: %s", where, e.Column, e.Msg)
}
