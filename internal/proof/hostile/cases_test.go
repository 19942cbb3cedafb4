package hostile

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
)

type hostile struct {
	make func(b *table)
	want verdict
}

func cases() map[string]hostile {
	all := map[string]hostile{}
	for _, part := range []map[string]hostile{pathCases(), jsonCases(), parquetCases(), vectorCases(), checkpointCases()} {
		maps.Copy(all, part)
	}
	return all
}

// one is a table of one column "a" and one file.
func one(typ string, data func() []byte, more object) func(b *table) {
	return func(b *table) {
		b.begin(columns(typ, "a"))
		d := data()
		b.file("f.parquet", d)
		b.add("f.parquet", mergeInto(object{"size": len(d)}, more))
		b.commit()
	}
}

func mergeInto(a, b object) object { maps.Copy(a, b); return a }

// good is a file of three numbers.
func good() []byte {
	data := make([]byte, 24)
	for i := range 3 {
		binary.LittleEndian.PutUint64(data[8*i:], uint64(i))
	}
	return pageFile{typ: int64Type, values: 3, rows: 3, claims: 24, data: data}.bytes()
}

func pathCases() map[string]hostile {
	out := map[string]hostile{}
	for _, path := range []string{"../away/secret.parquet", "%2e%2e/away/secret.parquet", "..%2Faway%2Fsecret.parquet", "a/../../away/secret.parquet",
		"file:AWAY/secret.parquet", "file:///AWAY/secret.parquet", "AWAY/secret.parquet", "//AWAY/secret.parquet", "file://hostAWAY/secret.parquet",
		"ROOT/../away/secret.parquet", "file:ROOT/%2e%2e/away/secret.parquet", "http://127.0.0.1:9/secret", "s3://bucket/secret",
		"memory://secret/x", "..\\away\\secret.parquet", "\x00", "", "/", ".", "..", "_delta_log/../../away/secret.parquet", "link.parquet", "folder/secret.parquet"} {
		fill := func(b *table) string {
			return strings.NewReplacer("AWAY", filepath.ToSlash(b.away), "ROOT", filepath.ToSlash(b.dir)).Replace(path)
		}
		links := func(b *table) {
			os.MkdirAll(b.dir, 0o755)
			os.Symlink(filepath.Join(b.away, "secret.parquet"), filepath.Join(b.dir, "link.parquet"))
			os.Symlink(b.away, filepath.Join(b.dir, "folder"))
		}
		out["path "+path] = hostile{func(b *table) {
			links(b)
			b.begin(columns("string", "a"))
			b.add(fill(b), object{"size": 300})
			b.commit()
		}, refused}
		out["vector at "+path] = hostile{func(b *table) {
			links(b)
			b.begin(columns("long", "a"))
			b.file("f.parquet", good())
			b.add("f.parquet", object{"deletionVector": object{"storageType": "p", "pathOrInlineDv": fill(b), "offset": 1, "sizeInBytes": 40, "cardinality": 1}})
			b.commit()
		}, refused}
		if !strings.Contains(path, "link") {
			out["sidecar "+path] = hostile{func(b *table) { links(b); sidecars(b, fill(b)) }, refused}
		}
	}
	out["a commit that is a link out"] = hostile{func(b *table) {
		b.begin(columns("string", "a"))
		b.commit()
		os.Rename(filepath.Join(b.dir, "_delta_log", "00000000000000000000.json"), filepath.Join(b.away, "c.json"))
		os.Symlink(filepath.Join(b.away, "c.json"), filepath.Join(b.dir, "_delta_log", "00000000000000000000.json"))
	}, refused}
	out["a device"] = hostile{func(b *table) {
		b.begin(columns("long", "a"))
		b.add("zero", object{"size": 1 << 40})
		b.commit()
		os.Symlink("/dev/zero", filepath.Join(b.dir, "zero"))
	}, refused}
	out["prefix of a vector"] = hostile{func(b *table) {
		b.begin(columns("long", "a"))
		b.file("f.parquet", good())
		b.add("f.parquet", object{"deletionVector": object{"storageType": "u", "pathOrInlineDv": "../away/^-aqEH.-t@S}K{vb[*k^", "offset": 1, "sizeInBytes": 40, "cardinality": 1}})
		b.commit()
	}, refused}
	return out
}

