// Package parquetio turns Parquet bytes into Arrow columns and back.
//
// The writer is our own, because a table that takes small commits writes many
// tiny files: it encodes PLAIN and dictionary pages, statistics and the page
// index straight from Arrow buffers. The reader takes the file's structure and
// its pages from arrow-go, decodes the common encodings itself and leaves the
// rare ones to arrow-go's column readers; it adapts every dialect of Parquet that
// Delta tables meet (INT96, legacy lists, any unit of time, any physical form of
// a decimal, narrower types) to the one Arrow type of the Delta type.
//
// Names are physical names here (PROTOCOL.md, Column Mapping): what a file calls
// its columns. A wrong or hostile file gives an *Error that names the file.
package parquetio
