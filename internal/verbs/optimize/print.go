package optimize

import (
	"fmt"
	"io"
	"strings"
)

// Print writes the plan for people.
func (p *Plan) Print(w io.Writer) error {
	var b strings.Builder
	chosen := p.Chosen()
	if len(p.Bins) == 0 {
		fmt.Fprintf(&b, "version %d: nothing to do for its %s (%s)\n", p.Version, many(p.Before.Files, "file"), size(p.Before.Bytes))
		_, err := io.WriteString(w, b.String())
		return err
	}
	fmt.Fprintf(&b, "version %d: %d of %s (%s of %s) are written again, in %s of %s and %s\n", p.Version, chosen.Files, many(p.Before.Files, "file"),
		size(chosen.Bytes), size(p.Before.Bytes), many(int64(len(p.Bins)), "bin"), many(int64(p.Partitions()), "partition"), many(int64(p.Commits()), "commit"))
	fmt.Fprintf(&b, "expected afterwards: %s, %s\n", many(p.After.Files, "file"), size(p.After.Bytes))
	if c := p.Cubes; c != nil {
		fmt.Fprintf(&b, "clustered by %s: %s of %s and %s of none become %s\n", strings.Join(c.Columns, ", "), many(c.InCubes.Files, "file"),
			many(c.Found, "cube"), many(c.Other.Files, "file"), many(c.Written, "cube"))
	}
	for _, x := range p.Pruning {
		fmt.Fprintf(&b, "a look-up by %s reads %.1f of %s now, about %.1f of %d afterwards\n", x.Column, x.Before, many(p.Before.Files, "file"), x.After, p.After.Files)
	}
	for _, bin := range p.Bins {
		where := bin.Partition
		if where == "" {
			where = "the table"
		}
		fmt.Fprintf(&b, "  %s: %s, %s", where, many(int64(len(bin.Files)), "file"), size(bin.Bytes))
		if bin.Sort != nil {
			fmt.Fprintf(&b, ", sorted by %s", strings.Join(bin.Sort.Names, ", "))
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func many(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func size(n int64) string {
	for _, unit := range []struct {
		bytes int64
		name  string
	}{{1 << 40, "TB"}, {1 << 30, "GB"}, {1 << 20, "MB"}, {1 << 10, "kB"}} {
		if n >= unit.bytes {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(unit.bytes), unit.name)
		}
	}
	return fmt.Sprintf("%d B", n)
}