func jsonCases() map[string]hostile {
	deep := strings.Repeat("[", 5_000_000)
	nested := `"long"`
	for range 20_000 {
		nested = `{"type":"array","elementType":` + nested + `,"containsNull":true}`
	}
	return map[string]hostile{
		"deep unknown action": {func(b *table) {
			b.begin(columns("long", "a"))
			b.log = append(b.log, `{"other":`+deep)
			b.commit()
		}, refused},
		"deep statistics": {one("long", good, object{"stats": `{"minValues":` + strings.Repeat(`{"a":`, 1_000_000)}), verdict{rows: 3}},
		"deep schema": {func(b *table) {
			b.begin(`{"type":"struct","fields":[{"name":"a","nullable":true,"metadata":{},"type":` + nested + `}]}`)
			b.commit()
		}, refused},
		"deep type without end": {func(b *table) {
			b.begin(`{"type":"struct","fields":[{"name":"a","nullable":true,"metadata":{},"type":` + strings.Repeat(`{"type":"array","elementType":`, 200_000))
			b.commit()
		}, refused},
		"many columns": {func(b *table) {
			names := make([]string, 200_000)
			for i := range names {
				names[i] = fmt.Sprintf("c%d", i)
			}
			b.begin(columns("long", names...))
			b.commit()
		}, verdict{rows: 0, megas: 900}},
		"partition value of megabytes": {func(b *table) {
			b.begin(`{"type":"struct","fields":[{"name":"p","type":"string","nullable":true,"metadata":{}},{"name":"a","type":"long","nullable":true,"metadata":{}}]}`, "p")
			rows := int64(50_000)
			b.file("f.parquet", pageFile{typ: int64Type, values: rows, rows: rows, claims: 8 * rows, data: make([]byte, 8*rows)}.bytes())
			b.add("f.parquet", object{"partitionValues": object{"p": strings.Repeat("x", 4<<20)}})
			b.commit()
		}, verdict{rows: 50_000, megas: 600}},
		"a number without end": {func(b *table) {
			b.begin(columns("long", "a"))
			b.log = append(b.log, `{"add":{"path":"f","partitionValues":{},"size":1e999999999,"modificationTime":`+strings.Repeat("9", 1_000_000)+`,"dataChange":true}}`)
			b.commit()
		}, refused},
		"a size that lies": {one("long", good, object{"size": int64(1) << 60}), verdict{rows: 3}},
		"a path of megabytes": {func(b *table) {
			b.begin(columns("long", "a"))
			b.add("/"+strings.Repeat("x", 8<<20), nil)
			b.add(strings.Repeat("x/", 4<<20), nil)
			b.commit()
		}, refused},
		"a negative size": {one("long", good, object{"size": -5}), verdict{rows: 3}},
	}
}

