package checkpoint

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/sluicelake/sluice/action"
	"github.com/sluicelake/sluice/internal/format/deltalog"
)

// TestWriteV2: the top level names sidecars that hold every file once.
func TestWriteV2(t *testing.T) {
	for _, json := range []bool{false, true} {
		t.Run(fmt.Sprint("json=", json), func(t *testing.T) {
			b, s, ids := bucket(t), sampleState(t), 0
			var lines strings.Builder
			for i := range 2500 {
				fmt.Fprintf(&lines, `{"add":{"path":"f%d","partitionValues":{"p":"%d"},"size":%d,"modificationTime":2,"dataChange":false}}`+"\n", i, i%3, i)
			}
			s.Adds, s.NumAdds = filesOf(t, lines.String(), false), 2500
			o := V2{JSON: json, SidecarFiles: 1000, NewID: func() string { ids++; return fmt.Sprintf("00000000-0000-4000-8000-%012d", ids) }}
			if _, err := WriteV2(context.Background(), b, s, o); err != nil {
				t.Fatal(err)
			}
			top, err := readAll(b, deltalog.CheckpointV2Path(3, "00000000-0000-4000-8000-000000000005", json))
			if err != nil {
				t.Fatal(err)
			}
			var adds, removes, sidecars int
			for _, a := range top {
				side, ok := a.(*action.Sidecar)
				if !ok {
					continue
				}
				sidecars++
				key, err := SidecarKey(side)
				if err != nil {
					t.Fatal(err)
				}
				if obj, err := b.Stat(context.Background(), key); err != nil || obj.Size != side.SizeInBytes {
					t.Errorf("%s: %v, %d bytes, want %d", key, err, obj.Size, side.SizeInBytes)
				}
				in, err := readAll(b, key)
				if err != nil {
					t.Fatal(err)
				}
				for _, a := range in {
					switch a := a.(type) {
					case *action.Add:
						if a.Path != fmt.Sprint("f", adds) {
							t.Fatalf("add %d is %s", adds, a.Path)
						}
						adds++
					case *action.Remove:
						removes++
					}
				}
			}
			if adds != 2500 || removes != 2 || sidecars != 4 || len(top) != 5+sidecars {
				t.Errorf("%d adds, %d removes in %d sidecars, %d actions on top", adds, removes, sidecars, len(top))
			}
			if _, ok := top[0].(*action.CheckpointMetadata); !ok {
				t.Errorf("the first action is %T", top[0])
			}
			if hint, err := deltalog.ReadLastCheckpoint(context.Background(), b); err != nil || hint.Version != 3 || hint.Size != int64(2502+len(top)) {
				t.Errorf("%+v, %v", hint, err)
			}
		})
	}
}
