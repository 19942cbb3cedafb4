package types

import (
	"fmt"
	"strings"
)

// FormatDDL writes columns so that ParseDDL reads them back; metadata other than
// comments and declared CHAR and VARCHAR lengths is left out.
func FormatDDL(s *Struct) string {
	var b strings.Builder
	for i, f := range s.Fields {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(QuoteIdentifier(f.Name))
		b.WriteByte(' ')
		formatField(&b, f)
	}
	return b.String()
}

// SQL is the spelling of a type in SQL statements, for example "STRUCT<a: INT>".
func SQL(t Type) string {
	switch x := t.(type) {
	case *Array:
		return "ARRAY<" + SQL(x.Element) + ">"
	case *Map:
		return "MAP<" + SQL(x.Key) + ", " + SQL(x.Value) + ">"
	case *Struct:
		var b strings.Builder
		b.WriteString("STRUCT<")
		for i, f := range x.Fields {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(QuoteIdentifier(f.Name))
			b.WriteString(": ")
			formatField(&b, f)
		}
		b.WriteByte('>')
		return b.String()
	}
	return strings.ToUpper(t.String())
}

func formatField(b *strings.Builder, f Field) {
	if declared, ok := f.Metadata.Text(KeyCharVarchar); ok && f.Type == String {
		b.WriteString(strings.ToUpper(declared))
	} else {
		b.WriteString(SQL(f.Type))
	}
	if !f.Nullable {
		b.WriteString(" NOT NULL")
	}
	if c, ok := f.Metadata.Text("comment"); ok {
		fmt.Fprintf(b, " COMMENT '%s'", strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(c))
	}
}
