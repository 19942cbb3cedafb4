// Package races tells after the fact which commits met and why: from the text of
// an error that another engine has shown, and for two versions of a table.
//
// The errors of Spark quote the winning commit in something that is almost JSON
// (values of parameters stand there without quotes), and log lines wrap it. So
// the text is searched for what it says, and never has to be well-formed.
package races
