package races

import (
	"fmt"
	"strings"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/table/conflict"
)

// touch is one thing that a commit changed.
type touch struct{ kind, file, partition, detail string }

func touches(acts []action.Action) (out []touch) {
	for _, a := range acts {
		switch x := a.(type) {
		case *action.Add:
			out = append(out, touch{kind: "added", file: x.Path, partition: conflict.PartitionText(x.PartitionValues)})
		case *action.Remove:
			out = append(out, touch{kind: "removed", file: x.Path, partition: conflict.PartitionText(x.PartitionValues)})
		case *action.Metadata:
			out = append(out, touch{kind: "metadata", detail: "schema, properties or description were written"})
		case *action.Protocol:
			out = append(out, touch{kind: "protocol", detail: fmt.Sprintf("reader %d, writer %d, features %s", x.MinReaderVersion, x.MinWriterVersion, strings.Join(x.WriterFeatures, ", "))})
		case *action.Txn:
			out = append(out, touch{kind: "application", detail: fmt.Sprintf("%s noted version %d", x.AppID, x.Version)})
		}
	}
	return out
}

// advice is what to change, for what the winner was.
func (x *Explained) advice(c *committed) []string {
	var out []string
	s := c.story
	if s.Rearranges && (x.Class == conflict.ClassAppend || x.Class == conflict.ClassDeleteRead || x.Class == conflict.ClassDeleteDelete) {
		out = append(out, fmt.Sprintf("version %d (%s) changed no row, it only moved them: run it when no statement is under way, or on partitions that nobody writes to", s.Version, s.Operation))
	}
	if by := s.Parameters["notMatchedBySourcePredicates"]; s.Operation == "MERGE" && strings.Contains(by, "actionType") {
		out = append(out, "the winner is a MERGE with WHEN NOT MATCHED BY SOURCE; if the statement that failed is of the same kind, that clause made it read the whole table: "+
			"no partition in ON helps. Split the clause off as DELETE FROM ... WHERE <partition> AND NOT EXISTS (...)")
		if !strings.Contains(by, "predicate") {
			out = append(out, "its clause has no condition: it deletes or updates rows of every partition that the source does not have. Ask whether that was meant: sluice explain TABLE STATEMENT")
		}
	}
	if x.Class == conflict.ClassAppend && len(s.Partitions) > 0 {
		out = append(out, fmt.Sprintf("the winner wrote to %s: a statement whose condition names other partitions as constants would not have met it", strings.Join(s.Partitions[:min(3, len(s.Partitions))], "; ")))
	}
	if x.Class == conflict.ClassMetadata && strings.Contains(s.Operation, "TBLPROPERTIES") {
		out = append(out, "the winner set a table property: do that before the writers start")
	}
	return out
}
