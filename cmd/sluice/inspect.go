package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/internal/format/dv"
	"github.com/sluicelake/sluice/internal/format/parquetio"
	"github.com/sluicelake/sluice/internal/inspect"
	"github.com/sluicelake/sluice/storage"
)

// told ends a command with status 1 whose result says what is wrong.
type told struct{}

func (told) Error() string { return "the result says what is wrong" }

func (a *app) inspect() *cobra.Command {
	var (
		limit        int
		offset, size int64
	)
	cmd := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Show what one file of a table is and holds",
		Long: "Show what one file of a table is and holds: a commit, compacted commits, a checkpoint or a part or sidecar of one, a version checksum, " +
			"_last_checkpoint, a file of deletion vectors, a data or change data file. FILE is a path or URL; it is recognised by its name and its content.\n\n" +
			"The status is 1 when something is wrong with the file; what and where stands in the result.",
		Args: exactArgs("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o := sluice.InspectOptions{Limit: limit}
			if limit < 0 {
				return usagef("--limit %d: want 0 or more", limit)
			}
			if !cmd.Flags().Changed("limit") && !a.json {
				o.Limit = 40
			}
			switch one, other := cmd.Flags().Changed("offset"), cmd.Flags().Changed("size"); {
			case one != other:
				return usagef("--offset and --size belong together: they name one deletion vector")
			case one && (offset < 0 || size < 0):
				return usagef("--offset %d --size %d: want 0 or more", offset, size)
			case one:
				o.Offset, o.Size = &offset, &size
			}
			f, err := a.inspectFile(cmd.Context(), args[0], o)
			if err != nil {
				return err
			}
			if a.json {
				err = a.object(f)
			} else {
				a.fileText(f, o)
			}
			if err == nil && len(f.Problems) > 0 {
				err = told{}
			}
			return err
		},
	}
	cmd.Flags().IntVarP(&limit, "limit", "n", 0, "show at most this many entries of a list (0: all; default 40, with --json all)")
	cmd.Flags().Int64Var(&offset, "offset", 0, "show the deletion vector at this offset")
	cmd.Flags().Int64Var(&size, "size", 0, "the size of that vector, as in its descriptor")
	return cmd
}

// inspectFile finds the table of the file through buckets that are traced and counted.
func (a *app) inspectFile(ctx context.Context, location string, o sluice.InspectOptions) (f *sluice.FileInfo, err error) {
	place, err := inspect.Find(ctx, location, a.bucket)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, place.Bucket.Close()) }()
	f, err = sluice.Inspect(ctx, place.Key, o, sluice.WithBucket(place.Bucket), sluice.WithWorkers(a.workers), sluice.WithMemoryLimit(a.memLimit))
	if errors.Is(err, storage.ErrNotExist) {
		for _, e := range place.Bucket.List(ctx, place.Key+"/", "") {
			if e == nil {
				err = fmt.Errorf("%s is a folder: inspect takes one file of a table; 'sluice detail' and 'sluice fsck' take the table", storage.Redact(location))
			}
			break
		}
	}
	if f != nil && !place.Table {
		f.Table = ""
	}
	return f, err
}

// fileText prints a file for people.
func (a *app) fileText(f *sluice.FileInfo, o sluice.InspectOptions) {
	name := f.URL
	if f.Table != "" {
		name = strings.TrimPrefix(strings.TrimPrefix(name, f.Table), "/")
	}
	a.place("file", name)
	a.place("table", f.Table)
	a.fact("kind", kindText(f))
	a.fact("size", fmt.Sprintf("%s, modified %s", sizeText(f.Size), stamp(f.Modified)))
	for _, n := range f.Notes {
		a.fact("note", n)
	}
	if f.Parquet != nil {
		a.parquetFacts(f.Parquet, o)
	}
	a.actionsText(f)
	a.sidecarsText(f)
	if len(f.Fields) > 0 {
		a.printf("")
		for _, e := range f.Fields {
			a.printf("%s", e.Name)
			a.printf("%s", wrapped(e.Value, "  ", "  "))
		}
	}
	a.vectorsText(f, o)
	if f.Parquet != nil {
		a.parquetTables(f, o)
	}
	if len(f.Problems) > 0 {
		a.printf("\n%s", plural(int64(len(f.Problems)), "problem"))
		for _, p := range f.Problems {
			a.printf("%s", wrapped(prefixedWith(p.Where, ": ")+p.What, "  ", "    "))
		}
	}
}

func prefixedWith(text, sep string) string {
	if text == "" {
		return ""
	}
	return text + sep
}

