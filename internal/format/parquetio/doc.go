// Package parquetio turns Parquet bytes into Arrow columns and back.
//
// Both halves are our own. A table that takes small commits writes and opens many
// tiny files, and a rewrite copies whole ones: the encoder works straight from
// Arrow buffers, the decoder straight into them, without a row or a generic value
// in between. arrow-go lends its compression codecs, and the tests use its reader
// and writer as the judge.
//
// Reading adapts every dialect of Parquet that Delta tables meet (INT96, legacy
// lists, any unit of time, any physical form of a decimal, narrower types) to the
// one Arrow type of the Delta type.
//
// Names are physical names here (PROTOCOL.md, Column Mapping): what a file calls
// its columns. A wrong or hostile file gives an *Error that names the file.
package parquetio
