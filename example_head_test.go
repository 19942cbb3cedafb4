package sluice_test

import (
	"context"
	"fmt"
	"log"

	"github.com/sluicelake/sluice"
	"github.com/sluicelake/sluice/types"
)

// The head of a table tells its schema and properties without reading what
// files it has.
func ExampleTable_Head() {
	ctx := context.Background()
	created, err := sluice.Create(ctx, "memory://head", types.NewStruct(types.Field{Name: "id", Type: types.Long, Nullable: true}), sluice.CreateOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer created.Close()
	t, err := sluice.Open(ctx, "memory://head", sluice.WithLazyOpen())
	if err != nil {
		log.Fatal(err)
	}
	defer t.Close()
	h, err := t.Head(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(h.Version(), h.Schema().Fields[0].Name)
	// Output: 0 id
}