// place prints a name and an address, which is not broken into lines.
func (a *app) place(name, address string) {
	if address != "" {
		a.printf("%-12s%s", name, address)
	}
}

// fact prints a name and a value, broken into lines below the value.
func (a *app) fact(name, value string) {
	if value == "" {
		return
	}
	const column = 12
	lead := fmt.Sprintf("%-*s", column, name)
	if len(name) >= column {
		lead = name + "  "
	}
	text := wrapped(value, strings.Repeat(" ", len(lead)), strings.Repeat(" ", column))
	a.printf("%s%s", lead, text[min(len(lead), len(text)):])
}

func kindText(f *sluice.FileInfo) string {
	text := f.Kind
	switch {
	case f.Start != nil && f.Version != nil:
		text += fmt.Sprintf(" of versions %d to %d", *f.Start, *f.Version)
	case f.Version != nil:
		text += fmt.Sprintf(" of version %d", *f.Version)
	}
	if f.Part != "" {
		text += ", part " + f.Part
	}
	return text
}

// sizeText is a size for people, and exactly.
func sizeText(n int64) string {
	if n < 1<<10 {
		return plural(n, "byte")
	}
	return fmt.Sprintf("%s (%s bytes)", bytesText(n), thousands(n))
}

// thousands groups the digits of a number.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

func (a *app) actionsText(f *sluice.FileInfo) {
	if f.Actions == nil {
		return
	}
	var counts []string
	for _, k := range sorted(f.Actions.Counts) {
		counts = append(counts, thousands(f.Actions.Counts[k])+" "+k)
	}
	a.fact("actions", strings.Join(counts, ", "))
	if len(f.Actions.List) == 0 {
		return
	}
	a.printf("")
	version := int64(-1)
	if f.Version != nil {
		version = *f.Version
	}
	if f.Kind == inspect.KindCommit && f.Actions.More == 0 && version >= 0 {
		a.printf("%s", inspect.CommitText(version, f.Actions.List, true))
	} else {
		for _, x := range f.Actions.List {
			a.printf("  %s", inspect.ActionText(x))
		}
	}
	if f.Actions.More > 0 {
		a.printf("  … and %s more (--limit 0 shows all)", thousands(f.Actions.More))
	}
}

func (a *app) sidecarsText(f *sluice.FileInfo) {
	if len(f.Sidecars) == 0 {
		return
	}
	var rows [][]string
	for _, s := range f.Sidecars {
		found := ""
		if s.Found != nil {
			found = map[bool]string{true: "there", false: "MISSING"}[*s.Found]
		}
		rows = append(rows, []string{s.Path, bytesText(s.Size), found})
	}
	a.printf("")
	header, rows := dense([]string{"sidecar", "size", "file"}, rows)
	a.table(header, rows, 1)
}

func (a *app) vectorsText(f *sluice.FileInfo, o sluice.InspectOptions) {
	if f.Kind != inspect.KindVectors {
		return
	}
	var rows [][]string
	deleted := int64(0)
	for _, v := range f.Vectors {
		check := "ok"
		if !v.ChecksumOK {
			check = "WRONG"
		}
		deleted += v.Cardinality
		rows = append(rows, []string{fmt.Sprint(v.Offset), fmt.Sprint(v.Size), check, thousands(v.Cardinality), position(v.First), position(v.Last), rangesText(v, 3)})
	}
	a.fact("holds", fmt.Sprintf("%s, %s deleted", plural(int64(len(f.Vectors)), "vector"), plural(deleted, "row")))
	if len(rows) == 0 {
		return
	}
	a.printf("")
	if o.Offset == nil {
		a.table([]string{"offset", "bytes", "crc", "rows", "first", "last", "positions"}, rows, 0, 1, 3, 4, 5)
		return
	}
	v := f.Vectors[0]
	for _, line := range [][2]string{{"offset", fmt.Sprint(v.Offset)}, {"bytes", fmt.Sprint(v.Size)}, {"format", v.Format}, {"checksum", rows[0][2]},
		{"rows", rows[0][3]}, {"first", rows[0][4]}, {"last", rows[0][5]}, {"positions", rangesText(v, len(v.Ranges))}} {
		a.fact(line[0], line[1])
	}
}

func position(n int64) string {
	if n < 0 {
		return "-"
	}
	return fmt.Sprint(n)
}

