// Package httpstore reads files from any web server, by http:// and https:// URLs.
// The one idea: HTTP can read parts of a file whose name is known and cannot list,
// so a table is found by asking for the names that its log would have.
//
// A query in the URL, such as the signature of a presigned URL, goes along with
// every request and is never printed. Everything that writes is ErrReadOnly.
//
// Options: authorization (the value of that header, or a reference to a secret
// that holds it), and those of every network store (remote.Options).
package httpstore
