"""Makes the files of this folder, each with the rows that it must give (NAME.jsonl).
Needs pyarrow 26; arrow-go cannot write these."""
import decimal, json, pyarrow as pa, pyarrow.parquet as pq

def make(name, table, rows, **how):
    pq.write_table(table, name + ".parquet", **how)
    with open(name + ".jsonl", "w") as f:
        f.writelines(json.dumps(r, separators=(",", ":")).replace("-0.0", "-0") + "\n" for r in rows)

numbers = [None if i % 7 == 3 else decimal.Decimal(i ** 9 - 5 * i ** 7) / 100 for i in range(150)]
texts = [{"c": None if n is None else format(n.quantize(decimal.Decimal("0.01"), context=decimal.Context(prec=40)), "f")} for n in numbers]
for version in ("1.0", "2.0"):  # DELTA_BYTE_ARRAY for values of one length, as the Java library writes decimals in v2 pages
    make("delta_fixed_v" + version[0], pa.table({"c": pa.array(numbers, pa.decimal128(25, 2))}), texts, use_dictionary=False,
         column_encoding={"c": "DELTA_BYTE_ARRAY"}, data_page_version=version, data_page_size=400)
lists = [None if i % 5 == 4 else ["%03d" % (i * k) for k in range(i % 4)] for i in range(60)]
make("delta_fixed_list", pa.table({"c": pa.array([l and [x.encode() for x in l] for l in lists], pa.list_(pa.binary(3)))}),
     [{"c": [] if l == [] else l} for l in lists], use_dictionary=False, column_encoding={"c.list.element": "DELTA_BYTE_ARRAY"}, data_page_size=100)
make("no_rows", pa.table({"c": pa.array([], pa.int64())}), [])  # a row group without rows, whose chunks lie nowhere
make("unknown", pa.table({"c": pa.array([None, None], pa.null())}), [{"c": None}, {"c": None}])  # the type without values
make("half", pa.table({"c": pa.array([1.5, -0.0, None], pa.float16())}), [{"c": 1.5}, {"c": -0.0}, {"c": None}])
