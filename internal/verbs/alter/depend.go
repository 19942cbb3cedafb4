package alter

import (
	"slices"
	"strings"

	"github.com/sluicelake/sluice/expr"
	"github.com/sluicelake/sluice/internal/rows/derive"
	"github.com/sluicelake/sluice/internal/table/feature"
	"github.com/sluicelake/sluice/types"
)

// statsColumnsKey lists columns that get statistics.
const statsColumnsKey = "delta.dataSkippingStatsColumns"

// dependents refuses to drop, rename or retype a column that a constraint or a
// generated column reads, or by which files are laid out.
func (d *draft) dependents(path []string, what string) error {
	for _, c := range feature.Constraints(&d.md, d.schema) {
		if reads(c.Expr, path) {
			return refuse("DELTA_CONSTRAINT_DEPENDENT_COLUMN_CHANGE", "cannot %s column %s: the constraint %s (%s) reads it; drop the constraint first", what, dotted(path), c.Name, c.Expr)
		}
	}
	for _, f := range d.schema.Fields {
		if expression, ok := f.Metadata.Text(derive.KeyGeneration); ok && reads(expression, path) {
			return refuse("DELTA_GENERATED_COLUMNS_DEPENDENT_COLUMN_CHANGE", "cannot %s column %s: column %s is generated from it as %s", what, dotted(path), types.QuoteIdentifier(f.Name), expression)
		}
	}
	if what != "drop" {
		return nil
	}
	for _, p := range d.md.PartitionColumns {
		if len(path) == 1 && strings.EqualFold(p, path[0]) {
			return refuse("DELTA_UNSUPPORTED_DROP_PARTITION_COLUMN", "cannot drop %s: the table is partitioned by it", dotted(path))
		}
	}
	for _, name := range d.clustering() {
		if parts, err := split(name); err == nil && under(parts, path) {
			return refuse("DELTA_UNSUPPORTED_DROP_CLUSTERING_COLUMN", "cannot drop %s: the table is clustered by %s; ALTER TABLE ... CLUSTER BY other columns or NONE first", dotted(path), name)
		}
	}
	return nil
}

// reads reports whether an expression names a column, a part of it, or the
// struct that it is in. Text that cannot be read may name anything.
func reads(text string, path []string) bool {
	e, err := expr.Parse(text)
	if err != nil {
		return true
	}
	found := false
	expr.Walk(e, func(x expr.Expr) bool {
		if c, ok := x.(*expr.Column); ok && (under(c.Parts, path) || under(path, c.Parts)) {
			found = true
		}
		return !found
	})
	return found
}

// clustering lists the columns by which the table is clustered.
func (d *draft) clustering() []string {
	configuration, _ := d.snap.Domain(feature.ClusteringDomain)
	return feature.Clustering(configuration, d.snap.Columns())
}

// split reads a dotted name.
func split(name string) ([]string, error) {
	p := expr.NewParser(name)
	parts, err := p.ParseQualifiedName()
	if err == nil && p.Peek().Kind != expr.EOF {
		err = p.Errorf(p.Peek(), "want a name")
	}
	return parts, err
}

// statsColumns renames a column in the list of columns with statistics, or takes
// it out when to is nil.
func (d *draft) statsColumns(from, to []string) {
	_, names, explicit := feature.IndexedColumns(&d.md)
	if !explicit {
		return
	}
	var out []string
	for _, name := range names {
		parts, err := split(name)
		switch {
		case err != nil || !under(parts, from):
			out = append(out, name)
		case to != nil:
			out = append(out, dotted(append(slices.Clone(to), parts[len(from):]...)))
		}
	}
	d.md.Configuration[statsColumnsKey] = strings.Join(out, ",")
}
