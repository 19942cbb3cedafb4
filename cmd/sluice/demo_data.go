package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
	"strconv"
)

// person is a row of the demonstration's data.
type person struct {
	UserID  string `json:"user_id"`
	Name    string `json:"name"`
	City    string `json:"city"`
	Country string `json:"country"`
}

// population is what one writer merges.
type population struct {
	country string
	file    string
	people  []person
}

// demoCountries are the made-up populations: as many rows and cities as the
// files of the report have, then smaller ones for more writers.
var demoCountries = []struct {
	name   string
	rows   int
	cities []string
}{
	{"USA", 999, []string{"New York", "Los Angeles", "Chicago", "Houston", "Phoenix", "Philadelphia", "San Antonio", "San Diego", "Dallas"}},
	{"UK", 398, []string{"London", "Birmingham", "Leeds", "Glasgow", "Sheffield", "Bradford", "Liverpool", "Edinburgh", "Manchester"}},
	{"France", 350, []string{"Paris", "Lyon", "Marseille", "Toulouse", "Nice", "Nantes", "Lille", "Rennes", "Reims"}},
	{"Japan", 320, []string{"Tokyo", "Osaka", "Kyoto", "Nagoya", "Sapporo", "Kobe", "Sendai", "Nara", "Fukuoka"}},
	{"Brazil", 300, []string{"Rio de Janeiro", "São Paulo", "Salvador", "Brasília", "Fortaleza", "Recife", "Manaus", "Belém", "Curitiba"}},
	{"Kenya", 280, []string{"Nairobi", "Mombasa", "Kisumu", "Nakuru", "Eldoret", "Thika", "Malindi", "Kitale", "Garissa"}},
	{"Norway", 260, []string{"Oslo", "Bergen", "Trondheim", "Stavanger", "Tromsø", "Drammen", "Bodø", "Ålesund", "Hamar"}},
	{"India", 240, []string{"Delhi", "Mumbai", "Chennai", "Kolkata", "Pune", "Jaipur", "Surat", "Kochi", "Indore"}},
}

var (
	firstNames = []string{"Ada", "Ben", "Clara", "Dan", "Elif", "Femi", "Grace", "Hugo", "Ines", "Jun", "Kofi", "Lena", "Mira", "Nils", "Olga", "Paul"}
	lastNames  = []string{"Archer", "Brook", "Cole", "Dale", "Ellis", "Frost", "Grant", "Hale", "Irwin", "Jones", "Keller", "Lane", "Moss", "Nash"}
)

// generate makes a population and writes it as a JSON array, like the files of the report.
func generate(dir string, writer int) (population, error) {
	c := demoCountries[writer%len(demoCountries)]
	r := rand.New(rand.NewPCG(uint64(writer), 42))
	p := population{country: c.name, file: filepath.Join(dir, fmt.Sprintf("%02d-%s.json", writer, c.name))}
	for i := range c.rows {
		p.people = append(p.people, person{strconv.Itoa(i + 1), firstNames[r.IntN(len(firstNames))] + " " + lastNames[r.IntN(len(lastNames))],
			c.cities[r.IntN(len(c.cities))], c.name})
	}
	data, err := json.MarshalIndent(p.people, "", "    ")
	if err != nil {
		return p, err
	}
	return p, os.WriteFile(p.file, data, 0o644)
}

// populations makes or finds the data of each writer. With a folder, the
// writers share its JSON files in turn.
func populations(folder, scratch string, writers int) ([]population, error) {
	if folder == "" {
		var out []population
		for i := range writers {
			p, err := generate(scratch, i)
			if err != nil {
				return nil, err
			}
			out = append(out, p)
		}
		return out, nil
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return nil, err
	}
	sort.Strings(files)
	if len(files) == 0 {
		return nil, fmt.Errorf("--data %s: there is no .json file", folder)
	}
	var out []population
	for i := range writers {
		p, err := load(files[i%len(files)])
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// load reads a file only to know what to expect; the writers read it themselves.
func load(file string) (population, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return population{}, err
	}
	p := population{file: file}
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(&p.people); err != nil {
		return p, fmt.Errorf("%s: want an array of objects with user_id, name, city and country: %w", file, err)
	}
	if len(p.people) == 0 {
		return p, fmt.Errorf("%s: there is no row", file)
	}
	p.country = p.people[0].Country
	for _, row := range p.people {
		if row.Country != p.country {
			return p, errors.New(file + ": the rows are of several countries; the demonstration wants one a file")
		}
	}
	return p, nil
}