func rangesText(v dv.Entry, n int) string {
	var parts []string
	for _, r := range v.Ranges[:min(n, len(v.Ranges))] {
		if r[0] == r[1] {
			parts = append(parts, fmt.Sprint(r[0]))
		} else {
			parts = append(parts, fmt.Sprintf("%d-%d", r[0], r[1]))
		}
	}
	if v.More || n < len(v.Ranges) {
		parts = append(parts, "…")
	}
	return strings.Join(parts, ", ")
}

// parquetFacts prints what a footer says of the whole file.
func (a *app) parquetFacts(d *parquetio.Description, o sluice.InspectOptions) {
	a.fact("written by", d.CreatedBy)
	var packed, plain int64
	for _, g := range d.RowGroups {
		packed += g.Compressed
		plain += g.Uncompressed
	}
	a.fact("rows", fmt.Sprintf("%s in %s; %s of data, %s unpacked", thousands(d.Rows), plural(int64(len(d.RowGroups)), "row group"), bytesText(packed), bytesText(plain)))
	a.fact("footer", fmt.Sprintf("%s, format version %d", bytesText(d.FooterBytes), d.Version))
	for i, kv := range d.KeyValues {
		if o.Limit > 0 && i >= o.Limit {
			break
		}
		value := strings.Join(strings.Fields(kv.Value), " ")
		if len(value) > 60 {
			value = fmt.Sprintf("%s (%s)", kv.Key, bytesText(int64(kv.Bytes)))
		} else {
			value = kv.Key + " = " + value
		}
		a.fact("metadata", value)
	}
}

// parquetTables prints columns and row groups; of a checkpoint the typed columns only.
func (a *app) parquetTables(f *sluice.FileInfo, o sluice.InspectOptions) {
	d := f.Parquet
	if f.Actions != nil {
		a.typedText(d)
	} else {
		a.chunksText(d, o)
	}
	if len(d.RowGroups) > 1 {
		a.rowGroupsText(d, o)
	}
	if len(f.Columns) > 0 {
		a.columnsText(f)
	}
}

// typedText prints the columns that a checkpoint has as typed values: partition
// values, and statistics by the kind of statistic.
func (a *app) typedText(d *parquetio.Description) {
	var heads []string
	names := map[string][]string{}
	for _, c := range d.Columns {
		rest, ok := strings.CutPrefix(c.Path, "add.partitionValues_parsed.")
		head := "partitionValues_parsed"
		if !ok {
			if rest, ok = strings.CutPrefix(c.Path, "add.stats_parsed."); !ok {
				continue
			}
			head = "stats_parsed"
			if stat, column, nested := strings.Cut(rest, "."); nested {
				head, rest = head+"."+stat, column
			}
		}
		if names[head] == nil {
			heads = append(heads, head)
		}
		names[head] = append(names[head], elided(rest, 40)+" "+columnType(c))
	}
	for i, head := range heads {
		if i == 0 {
			a.printf("")
		}
		a.printf("%s", wrapped(head+": "+strings.Join(names[head], ", "), "", "  "))
	}
}

// columnType is the type of a leaf in a word or two; ! marks one without NULLs.
func columnType(c parquetio.DescribedColumn) string {
	kind := strings.ToLower(c.Physical)
	if c.Logical != "" && c.Logical != "none" {
		kind = c.Logical
		if strings.HasPrefix(c.Logical, "decimal") || strings.HasPrefix(c.Logical, "timestamp") {
			kind += " " + strings.ToLower(c.Physical)
		}
	}
	if c.Repetition == "REQUIRED" {
		kind += "!"
	}
	return kind
}

// elided shortens a long name in its middle.
func elided(name string, width int) string {
	r := []rune(name)
	if len(r) <= width {
		return name
	}
	head := width * 2 / 5
	return string(r[:head]) + "…" + string(r[len(r)-(width-head-1):])
}

// columnSum is a column over all row groups.
type columnSum struct {
	codecs, encodings          []string
	packed, plain, nulls, vals int64
	lo, hi                     string
	extras                     []string
	dictionary, nullsKnown     bool
}