func parquetCases() map[string]hostile {
	zip := func(n int) []byte {
		var buf bytes.Buffer
		z := gzip.NewWriter(&buf)
		chunk := make([]byte, 1<<20)
		for range n >> 20 {
			z.Write(chunk)
		}
		z.Close()
		return buf.Bytes()
	}
	file := func(p pageFile) func() []byte { return p.bytes }
	footer := func(f *thrift) func() []byte {
		return func() []byte { return closed([]byte("PAR1"), f.end()) }
	}
	leaf := st().i32(1, int64Type).i32(3, 1).text(4, "a").end()
	deep := func(levels int) *thrift {
		elements := make([][]byte, 0, levels+1)
		for range levels {
			elements = append(elements, group("g", 1))
		}
		return st().i32(1, 1).list(2, 12, uint64(levels+1), append(elements, leaf)...).i64(3, 0).list(4, 12, 0)
	}
	giga := 1 << 30
	return map[string]hostile{
		"zstd bomb":              {one("long", file(pageFile{typ: int64Type, codec: zstdCodec, values: 3, rows: 3, claims: int64(giga), data: zeros(giga)}), nil), refused},
		"zstd bomb, hidden":      {one("long", file(pageFile{typ: int64Type, codec: zstdCodec, values: 3, rows: 3, claims: 24, data: zeros(giga)}), nil), refused},
		"gzip bomb, hidden":      {one("long", file(pageFile{typ: int64Type, codec: gzipCodec, values: 3, rows: 3, claims: 24, data: zip(256 << 20)}), nil), refused},
		"snappy header":          {one("long", file(pageFile{typ: int64Type, codec: snappyCodec, values: 3, rows: 3, claims: 24, data: []byte{0xff, 0xff, 0xff, 0xff, 0x0f, 0}}), nil), refused},
		"page size":              {one("long", file(pageFile{typ: int64Type, values: 3, rows: 3, claims: huge, data: make([]byte, 24)}), nil), refused},
		"chunk size":             {one("long", file(pageFile{typ: int64Type, values: 3, rows: 3, claims: 24, data: make([]byte, 24), uncompressed: 1 << 60}), nil), verdict{rows: 3}},
		"chunk behind the end":   {one("long", file(pageFile{typ: int64Type, values: 3, rows: 3, claims: 24, data: make([]byte, 24), chunkBytes: 1 << 60}), nil), refused},
		"more rows than values":  {one("long", file(pageFile{typ: int64Type, values: 3, rows: 1 << 60, claims: 24, data: make([]byte, 24)}), nil), refused},
		"more values than bytes": {one("long", file(pageFile{typ: int64Type, values: huge, rows: huge, claims: 24, data: make([]byte, 24)}), nil), refused},
		"text without end":       {one("string", file(pageFile{typ: bytesType, values: 1, rows: 1, claims: 8, data: []byte{0xff, 0xff, 0xff, 0x7f, 1, 2, 3, 4}}), nil), refused},
		"NULL without end": {one("long", func() []byte {
			data := run(huge, 0)
			return pageFile{typ: int64Type, repetition: 1, values: huge, rows: huge, claims: int64(len(data)), data: data}.bytes()
		}, nil), verdict{limit: true, rows: -1}},
		"rows of no column": {one("long", footer(st().i32(1, 1).list(2, 12, 1, group("schema", 0)).i64(3, 1<<60).list(4, 12, 1, st().list(1, 12, 0).i64(2, 0).i64(3, 1<<60).end())), nil),
			verdict{limit: true, rows: -1}},
		"a list without end": {func(b *table) {
			b.begin(`{"type":"struct","fields":[{"name":"a","type":{"type":"array","elementType":"long","containsNull":true},"nullable":true,"metadata":{}}]}`)
			n := uint64(1 << 30) // elements of one row, all NULL
			first, rest := run(1, 0)[4:], run(n-1, 1)[4:]
			levels := binary.LittleEndian.AppendUint32(nil, uint32(len(first)+len(rest)))
			levels = append(append(append(levels, first...), rest...), run(n, 2)...)
			elements := [][]byte{group("schema", 1), st().i32(3, 1).text(4, "a").i32(5, 1).i32(6, 3).end(), st().i32(3, 2).text(4, "list").i32(5, 1).end(),
				st().i32(1, int64Type).i32(3, 1).text(4, "element").end()}
			b.file("f.parquet", pageFile{typ: int64Type, values: int64(n), rows: 1, claims: int64(len(levels)), data: levels, schema: elements,
				path: [][]byte{word("a"), word("list"), word("element")}}.bytes())
			b.add("f.parquet", nil)
			b.commit()
		}, verdict{rows: -1, megas: 1200}},
		"schema list":   {one("long", footer(st().i32(1, 1).list(2, 12, huge)), nil), refused},
		"group list":    {one("long", footer(st().i32(1, 1).list(2, 12, 2, group("schema", 1), leaf).i64(3, 0).list(4, 12, huge)), nil), refused},
		"column list":   {one("long", footer(st().i32(1, 1).list(2, 12, 2, group("schema", 1), leaf).i64(3, 1).list(4, 12, 1, st().list(1, 12, huge).i64(2, 0).i64(3, 1).end())), nil), refused},
		"children":      {one("long", footer(st().i32(1, 1).list(2, 12, 2, group("schema", huge), leaf).i64(3, 0).list(4, 12, 0)), nil), refused},
		"deep groups":   {one("long", footer(deep(1_000_000)), nil), refused},
		"footer length": {one("long", func() []byte { return append([]byte("PAR1"), 0xff, 0xff, 0xff, 0x7f, 'P', 'A', 'R', '1') }, nil), refused},
	}
}

