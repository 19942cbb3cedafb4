package parquetio

// Cut divides the rows of the file into parts of about a number of compressed
// bytes that can be read apart from each other without much being read twice:
// whole row groups, and parts of a large one where an index tells where pages lie.
func (f *File) Cut(bytes int64) []RowRange {
	var out []RowRange
	var first, held int64 // held: bytes of the last part that may take another group
	for i := range f.meta.groups {
		g := &f.meta.groups[i]
		size, indexed := int64(0), true
		for c := range g.chunks {
			size += max(g.chunks[c].size, 0)
			indexed = indexed && g.chunks[c].offsetIndex
		}
		end := first + g.rows
		n := min(size/max(bytes, 1), g.rows)
		switch {
		case g.rows == 0:
		case n >= 2 && indexed:
			for k := range n {
				out = append(out, RowRange{first + g.rows*k/n, first + g.rows*(k+1)/n})
			}
			held = bytes
		case len(out) > 0 && held+size <= bytes:
			out[len(out)-1].End = end
			held += size
		default:
			out = append(out, RowRange{first, end})
			held = size
		}
		first = end
	}
	return out
}