func sumColumn(d *parquetio.Description, i int) (s columnSum) {
	s.nullsKnown = true
	add := func(list *[]string, v string) {
		if v != "" && !slices.Contains(*list, v) {
			*list = append(*list, v)
		}
	}
	for g := range d.RowGroups {
		if i >= len(d.RowGroups[g].Chunks) {
			continue
		}
		c := d.RowGroups[g].Chunks[i]
		add(&s.codecs, strings.ToLower(c.Codec))
		for _, e := range c.Encodings {
			if e != "RLE" && e != "BIT_PACKED" { // of levels
				add(&s.encodings, shortEncoding(e))
			}
		}
		s.packed += c.Compressed
		s.plain += c.Uncompressed
		s.vals += c.Values
		s.dictionary = s.dictionary || c.Dictionary
		if c.OffsetIndex != nil || c.ColumnIndex != nil {
			add(&s.extras, "index")
		}
		if c.Bloom != nil {
			add(&s.extras, "bloom")
		}
		if c.Stats == nil || c.Stats.Nulls == nil {
			s.nullsKnown = false
		} else {
			s.nulls += *c.Stats.Nulls
		}
		if len(d.RowGroups) == 1 && c.Stats != nil {
			s.lo, s.hi = boundText(c.Stats.Min, c.Stats.MinExact), boundText(c.Stats.Max, c.Stats.MaxExact)
			if c.Stats.Deprecated {
				add(&s.extras, "old bounds")
			}
		}
	}
	return s
}

func shortEncoding(e string) string {
	return map[string]string{"PLAIN": "plain", "PLAIN_DICTIONARY": "dict", "RLE_DICTIONARY": "dict", "DELTA_BINARY_PACKED": "delta",
		"DELTA_LENGTH_BYTE_ARRAY": "delta-len", "DELTA_BYTE_ARRAY": "delta-bytes", "BYTE_STREAM_SPLIT": "split"}[e]
}

// boundText is a bound that fits in a table; ~ marks one that is not exact.
func boundText(v *string, exact *bool) string {
	if v == nil {
		return ""
	}
	text := strings.Join(strings.Fields(fmt.Sprintf("%.200s", *v)), " ")
	text = elided(text, 16)
	if exact != nil && !*exact {
		text += "~"
	}
	return text
}

func (a *app) chunksText(d *parquetio.Description, o sluice.InspectOptions) {
	var rows [][]string
	for i, c := range d.Columns {
		if o.Limit > 0 && i >= o.Limit {
			rows = append(rows, []string{fmt.Sprintf("… %d more", len(d.Columns)-i), "", "", "", "", "", "", "", ""})
			break
		}
		s := sumColumn(d, i)
		id, nulls := "", "?"
		if c.FieldID != nil {
			id = fmt.Sprint(*c.FieldID)
		}
		if s.nullsKnown {
			nulls = thousands(s.nulls)
		}
		rows = append(rows, []string{elided(c.Path, 34), columnType(c), id, strings.Join(slices.Concat(s.codecs, s.encodings), " "), bytesText(s.packed), nulls, s.lo, s.hi, strings.Join(s.extras, " ")})
	}
	a.printf("")
	header, rows := dense([]string{"column", "type", "id", "packed", "size", "nulls", "min", "max", "extra"}, rows)
	a.table(header, rows, slices.Index(header, "size"), slices.Index(header, "nulls"), slices.Index(header, "id"))
}

func (a *app) rowGroupsText(d *parquetio.Description, o sluice.InspectOptions) {
	var rows [][]string
	for i, g := range d.RowGroups {
		if o.Limit > 0 && i >= o.Limit {
			rows = append(rows, []string{fmt.Sprintf("… %d more", len(d.RowGroups)-i), "", "", "", ""})
			break
		}
		rows = append(rows, []string{fmt.Sprint(i), thousands(g.Rows), bytesText(g.Compressed), bytesText(g.Uncompressed), strings.Join(g.SortedBy, ", ")})
	}
	a.printf("")
	header, rows := dense([]string{"row group", "rows", "size", "unpacked", "sorted by"}, rows)
	a.table(header, rows, 0, 1, 2, 3)
}

func (a *app) columnsText(f *sluice.FileInfo) {
	var rows [][]string
	for _, c := range f.Columns {
		inFile := c.InFile
		if inFile == c.Column {
			inFile = ""
		}
		as := c.AsType
		if as == c.Type {
			as = ""
		}
		rows = append(rows, []string{elided(c.Column, 24), elided(c.Type, 30), c.Found, elided(inFile, 20), elided(as, 30)})
	}
	a.printf("")
	header, rows := dense([]string{"Delta column", "type", "found", "in the file", "as"}, rows)
	a.table(header, rows)
}

// dense leaves out the columns in which every cell is empty.
func dense(header []string, rows [][]string) ([]string, [][]string) {
	var keep []int
	for i := range header {
		if slices.ContainsFunc(rows, func(r []string) bool { return r[i] != "" }) {
			keep = append(keep, i)
		}
	}
	pick := func(row []string) []string {
		out := make([]string, len(keep))
		for i, k := range keep {
			out[i] = row[k]
		}
		return out
	}
	for i := range rows {
		rows[i] = pick(rows[i])
	}
	return pick(header), rows
}