func vectorCases() map[string]hostile {
	with := func(d object) func(b *table) { return one("long", good, object{"deletionVector": d}) }
	stored := func(data []byte, d object) func(b *table) {
		return func(b *table) {
			b.file("deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin", data)
			one("long", good, object{"deletionVector": mergeInto(object{"storageType": "u", "pathOrInlineDv": "^-aqEH.-t@S}K{vb[*k^", "offset": 1, "cardinality": 1}, d)})(b)
		}
	}
	return map[string]hostile{
		"vector size":        {stored([]byte{1, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3}, object{"sizeInBytes": huge}), refused},
		"vector offset":      {stored([]byte{1}, object{"sizeInBytes": 10, "offset": huge}), refused},
		"vector cardinality": {with(object{"storageType": "i", "pathOrInlineDv": "wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L", "sizeInBytes": 40, "cardinality": int64(1) << 62}), refused},
		"inline vector":      {with(object{"storageType": "i", "pathOrInlineDv": strings.Repeat("0", 10<<20), "sizeInBytes": 8 << 20, "cardinality": 1}), refused},
		"vector size of -1":  {stored([]byte{1, 2, 3}, object{"sizeInBytes": -1}), refused},
		"vector of no kind":  {with(object{"storageType": "zz", "pathOrInlineDv": "", "sizeInBytes": 0, "cardinality": 0}), refused},
	}
}

// sidecars is a table whose checkpoint at version 1 has sidecars, by path.
func sidecars(b *table, paths ...string) {
	b.begin(columns("long", "a"))
	b.commit()
	b.file("_delta_log/00000000000000000001.json", []byte(`{"commitInfo":{"timestamp":1}}`+"\n"))
	lines := append([]string{text(object{"checkpointMetadata": object{"version": 1}})}, b.log...)
	for _, p := range paths {
		lines = append(lines, text(object{"sidecar": object{"path": p, "sizeInBytes": 300, "modificationTime": 0}}))
	}
	b.file("_delta_log/00000000000000000001.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json", []byte(strings.Join(lines, "\n")+"\n"))
	os.Remove(filepath.Join(b.dir, "_delta_log", "00000000000000000000.json")) // only the checkpoint knows the table
}

func checkpointCases() map[string]hostile {
	const top = "00000000000000000001.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json"
	last := func(v string, want verdict) hostile {
		return hostile{func(b *table) {
			one("long", good, nil)(b)
			b.file("_delta_log/_last_checkpoint", []byte(v))
		}, want}
	}
	many := make([]string, 5_000)
	for i := range many {
		many[i] = "same.parquet"
	}
	return map[string]hostile{
		"sidecar that is its checkpoint":   {func(b *table) { sidecars(b, "../"+top) }, refused},
		"sidecar by the checkpoint's name": {func(b *table) { sidecars(b, top) }, refused},
		"one sidecar many times": {func(b *table) {
			sidecars(b, many...)
			b.file("_delta_log/_sidecars/same.parquet", good())
		}, verdict{rows: 0}},
		"parts without end":               last(`{"version":0,"size":1,"parts":2147483647}`, verdict{rows: 3}),
		"a last checkpoint of the future": last(`{"version":9223372036854775807,"size":-1}`, verdict{rows: 3}),
		"a deep last checkpoint":          last(strings.Repeat("[", 1_000_000), verdict{rows: 3}),
		"a last checkpoint elsewhere":     last(`{"version":0,"size":1,"v2Checkpoint":{"path":"../../away/secret.parquet","sizeInBytes":300,"modificationTime":0}}`, verdict{rows: 3}),
	}
}
