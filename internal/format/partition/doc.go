// Package partition knows how partition values are spelled: as text in the
// partitionValues of the log (PROTOCOL.md, Partition Value Serialization), as
// folder names, and how the path of a file is escaped in an add action.
package partition
