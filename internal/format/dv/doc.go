// Package dv reads and writes deletion vectors: the sets of row positions of a
// data file that are deleted (PROTOCOL.md, Deletion Vectors and Deletion Vector
// Format).
//
// A descriptor in the log says where a vector lives: inline in Z85 text, in a
// file of the table named by a UUID, or at an absolute path. The bytes are a
// magic number and a 64-bit Roaring bitmap in its portable form; in a file they
// are framed by their length and a CRC-32. Everything read is checked against
// the descriptor (size, checksum, number of rows) before a row is believed
// deleted.
package dv
