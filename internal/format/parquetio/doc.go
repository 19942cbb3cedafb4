// Package parquetio turns Parquet bytes into Arrow columns and back.
//
// The bytes are arrow-go's both ways: metadata, the page index, compression and
// every encoding (docs/decisions/0004). What is here is what it leaves to its
// caller. Writing: the shape of Delta types in Parquet, where pages and row
// groups end, and bounds that no reader misunderstands. Reading: which row groups,
// pages and rows a predicate needs and with how few requests their bytes come,
// where in the file each row lies, and every dialect of Parquet that Delta tables
// meet (INT96, legacy lists, any unit of time, any physical form of a decimal,
// narrower types, shredded variants), brought to the one Arrow type of the Delta
// type. Column chunks are read as levels and values: arrow-go's own mapping to
// Arrow refuses a part of that.
//
// Names are physical names here (PROTOCOL.md, Column Mapping): what a file calls
// its columns. A wrong or hostile file gives an *Error that names the file; a
// panic of the library over one does as well.
package parquetio
