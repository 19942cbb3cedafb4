package sluicesql_test

import (
	"database/sql"
	"fmt"
	"log"
	"os"

	_ "github.com/sluicelake/sluice/sluicesql"
)

// A folder is a catalog: its folders are tables.
func Example() {
	dir, err := os.MkdirTemp("", "lake")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	db, err := sql.Open("sluice", dir)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE people (user_id BIGINT, city STRING)"); err != nil {
		log.Fatal(err)
	}
	res, err := db.Exec("INSERT INTO people VALUES (?, ?), (?, ?)", 1, "London", 2, "Paris")
	if err != nil {
		log.Fatal(err)
	}
	n, _ := res.RowsAffected()
	var city string
	if err := db.QueryRow("SELECT city FROM people WHERE user_id = ?", 2).Scan(&city); err != nil {
		log.Fatal(err)
	}
	fmt.Println(n, city)
	// Output: 2 Paris
}
