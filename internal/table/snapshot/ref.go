package snapshot

// Ref is one live file as pruning sees it: partition values and statistics,
// read from the columns when asked for.
type Ref struct {
	set *FileSet
	i   int
}

// Ref is the file with number i.
func (s *FileSet) Ref(i int) Ref { return Ref{s, i} }

// Partition is the serialised value of the partition column with that place in
// the table's list of partition columns.
func (r Ref) Partition(col int) (value string, null bool) { return r.set.Partition(r.i, col) }

// StatsJSON are the file's statistics; empty when it has none.
func (r Ref) StatsJSON() []byte { return r.set.StatsJSON(r.i) }
