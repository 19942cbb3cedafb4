package metamorph

import (
	"fmt"
	"strings"
)

// Config is one way to lay a table out and to work on it.
type Config struct {
	Vectors     bool   // deletion vectors instead of copies
	Partitioned bool   // by the column p
	Mapping     string // none, name, id
	SmallFiles  bool   // a file for every few rows
	Apart       bool   // the first rows come in many commits
	Feed        bool   // change data feed
	Checkpoints int    // a checkpoint after so many commits
	V2          bool   // checkpoints with sidecars
	RowIDs      bool   // row tracking
	Tended      bool   // verbs of upkeep in between, as time goes by
	Workers     int
}

func (c Config) String() string {
	var out []string
	say := func(yes bool, text string) {
		if yes {
			out = append(out, text)
		}
	}
	say(c.Vectors, "deletion vectors")
	say(!c.Vectors, "copies")
	say(c.Partitioned, "partitioned")
	say(c.Mapping != "none", "mapped by "+c.Mapping)
	say(c.SmallFiles, "small files")
	say(c.Apart, "many commits")
	say(c.Feed, "change feed")
	say(c.V2, "V2 checkpoints")
	say(c.RowIDs, "row ids")
	say(c.Tended, "tended")
	return strings.Join(append(out, fmt.Sprintf("checkpoint every %d", c.Checkpoints), fmt.Sprintf("%d workers", c.Workers)), ", ")
}

// Properties are the table properties of the layout.
func (c Config) Properties() map[string]string {
	out := map[string]string{
		"delta.enableDeletionVectors": fmt.Sprint(c.Vectors),
		"delta.columnMapping.mode":    c.Mapping,
		"delta.enableChangeDataFeed":  fmt.Sprint(c.Feed),
		"delta.enableRowTracking":     fmt.Sprint(c.RowIDs),
		"delta.checkpointInterval":    fmt.Sprint(c.Checkpoints),
	}
	if c.SmallFiles {
		out["delta.targetFileSize"] = "1kb"
	}
	if c.V2 {
		out["delta.checkpointPolicy"] = "v2"
	}
	return out
}

// factors are the numbers of values that each property of a layout can have.
var factors = []int{2, 2, 3, 2, 2, 2, 2, 2, 2, 2, 2}

// of makes the layout of one choice for each factor.
func of(choice []int) Config {
	yes := func(i int) bool { return choice[i] == 1 }
	c := Config{Vectors: yes(0), Partitioned: yes(1), Mapping: []string{"none", "name", "id"}[choice[2]], SmallFiles: yes(3), Apart: yes(4),
		Feed: yes(5), Checkpoints: 10, V2: yes(7), RowIDs: yes(8), Tended: yes(10), Workers: 4}
	if yes(6) {
		c.Checkpoints = 1
	}
	if yes(9) {
		c.Workers = 1
	}
	return c
}

// Plain is the layout that the others are compared with.
func Plain() Config { return of(make([]int, len(factors))) }

// Every yields all layouts.
func Every() (out []Config) {
	choice := make([]int, len(factors))
	for {
		out = append(out, of(choice))
		i := 0
		for ; i < len(choice); i++ {
			if choice[i]++; choice[i] < factors[i] {
				break
			}
			choice[i] = 0
		}
		if i == len(choice) {
			return out
		}
	}
}

// Pairs yields few layouts in which any two choices for two factors come together.
// It takes, one after the other, the layout with the most pairs that are new.
func Pairs() (out []Config) {
	type pair struct{ i, a, j, b int }
	open := map[pair]bool{}
	for i := range factors {
		for j := i + 1; j < len(factors); j++ {
			for a := range factors[i] {
				for b := range factors[j] {
					open[pair{i, a, j, b}] = true
				}
			}
		}
	}
	for len(open) > 0 {
		var best []int
		most := 0
		choice := make([]int, len(factors))
		for done := false; !done; {
			fresh := 0
			for i := range choice {
				for j := i + 1; j < len(choice); j++ {
					if open[pair{i, choice[i], j, choice[j]}] {
						fresh++
					}
				}
			}
			if fresh > most {
				most, best = fresh, append([]int(nil), choice...)
			}
			done = true
			for i := range choice {
				if choice[i]++; choice[i] < factors[i] {
					done = false
					break
				}
				choice[i] = 0
			}
		}
		for i := range best {
			for j := i + 1; j < len(best); j++ {
				delete(open, pair{i, best[i], j, best[j]})
			}
		}
		out = append(out, of(best))
	}
	return out
}
